"""The work a node hosts, without ROS: frames in, results out, and the time each stage takes."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from rs_ml_perception.core.objects.labels import LabelMap

OptionsT = TypeVar('OptionsT')
C = TypeVar('C', bound='Closing')


class Closing(ABC):
    """A context manager that calls `close` at the end."""

    @abstractmethod
    def close(self) -> None:
        """Free the resources; a second call does nothing."""

    def __enter__(self: C) -> C:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
        """Start with these options; raises as setting `options` does."""
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
        """Update everything that depends on the options.

        Raises:
            ConfigError: the options do not fit the model; nothing has changed.
        """

    @property
    def concerns(self) -> tuple[str, ...]:
        """How the model runs differently from what was asked for."""
        return ()

    def describe(self) -> dict[str, str]:
        """Facts for the log and diagnostics: model, backend, device, precision, threads, rate."""
        return {}

    def readings(self) -> dict[str, float]:
        """Numbers about the latest result by name, for diagnostics."""
        return {}

    def warm_up(self) -> float:
        """Run once on made-up input; returns milliseconds."""
        return 0.0

    def reset(self) -> None:
        """Forget all tracks: time has jumped."""

    def take_stages(self) -> dict[str, float]:
        """Milliseconds per stage since the last call."""
        return {}

    def close(self) -> None:
        """Free the model."""


class StageTimer:
    """Sums wall time per named stage until `take` is called.

    Example:
        >>> stages = StageTimer()
        >>> with stages('preprocess'):
        ...     pass
        >>> list(stages.take())
        ['preprocess']
    """

    def __init__(self) -> None:
        self._ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed_ms = 1e3 * (time.perf_counter() - start)
            self._ms[name] = self._ms.get(name, 0.0) + elapsed_ms

    def take(self) -> dict[str, float]:
        """Return the milliseconds per stage since the last call, in order of appearance."""
        taken, self._ms = self._ms, {}
        return taken
