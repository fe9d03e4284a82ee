"""Loading in the background while the node already answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

S = TypeVar('S')
T = TypeVar('T')


class Preload(Generic[S, T]):
    """Loads what belongs to a subject, if told to ahead of time and in a thread of its own.

    Args:
        load: makes the thing; slow.
    """

    def __init__(self, load: Callable[[S], T]) -> None:
        self._load = load
        self._begun: _Loading[S, T] | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether the thread is still at work."""
        return self._begun is not None and self._begun.is_alive()

    def begin(self, subject: S) -> None:
        """Load in the background."""
        self._begun = _Loading(self._load, subject)

    def take(self, subject: S) -> T:
        """The thing: what was begun, once it is there; loaded now if that was for another subject.

        Raises:
            Exception: what loading raised.
        """
        begun = self._begun
        self.abandon()
        if begun is None or begun.subject != subject:
            return self._load(subject)
        return begun.result()

    def abandon(self) -> None:
        """Wait for the end: a runtime must not be loading while the process exits."""
        if self._begun is not None:
            self._begun.join()
            self._begun = None


class _Loading(threading.Thread, Generic[S, T]):
    def __init__(self, load: Callable[[S], T], subject: S) -> None:
        super().__init__(name='preload', daemon=True)
        self.subject = subject
        self._load = load
        self._result: T | None = None
        self._error: BaseException | None = None
        self.start()

    def result(self) -> T:
        """What the function returned, or raise what it raised; the thread has ended."""
        if self._error is not None:
            raise self._error
        return self._result

    def run(self) -> None:
        try:
            self._result = self._load(self.subject)
        except BaseException as error:  # carried to the thread that asks for the result
            self._error = error
