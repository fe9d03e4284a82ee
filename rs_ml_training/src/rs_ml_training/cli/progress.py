"""A progress bar in terminals, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar('T')


def progress_bar(samples: Iterable[T], count: int | None) -> Iterable[T]:
    """The samples; a terminal shows how many and how fast by the clock on the wall."""
    from tqdm import tqdm

    return tqdm(samples, total=count, unit='image', disable=None, leave=False)
