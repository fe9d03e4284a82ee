"""Memory of arrays that come and go by the thousand."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_BYTES = 32 << 20


def keep_freed_memory() -> bool:
    """Let the next array have the memory of the last one instead of fetching it from the system.

    By itself the C library comes to do so after the first large arrays. TensorFlow's datasets of
    Python generators, on which `keras.Model.fit` builds, forbid it: each large array is then
    fresh pages, which the system must clear, and decoding and augmenting take 1.7 times as long.
    The limits set here are those at which the C library would arrive. To be called after
    TensorFlow has set its own, so before every batch; it takes about a microsecond.

    Returns:
        Whether it could be asked for; only glibc has it.
    """
    mallopt = _mallopt()
    if mallopt is None:
        return False
    return bool(
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_BYTES)
        and mallopt(_M_TRIM_THRESHOLD, 2 * _LARGEST_BYTES)
    )


@functools.cache
def _mallopt() -> Callable[[int, int], int] | None:
    try:
        return ctypes.CDLL('libc.so.6').mallopt
    except (OSError, AttributeError):
        return None
