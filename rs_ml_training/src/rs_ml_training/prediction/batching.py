"""Samples in batches, one step ahead of the network, and the time it takes."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar('T')


def prefetched(items: Iterable[T]) -> Iterator[T]:
    """The same items; a thread makes the next one while the last one is used."""
    iterator = iter(items)

    def take() -> list[T]:
        return list(itertools.islice(iterator, 1))

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(take)
        while found := future.result():
            future = pool.submit(take)
            yield found[0]


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` items; the last one may be shorter."""
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


class Stopwatch:
    """Seconds an image, by the clock on the wall.

    The first batch, during which networks are compiled, counts only where there is no other.
    """

    def __init__(self) -> None:
        self._laps: list[tuple[float, int]] = []

    @contextmanager
    def lap(self, pictures: int) -> Iterator[None]:
        """Measure the body of the with statement, for so many images."""
        started = time.perf_counter()
        yield
        self._laps.append((time.perf_counter() - started, pictures))

    @property
    def pictures(self) -> int:
        return sum(count for _, count in self._laps)

    @property
    def seconds_per_picture(self) -> float:
        """NaN before anything was measured."""
        laps = self._laps[1:] or self._laps
        pictures = sum(count for _, count in laps)
        return sum(seconds for seconds, _ in laps) / pictures if pictures else math.nan
