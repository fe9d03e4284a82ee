"""What is closed at the end of a with block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeVar

C = TypeVar('C', bound='Closing')


class Closing(ABC):
    """A context manager whose end is `close`, whatever went wrong before it."""

    @abstractmethod
    def close(self) -> None:
        """Free what is held; a second call does nothing."""

    def __enter__(self: C) -> C:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
