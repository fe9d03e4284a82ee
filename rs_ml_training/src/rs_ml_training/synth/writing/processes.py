"""Work spread over processes that do not disturb each other."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from rs_ml_training.errors import ConfigError

T = TypeVar('T')
R = TypeVar('R')

_THREADS = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')


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
        with _one_thread_each():
            results = pool.map(work, items)
        try:
            yield from results
        finally:
            # After an error nobody wants what waits.
            pool.shutdown(cancel_futures=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """BLAS libraries read their number of threads when they are loaded."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, '1'))
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
