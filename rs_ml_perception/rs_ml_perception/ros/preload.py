"""Loading in the background while the node already answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

import rclpy.task
from rclpy.executors import Executor

S = TypeVar('S')
T = TypeVar('T')


class Preload(Generic[S, T]):
    """Loads the thing that belongs to a subject, on request ahead of time and in a thread.

    Args:
        load: makes the thing; slow.
        discard: frees a thing that was loaded in vain.
    """

    def __init__(self, load: Callable[[S], T], discard: Callable[[T], None]) -> None:
        self._load = load
        self._discard = discard
        self._begun: _Loading[S, T] | None = None
        self._abandoned: list[_Loading[S, T]] = []

    @property
    def is_under_way(self) -> bool:
        """Whether the thread is still at work."""
        return self._begun is not None and not self._begun.result.done()

    def is_ready(self, subject: S) -> bool:
        """Whether `take` would not have to wait."""
        return self._begun is not None and self._begun.is_ready(subject)

    def begin(self, subject: S) -> None:
        """Load in the background, unless that has been begun."""
        if self._begun is not None and self._begun.subject == subject:
            return
        self.abandon()
        self._begun = _Loading(self._load, subject)

    async def wait(self, executor: Executor) -> None:
        """Let the executor go on with other callbacks until the thread has ended."""
        if self._begun is None:
            return
        done = rclpy.task.Future(executor=executor)

        def wake(_: object) -> None:
            done.set_result(None)
            executor.wake()

        self._begun.result.add_done_callback(wake)
        await done

    def take(self, subject: S) -> T:
        """The thing: what was begun, once it is there; loaded now if that was for another subject.

        Raises:
            Exception: what loading raised.
        """
        begun = self._begun
        if begun is None or begun.subject != subject:
            self.abandon()
            return self._load(subject)
        self._begun = None
        return begun.result.result()

    def abandon(self) -> None:
        """Nobody waits for it: what it loads is freed as soon as it is there."""
        self._abandoned = [loading for loading in self._abandoned if loading.thread.is_alive()]
        if self._begun is not None:
            self._begun.result.add_done_callback(self._free)
            self._abandoned.append(self._begun)
            self._begun = None

    def has_ended(self, timeout_secs: float) -> bool:
        """Whether no abandoned thread is at work any more, after a while at most.

        A runtime must not be loading while the process exits.
        """
        deadline = time.monotonic() + timeout_secs
        for loading in self._abandoned:
            loading.thread.join(max(0.0, deadline - time.monotonic()))
        return not any(loading.thread.is_alive() for loading in self._abandoned)

    def _free(self, result: Future[T]) -> None:
        if result.exception() is None:
            self._discard(result.result())


class _Loading(Generic[S, T]):
    def __init__(self, load: Callable[[S], T], subject: S) -> None:
        self.subject = subject
        self.result: Future[T] = Future()
        self._load = load
        self.thread = threading.Thread(target=self._run, name='preload', daemon=True)
        self.thread.start()

    def is_ready(self, subject: S) -> bool:
        return self.subject == subject and self.result.done()

    def _run(self) -> None:
        try:
            self.result.set_result(self._load(self.subject))
        except BaseException as error:  # carried to the thread that asks for the result
            self.result.set_exception(error)
