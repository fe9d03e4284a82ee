"""Loading a model in the background while the node already answers requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

import rclpy.task
from rclpy.executors import Executor

K = TypeVar('K')
T = TypeVar('T')


class Preload(Generic[K, T]):
    """Loads a value in a background thread ahead of use.

    Args:
        load: makes the value of a key; slow.
        discard: frees a value that is not used.
    """

    def __init__(self, load: Callable[[K], T], discard: Callable[[T], None]) -> None:
        self._load = load
        self._discard = discard
        self._begun: _Loading[K, T] | None = None
        self._abandoned: list[_Loading[K, T]] = []

    def is_ready(self, key: K) -> bool:
        """Whether `take` returns at once."""
        return self._begun is not None and self._begun.is_ready(key)

    def begin(self, key: K) -> None:
        """Load in the background, unless this key is being loaded already."""
        if self._begun is not None and self._begun.key == key:
            return
        self.abandon()
        self._begun = _Loading(self._load, key)

    async def wait(self, executor: Executor) -> None:
        """Let the executor run other callbacks until the thread has ended."""
        if self._begun is None:
            return
        done = rclpy.task.Future(executor=executor)

        def wake(_: object) -> None:
            done.set_result(None)
            executor.wake()

        self._begun.result.add_done_callback(wake)
        await done

    def take(self, key: K) -> T:
        """The value of the key: from the background if it was begun there, else loaded now.

        Raises:
            Exception: loading failed.
        """
        begun = self._begun
        if begun is None or begun.key != key:
            self.abandon()
            return self._load(key)
        self._begun = None
        return begun.result.result()

    def abandon(self) -> None:
        """Give up the current loading; its value is freed as soon as it is loaded."""
        self._abandoned = [loading for loading in self._abandoned if loading.thread.is_alive()]
        if self._begun is not None:
            self._begun.result.add_done_callback(self._free)
            self._abandoned.append(self._begun)
            self._begun = None

    def has_ended(self, timeout_secs: float) -> bool:
        """Wait for abandoned threads, at most this long; whether all have ended.

        A runtime must not be loading while the process exits.
        """
        deadline = time.monotonic() + timeout_secs
        for loading in self._abandoned:
            loading.thread.join(max(0.0, deadline - time.monotonic()))
        return not any(loading.thread.is_alive() for loading in self._abandoned)

    def _free(self, result: Future[T]) -> None:
        if result.exception() is None:
            self._discard(result.result())


class _Loading(Generic[K, T]):
    def __init__(self, load: Callable[[K], T], key: K) -> None:
        self.key = key
        self.result: Future[T] = Future()
        self._load = load
        self.thread = threading.Thread(target=self._run, name='preload', daemon=True)
        self.thread.start()

    def is_ready(self, key: K) -> bool:
        return self.key == key and self.result.done()

    def _run(self) -> None:
        try:
            self.result.set_result(self._load(self.key))
        except BaseException as error:  # raised again in the thread that takes the result
            self.result.set_exception(error)
