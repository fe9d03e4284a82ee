"""Work spread over processes that do not disturb each other."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from rs_ml_perception.core.errors import ConfigError

T = TypeVar('T')
R = TypeVar('R')

_THREADS = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')
_KEEPING = {
    'hugetlb': 1,
    'top_pad': 64 << 20,
    'mmap_threshold': 1 << 30,
    'trim_threshold': 1 << 30,
}
"""For glibc: keep the memory of an image for the next one. New pages cost more than most of what
is done to them. Other C libraries do not know the variable."""


def spread(work: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Results in the order of the items; every process uses a single thread.

    Products of many small matrices, of which rendering is full, take four times as long when a
    BLAS library divides each of them between threads, and may round differently.

    Args:
        work: must be picklable.
        items: to work on.
        workers: processes.

    Raises:
        ConfigError: no processes.
    """
    if workers < 1:
        raise ConfigError(f'{workers} workers are not possible: give 1 or more')
    # A fork would copy locks that threads of this process hold.
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        with _environment():
            results = pool.map(work, items)
        try:
            yield from results
        finally:
            # After an error the waiting work is not needed.
            pool.shutdown(cancel_futures=True)


@contextmanager
def _environment() -> Iterator[None]:
    """Environment of processes started inside: C libraries read it when they are loaded."""
    tunables = ':'.join(f'glibc.malloc.{name}={value}' for name, value in _KEEPING.items())
    # A value that the user has set stays.
    wanted = dict.fromkeys(_THREADS, '1')
    wanted['GLIBC_TUNABLES'] = os.environ.get('GLIBC_TUNABLES', tunables)
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _one_thread() -> None:
    import cv2

    cv2.setNumThreads(1)
