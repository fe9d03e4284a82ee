"""Hand-over from the executor to a worker: the latest wins, latency stays bounded."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar('T')


class Mailbox(Generic[T]):
    """One slot. What is put while the slot is full comes back to be counted."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._item: T | None = None
        self._is_closed = False

    def put(self, item: T) -> T | None:
        """Store the item and return the one it replaces; a closed box returns the item itself."""
        with self._condition:
            if self._is_closed:
                return item
            replaced, self._item = self._item, item
            self._condition.notify()
            return replaced

    def take(self, timeout_secs: float) -> T | None:
        """Wait for an item; None after the time-out or once closed."""
        with self._condition:
            if self._item is None and not self._is_closed:
                self._condition.wait(timeout_secs)
            item, self._item = self._item, None
            return item

    def close(self) -> T | None:
        """Wake the worker up for good; return what it will not see."""
        with self._condition:
            self._is_closed = True
            left, self._item = self._item, None
            self._condition.notify_all()
            return left
