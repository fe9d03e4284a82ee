"""Freed memory is used again, whatever a library has set."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

pytest.importorskip('keras')

from rs_ml_training.data import sequence

resource = pytest.importorskip('resource')


def _fresh_pages(count: int = 20) -> int:
    """Pages that arrays of 1 MiB fetch from the system, each freed before the next."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(count):
        np.full(1 << 20, 1, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_arrays_get_the_memory_of_earlier_ones():
    if not sequence.keep_freed_memory():
        pytest.skip('no glibc')
    libc = ctypes.CDLL('libc.so.6')
    assert libc.mallopt(-1, 128 << 10)
    assert libc.mallopt(-3, 128 << 10)
    without = _fresh_pages()
    if not without:
        pytest.skip('this system does not count pages')
    assert sequence.keep_freed_memory()
    np.full(1 << 20, 1, np.uint8)
    assert _fresh_pages() < without / 10


def test_without_glibc_nothing_happens(monkeypatch):
    monkeypatch.setattr(sequence, '_mallopt', lambda: None)
    assert not sequence.keep_freed_memory()
