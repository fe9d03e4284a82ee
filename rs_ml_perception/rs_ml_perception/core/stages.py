"""How long each part of the work took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StageTimer:
    """Adds up wall time per named stage until `take` is called.

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
