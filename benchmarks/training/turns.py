"""Comparisons that survive a busy machine: all take turns, the median speaks."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rs_ml_perception.core.errors import ConfigError
from rs_ml_training.data.sample import Arrays

Batch = tuple[Arrays, Arrays]
Epoch = Callable[[], Iterable[Batch]]
"""Gives the batches of one pass over the data, each time it is called."""


@dataclass(frozen=True)
class Row:
    """One contestant.

    Attributes:
        section: what was raced.
        name: of the contestant.
        images_per_s: median over the rounds.
        ratio: to the first contestant of the section, median of the ratios within a round.
        cpu_ms: of all threads for an image, median over the rounds; it hides other load.
    """

    section: str
    name: str
    images_per_s: float
    ratio: float
    cpu_ms: float


def race(
    section: str,
    contestants: Mapping[str, Callable[[], int]],
    rounds: int,
    *,
    is_warm: bool = False,
) -> list[Row]:
    """Let every contestant work in turn, forwards and backwards in alternating rounds.

    Args:
        section: name of the race.
        contestants: name -> work that returns how many images it did; the first is the measure.
        rounds: that count.
        is_warm: whether caches are filled and graphs traced; else a turn of each does not count.

    Raises:
        ConfigError: there are no rounds.
    """
    if rounds < 1:
        raise ConfigError(f'{rounds} rounds measure nothing: give 1 or more')
    for work in () if is_warm else contestants.values():
        work()
    laps: dict[str, list[_Lap]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name in list(contestants)[:: -1 if number % 2 else 1]:
            laps[name].append(_lap(contestants[name]))
    base = next(iter(laps.values()), [])
    return [_row(section, name, own, base) for name, own in laps.items()]


def images_of(epoch: Epoch) -> int:
    """Run through the batches of an epoch and count their images."""
    return sum(batch_images(batch) for batch in epoch())


def batch_images(batch: Batch) -> int:
    """How many images a batch has."""
    return len(next(iter(batch[0].values())))


@dataclass(frozen=True)
class _Lap:
    rate: float
    cpu_ms: float


def _lap(work: Callable[[], int]) -> _Lap:
    start_s, start_cpu_s = time.perf_counter(), time.process_time()
    images = work()
    cpu_s, took_s = time.process_time() - start_cpu_s, time.perf_counter() - start_s
    return _Lap(images / took_s, 1e3 * cpu_s / images)


def _row(section: str, name: str, own: list[_Lap], base: list[_Lap]) -> Row:
    ratios = [mine.rate / first.rate for mine, first in zip(own, base, strict=True)]
    rate, cpu_ms = (statistics.median(getattr(lap, n) for lap in own) for n in ('rate', 'cpu_ms'))
    return Row(section, name, rate, statistics.median(ratios), cpu_ms)
