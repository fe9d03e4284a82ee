"""Comparisons that survive a busy machine: both sides take turns, the median speaks."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar('T')


def take_turns(turns: Mapping[str, Callable[[], T]], *, rounds: int) -> dict[str, list[T]]:
    """Let every side work in turn, `rounds` times: A B A B, and B A in every other round.

    Args:
        turns: name -> work, which returns what it measured.
        rounds: at least 1.

    Returns:
        name -> one measurement per round.
    """
    if rounds < 1:
        raise ValueError(f'rounds must be at least 1, got {rounds}')
    measured: dict[str, list[T]] = {name: [] for name in turns}
    for number in range(rounds):
        order = list(turns) if number % 2 == 0 else list(reversed(turns))
        for name in order:
            measured[name].append(turns[name]())
    return measured


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Median over the rounds of the ratio within a round, so that slow drift cancels."""
    pairs = zip(numerators, denominators, strict=True)
    return statistics.median(above / below for above, below in pairs)


def mean_ms(work: Callable[[], object], *, runs: int) -> float:
    """Mean wall milliseconds of one call over `runs` calls."""
    start_secs = time.perf_counter()
    for _ in range(runs):
        work()
    return 1e3 * (time.perf_counter() - start_secs) / runs


def median_ms(work: Callable[[], object], *, runs: int) -> float:
    """Median wall milliseconds of one call; the first call does not count."""
    work()
    times_ms = [mean_ms(work, runs=1) for _ in range(runs)]
    return statistics.median(times_ms)
