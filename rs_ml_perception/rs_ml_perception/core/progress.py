"""Progress bars of commands, on stderr where it is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar('T')

BYTES = 'B'
"""Unit that is shown in kilobytes and megabytes."""


@contextmanager
def bar(count: int | None, unit: str = 'image') -> Iterator[Callable[[int], object]]:
    """Show a bar while the block runs, and remove it at the end.

    Nothing is shown where stderr is no terminal, or tqdm is not installed.

    Args:
        count: of the steps; None if unknown.
        unit: of a step.

    Yields:
        Called with the number of further steps.
    """
    try:
        from tqdm import tqdm
    except ImportError:
        yield lambda steps: None
        return
    is_bytes = unit == BYTES
    with tqdm(total=count, unit=unit, unit_scale=is_bytes, disable=None, leave=False) as shown:
        yield shown.update


def progress(items: Iterable[T], count: int | None = None, unit: str = 'image') -> Iterator[T]:
    """Yield the items; a bar shows how many have been taken.

    Args:
        items: to yield.
        count: of them; None: their length, if they have one.
        unit: of an item.
    """
    if count is None and isinstance(items, Sized):
        count = len(items)
    with bar(count, unit) as step:
        for item in items:
            yield item
            step(1)


def say(text: str) -> None:
    """Print a line to stderr, above a bar if one is shown."""
    module = sys.modules.get('tqdm')
    if module is None:
        print(text, file=sys.stderr)
    else:
        module.tqdm.write(text, file=sys.stderr)
