"""The work a node hosts: frames in, results out, no ROS."""

from __future__ import annotations

from typing import Generic, TypeVar

from rs_ml_perception.core.objects.labels import LabelMap

OptionsT = TypeVar('OptionsT')


class Pipeline(Generic[OptionsT]):
    """Base of everything that runs on frames; a subclass adds `__call__`.

    Attributes:
        title: name and version of the model, '' without one.
        backend: inference runtime, '' without a model.
        labels: names of the classes.
    """

    title: str = ''
    backend: str = ''
    labels: LabelMap = LabelMap({})

    def __init__(self, options: OptionsT) -> None:
        """Start with these options; see `options` for what is raised."""
        self.options = options

    @property
    def options(self) -> OptionsT:
        """Replace to change them between frames; ConfigError refuses and changes nothing."""
        return self._options

    @options.setter
    def options(self, options: OptionsT) -> None:
        self.apply(options)
        self._options = options

    def apply(self, options: OptionsT) -> None:
        """Update what depends on the options.

        Raises:
            ConfigError: the options do not fit the model; nothing has changed.
        """

    def describe(self) -> dict[str, str]:
        """Facts for the log and diagnostics: model, licence, backend, device, input size."""
        return {}

    def warm_up(self) -> float:
        """Run once on made-up input; returns milliseconds."""
        return 0.0

    def reset(self) -> None:
        """Forget what was tracked: time has jumped."""

    def take_stages(self) -> dict[str, float]:
        """Milliseconds per stage since the last call."""
        return {}

    def close(self) -> None:
        """Free the model."""
