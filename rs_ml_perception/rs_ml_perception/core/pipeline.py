"""What a node asks of the work it hosts."""

from __future__ import annotations

from typing import Protocol

from rs_ml_perception.core.objects.labels import LabelMap


class Pipeline(Protocol):
    """A task ready to run on frames; each pipeline adds a call of its own.

    Attributes:
        title: name and version of the model, '' without one.
        backend: inference runtime, '' without a model.
        labels: names of the classes.
    """

    title: str
    backend: str
    labels: LabelMap

    def describe(self) -> dict[str, str]:
        """Facts for the log and diagnostics: model, licence, backend, device, input size."""

    def warm_up(self) -> float:
        """Run once on made-up input; returns milliseconds."""

    def reset(self) -> None:
        """Forget what was tracked: time has jumped."""

    def take_stages(self) -> dict[str, float]:
        """Milliseconds per stage since the last call."""

    def close(self) -> None:
        """Free the model."""
