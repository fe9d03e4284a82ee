"""Errors this package raises on purpose, and foreign text made safe to show.

Every message names the offending value and the way out.
"""

from __future__ import annotations

MAX_TEXT = 2000
"""Characters of one message, so that a very long name does not bury the sentence around it."""
_KEPT = '\n\t'


def printable(text: str) -> str:
    r"""Text that terminals and encoders accept as it is.

    Escape codes, marks that reverse the reading direction and bytes that are not UTF-8 become
    \x1b, \u202e and \udc80.
    """
    if text.isprintable():
        return text
    return ''.join(c if c.isprintable() or c in _KEPT else _escaped(c) for c in text)


def shortened(text: str, most: int = MAX_TEXT) -> str:
    """At most `most` characters: both ends stay, the middle is cut."""
    if len(text) <= most:
        return text
    half = most // 2
    return f'{text[:half]}[... {len(text) - 2 * half} characters ...]{text[-half:]}'


def counted(count: int, noun: str, plural: str = '') -> str:
    """'1 image' or '2 images'.

    Args:
        count: of the things.
        noun: for one.
        plural: for several, where it is not noun + 's'.
    """
    return f'{count} {noun if count == 1 else plural or f"{noun}s"}'


def _escaped(char: str) -> str:
    return ascii(char)[1:-1]


class RsMlError(Exception):
    """Base class of all errors that the package raises on purpose.

    Its text is safe to show: foreign values in it are escaped and shortened.
    """

    def __str__(self) -> str:
        return printable(shortened(super().__str__()))


class ConfigError(RsMlError):
    """A parameter, an argument or a configuration file is wrong."""


class ModelError(RsMlError):
    """A model directory is missing, damaged or contradicts itself."""


class GoldenError(ModelError):
    """A model does not reproduce its golden outputs; another runtime may."""


class MissingArtifactError(ModelError):
    """A file of a model is missing; another format of the model may still be present."""


class BackendError(RsMlError):
    """An inference runtime is missing or cannot run the model."""


class BusyError(RsMlError):
    """Something is still in progress: try again later."""


class InputError(RsMlError):
    """A frame, message or file cannot be used: it is rejected and the caller continues."""
