"""The bytes of a message field, whatever object a distribution hands out for uint8[].

That is array.array up to Kilted and mostly in Lyrical, numpy arrays from rosbags, and in Lyrical
rosidl_buffer.Buffer where the memory is a device's: it offers the buffer protocol (PEP 688) or,
in older versions, to_bytes() alone.
"""

from __future__ import annotations

from typing import Any

from rs_ml_perception.core.errors import InputError


def byte_view(data: Any) -> memoryview:
    """A flat view of bytes, without a copy where the object has the buffer protocol.

    Raises:
        InputError: the object gives no bytes.
    """
    try:
        view = memoryview(data)
    except TypeError:
        copied = getattr(data, 'to_bytes', None) or getattr(data, 'tobytes', None)
        if copied is None:
            kind = type(data).__name__
            raise InputError(f'data must be bytes, got {kind}: it gives none') from None
        view = memoryview(copied())
    if not view.nbytes or not view.c_contiguous:
        return memoryview(view.tobytes())
    return view.cast('B')
