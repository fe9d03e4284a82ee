"""Errors this package raises on purpose, and foreign text made safe to show.

Every message names the offending value and the way out.
"""

from __future__ import annotations

MAX_TEXT = 2000
"""Characters of one message; a name of thousands must not bury the sentence around it."""
_KEPT = '\n\t'


def printable(text: str) -> str:
    r"""Text without what a terminal obeys or an encoder refuses.

    Escape codes, marks that turn the direction of reading and bytes that are no UTF-8 come out
    as \x1b, \u202e and \udc80.
    """
    if text.isprintable():
        return text
    return ''.join(c if c.isprintable() or c in _KEPT else _escaped(c) for c in text)


def shortened(text: str, most: int = MAX_TEXT) -> str:
    """At most so many characters: both ends stay, the middle gives way."""
    if len(text) <= most:
        return text
    half = most // 2
    return f'{text[:half]}[... {len(text) - 2 * half} characters ...]{text[-half:]}'


def _escaped(char: str) -> str:
    return ascii(char)[1:-1]


class RsMlError(Exception):
    """Root of the family: catch this to catch all errors that the package reports by itself.

    Its text may be shown as it is: values that strangers chose bring no escape codes and do not
    bury the sentence around them.
    """

    def __str__(self) -> str:
        return printable(shortened(super().__str__()))


class ConfigError(RsMlError):
    """A parameter, an argument or a configuration file is wrong."""


class ModelError(RsMlError):
    """A model directory is missing, damaged or contradicts itself."""


class MissingArtifactError(ModelError):
    """A file of a model is nowhere to be found: another format of the model may still be there."""


class BackendError(RsMlError):
    """An inference runtime is missing or cannot run the model."""


class BusyError(RsMlError):
    """Something is still in progress: try again later."""


class InputError(RsMlError):
    """A frame, message or file cannot be used: it is rejected, the caller lives on."""
