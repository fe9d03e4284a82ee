"""Loading in the background while the node already answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class Preload:
    """A function under way in its own thread.

    Attributes:
        subject: what it works for; a result for another subject is of no use.
    """

    def __init__(self, load: Callable[[], Any], subject: Any) -> None:
        self.subject = subject
        self._load = load
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name='preload', daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> Any:
        """Wait, then return what the function returned or raise what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result

    def abandon(self) -> None:
        """Wait for the end: a runtime must not be loading while the process exits."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._result = self._load()
        except BaseException as error:  # carried to the thread that asks for the result
            self._error = error
