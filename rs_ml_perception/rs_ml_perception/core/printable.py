"""Foreign text on its way to a terminal, a log or a message."""

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
