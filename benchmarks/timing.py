"""Comparisons that survive a busy machine: both sides alternate, and the median counts."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rs_ml_perception.core.errors import ConfigError

T = TypeVar('T')


@dataclass(frozen=True)
class Throughput:
    """Items (images, frames) per second of wall time, and milliseconds of CPU per item."""

    rate_hz: float
    cpu_ms: float


def alternate(works: Mapping[str, Callable[[], T]], *, rounds: int) -> dict[str, list[T]]:
    """Run all works `rounds` times, in reverse order every other round: A B, B A, A B.

    Args:
        works: name -> work, which returns its measurement.
        rounds: at least 1.

    Returns:
        name -> one measurement per round.

    Raises:
        ConfigError: there are no rounds.
    """
    if rounds < 1:
        raise ConfigError(f'rounds must be at least 1, got {rounds}')
    measured: dict[str, list[T]] = {name: [] for name in works}
    for number in range(rounds):
        for name in list(works)[:: -1 if number % 2 else 1]:
            measured[name].append(works[name]())
    return measured


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Median over the rounds of the ratio within a round, so that slow drift cancels."""
    pairs = zip(numerators, denominators, strict=True)
    return statistics.median(above / below for above, below in pairs)


def throughput(work: Callable[[], int]) -> Throughput:
    """Throughput of one call of `work`, which returns its number of items.

    CPU time is that of all threads of this process; it does not depend on other load.
    """
    start_secs, start_cpu_secs = time.perf_counter(), time.process_time()
    count = work()
    cpu_secs = time.process_time() - start_cpu_secs
    return Throughput(count / (time.perf_counter() - start_secs), 1e3 * cpu_secs / count)


def mean_ms(work: Callable[[], object], *, runs: int) -> float:
    """Mean wall milliseconds of one call over `runs` calls."""
    start_secs = time.perf_counter()
    for _ in range(runs):
        work()
    return 1e3 * (time.perf_counter() - start_secs) / runs


def median_ms(work: Callable[[], object], *, runs: int) -> float:
    """Median wall milliseconds of one call; the first call does not count."""
    work()
    return statistics.median(mean_ms(work, runs=1) for _ in range(runs))
