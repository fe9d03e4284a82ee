"""Bytes of message fields, from whatever a distribution hands out."""

import array
import ctypes
import sys

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.images.byte_view import byte_view
from rs_ml_perception.core.images.compressed import decode_compressed_color
from rs_ml_perception.core.images.encodings import ImageFields, decode_color, decode_depth


class OnDevice:
    """As rosidl_buffer.Buffer began: metadata, and a way out."""

    def __init__(self, data):
        self._data = bytes(data)

    def __len__(self):
        return len(self._data)

    def to_bytes(self):
        return self._data


class Buffer(OnDevice):
    """As it is in Lyrical: the buffer protocol of PEP 688, which Python has from 3.12."""

    def __buffer__(self, flags):
        return memoryview(self._data)

    if sys.version_info >= (3, 12):
        to_bytes = None


KINDS = {
    'bytes': bytes,
    'bytearray': bytearray,
    'memoryview': memoryview,
    'array.array': lambda data: array.array('B', data),
    'numpy': lambda data: np.frombuffer(data, np.uint8),
    'ctypes': lambda data: (ctypes.c_char * len(data)).from_buffer_copy(data),
    'device': OnDevice,
    'rosidl buffer': Buffer,
    'every second': lambda data: memoryview(bytes(b for v in data for b in (v, 0)))[::2],
}


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('data', [b'', b'\x00', bytes(range(256))])
def test_bytes_are_found(kind, data):
    view = byte_view(KINDS[kind](data))
    assert (view.format, view.ndim, view.tobytes()) == ('B', 1, data)


def test_nothing_is_copied_where_it_need_not_be():
    data = bytearray(10)
    view = byte_view(data)
    data[3] = 7
    assert view[3] == 7


@pytest.mark.parametrize('data', [[1, 2], 'text', None, 5.0])
def test_what_gives_no_bytes_is_rejected(data):
    with pytest.raises(InputError, match='data must be bytes, got'):
        byte_view(data)


@pytest.mark.parametrize('kind', KINDS)
def test_images_of_every_kind_are_decoded(kind):
    rgb = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    make = KINDS[kind]
    found = decode_color(ImageFields('rgb8', 6, 4, 18, make(rgb.tobytes())))
    np.testing.assert_array_equal(found, rgb)
    depth = decode_depth(ImageFields('16UC1', 9, 4, 18, make(rgb.tobytes())))
    np.testing.assert_array_equal(depth.values, rgb.reshape(4, 18).view(np.uint16))
    png = cv2.imencode('.png', rgb[..., ::-1])[1].tobytes()
    np.testing.assert_array_equal(decode_compressed_color('png', make(png)), rgb)
