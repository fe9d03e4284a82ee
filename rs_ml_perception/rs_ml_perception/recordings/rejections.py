"""Messages and files that cannot be used: reported on request, while the others go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.recordings.definitions import one_line
from rs_ml_perception.recordings.messages import Message

OnRejected = Callable[[str, InputError], None]
"""Called with the topic or file and the reason."""


@dataclass(frozen=True)
class Rejections:
    """What becomes of messages that cannot be used.

    Attributes:
        on_rejected: receives them; None: they raise.
    """

    on_rejected: OnRejected | None

    def attempt(self, message: Message, convert: Callable[[Message], Any]) -> Any | None:
        """What the message is converted to; None where that is rejected.

        Raises:
            InputError: nobody wants to be told.
        """
        try:
            return convert(message)
        except InputError as error:
            self.reject(message.topic, error)
        except Exception as error:  # of one message, which costs that message alone
            reason = f'{message.topic}: unexpected {type(error).__name__}: {one_line(error)}'
            self.reject(message.topic, InputError(reason))
        return None

    def reject(self, topic: str, error: InputError) -> None:
        """Report what cannot be used.

        Raises:
            InputError: nobody wants to be told.
        """
        if self.on_rejected is None:
            raise error
        self.on_rejected(topic, error)

    def note(self, topic: str, reason: str) -> None:
        """Report something missing from images that can be used; never raises."""
        if self.on_rejected is not None:
            self.on_rejected(topic, InputError(f'{topic}: {reason}'))
