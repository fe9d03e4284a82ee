"""Table tests of the Image decoding."""

import array
import ctypes
import sys

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.images.compressed import decode_compressed_color
from rs_ml_perception.core.images.encodings import (
    ImageFields,
    byte_view,
    decode_color,
    decode_depth,
    decode_infrared,
    is_fast_path,
)

RNG = np.random.default_rng(7)
RGB = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)
ALPHA = np.full((6, 8, 1), 9, np.uint8)
GREY = RGB[..., 0]
DEPTH_MM = RNG.integers(0, 9000, (6, 8), dtype=np.uint16)
DEPTH_M = np.where(DEPTH_MM == 0, np.nan, DEPTH_MM / 1000).astype(np.float32)
GREY_AS_RGB = np.repeat(GREY[..., None], 3, axis=2)
GREY16 = GREY.astype(np.uint16) * 257


def fields_of(stored_as, image, **changes):
    height, width = image.shape[:2]
    fields = {
        'encoding': stored_as,
        'width': width,
        'height': height,
        'step': image.nbytes // height,
        'data': image.tobytes(),
    }
    return ImageFields(**{**fields, **changes})


@pytest.mark.parametrize(
    ('encoding', 'stored', 'expected'),
    [
        ('rgb8', RGB, RGB),
        ('bgr8', RGB[..., ::-1], RGB),
        ('8UC3', RGB[..., ::-1], RGB),
        ('rgba8', np.concatenate([RGB, ALPHA], 2), RGB),
        ('bgra8', np.concatenate([RGB[..., ::-1], ALPHA], 2), RGB),
        ('8UC4', np.concatenate([RGB[..., ::-1], ALPHA], 2), RGB),
        ('mono8', GREY, GREY_AS_RGB),
        ('8UC1', GREY, GREY_AS_RGB),
        ('mono16', GREY16, GREY_AS_RGB),
    ],
)
def test_color_is_exact(encoding, stored, expected):
    rgb = decode_color(fields_of(encoding, np.ascontiguousarray(stored)))
    assert rgb.dtype == np.uint8
    np.testing.assert_array_equal(rgb, expected)


# Red, green and blue as BT.601 luma and chroma in the limited range.
@pytest.mark.parametrize(
    ('y', 'u', 'v', 'expected'),
    [(82, 90, 240, (255, 0, 0)), (145, 54, 34, (0, 255, 0)), (41, 240, 110, (0, 0, 255))],
)
@pytest.mark.parametrize(
    ('encoding', 'order'),
    [('yuyv', 'yuyv'), ('yuv422_yuy2', 'yuyv'), ('uyvy', 'uyvy'), ('yuv422', 'uyvy')],
)
def test_yuv_order(encoding, order, y, u, v, expected):
    pair = np.array([{'y': y, 'u': u, 'v': v}[c] for c in order], np.uint8)
    rgb = decode_color(ImageFields(encoding, 4, 2, step=8, data=np.tile(pair, 4)))
    np.testing.assert_allclose(rgb, np.broadcast_to(expected, (2, 4, 3)), atol=2)


@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg', 'grbg'])
@pytest.mark.parametrize('channel', [0, 1, 2])
def test_bayer_pattern_names_the_first_row(pattern, channel):
    color = np.zeros(3, np.uint8)
    color[channel] = 200
    tile = np.array(['rgb'.index(c) for c in pattern]).reshape(2, 2)
    mosaic = color[np.tile(tile, (8, 8))]
    rgb = decode_color(fields_of(f'bayer_{pattern}8', mosaic))
    np.testing.assert_array_equal(rgb[4:-4, 4:-4].reshape(-1, 3), np.tile(color, (64, 1)))


@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8', 'mono8'])
def test_row_padding_is_removed(encoding):
    stored = GREY if encoding == 'mono8' else RGB
    rows = stored.reshape(6, -1)
    padded = np.pad(rows, ((0, 0), (0, 5)), constant_values=77)
    fields = fields_of(encoding, stored, step=padded.shape[1], data=padded.tobytes())
    expected = decode_color(fields_of(encoding, stored))
    np.testing.assert_array_equal(decode_color(fields), expected)


@pytest.mark.parametrize('holder', [bytes, bytearray, memoryview, lambda b: array.array('B', b)])
def test_packed_rgb_is_a_read_only_view(holder):
    data = holder(RGB.tobytes())
    rgb = decode_color(fields_of('rgb8', RGB, data=data))
    assert np.shares_memory(rgb, np.frombuffer(data, np.uint8))
    with pytest.raises(ValueError, match='read-only'):
        rgb[0, 0, 0] = 1


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'data': b''}, 'must have 144 bytes, got 0'),
        ({'data': bytes(143)}, 'must have 144 bytes, got 143'),
        ({'data': bytes(145)}, 'must have 144 bytes, got 145'),
        ({'step': 23}, 'at least 24, got 23'),
        ({'step': 0}, 'at least 24, got 0'),
        ({'width': 0}, 'positive, got 0x6'),
        ({'height': 0}, 'positive, got 8x0'),
        ({'encoding': '16UC1'}, '16UC1 is depth, not colour'),
        ({'encoding': '32FC1'}, '32FC1 is depth, not colour'),
        ({'encoding': 'rgb16'}, "'rgb16' is not supported: use one of rgb8, bgr8"),
        ({'encoding': ''}, 'is not supported'),
        ({'encoding': 'yuyv', 'width': 7}, 'odd width of 7'),
    ],
)
def test_bad_color_is_rejected(changes, message):
    with pytest.raises(InputError, match=message):
        decode_color(fields_of('rgb8', RGB, **changes))


@pytest.mark.parametrize('big_endian', [False, True])
@pytest.mark.parametrize('padding', [0, 1, 6])
@pytest.mark.parametrize(
    ('encoding', 'stored'), [('16UC1', DEPTH_MM), ('mono16', DEPTH_MM), ('32FC1', DEPTH_M)]
)
def test_depth_in_metres(encoding, stored, padding, big_endian):
    order = '>' if big_endian else '<'
    octets = stored.astype(stored.dtype.newbyteorder(order)).view(np.uint8)
    padded = np.pad(octets, ((0, 0), (0, padding)), constant_values=201)
    depth = decode_depth(
        ImageFields(encoding, 8, 6, padded.shape[1], padded.tobytes(), is_bigendian=big_endian)
    )
    assert depth.values.dtype == stored.dtype
    assert depth.values.dtype.isnative
    np.testing.assert_array_equal(depth.values, stored)
    np.testing.assert_allclose(depth.depth_m, DEPTH_M, rtol=1e-6)


def test_depth_of_the_native_order_is_a_read_only_view():
    assert sys.byteorder == 'little'
    data = bytearray(DEPTH_MM.tobytes())
    depth = decode_depth(fields_of('16UC1', DEPTH_MM, data=data))
    assert np.shares_memory(depth.values, np.frombuffer(data, np.uint8))
    assert not depth.values.flags.writeable


def test_unaligned_data_come_out_aligned():
    data = memoryview(b'\0' + DEPTH_MM.tobytes())[1:]
    depth = decode_depth(fields_of('16UC1', DEPTH_MM, data=data))
    assert depth.values.flags.aligned
    np.testing.assert_array_equal(depth.values, DEPTH_MM)


@pytest.mark.parametrize(
    ('encoding', 'message'),
    [
        ('rgb8', r'colorizer\.enable'),
        ('bgr8', r'colorizer\.enable'),
        ('mono8', "'mono8' is not supported: use one of 16UC1"),
        ('64FC1', "'64FC1' is not supported"),
    ],
)
def test_bad_depth_encoding_is_rejected(encoding, message):
    with pytest.raises(InputError, match=message):
        decode_depth(fields_of(encoding, RGB))


def test_truncated_depth_is_rejected():
    with pytest.raises(InputError, match='must have 96 bytes, got 95'):
        decode_depth(fields_of('16UC1', DEPTH_MM, data=DEPTH_MM.tobytes()[:-1]))


@pytest.mark.parametrize(
    ('encoding', 'expected'),
    [('', False), ('rgb8', True), ('32FC1', True), ('yuyv', True), ('bayer_gbrg16', False)],
)
def test_is_fast_path(encoding, expected):
    assert is_fast_path(encoding) is expected


@pytest.mark.parametrize(
    ('encoding', 'dtype', 'value'),
    [
        ('mono8', np.uint8, 77),
        ('8UC1', np.uint8, 77),
        ('mono16', np.uint16, (77 << 8) + 200),
        ('16UC1', np.uint16, 77 << 8),
    ],
)
@pytest.mark.parametrize('padding', [0, 4])
def test_infrared_is_brightness_of_eight_bit(encoding, dtype, value, padding):
    values = np.full((3, 5), value, dtype)
    rows = np.pad(values.view(np.uint8), ((0, 0), (0, padding)))
    found = decode_infrared(ImageFields(encoding, 5, 3, rows.shape[1], rows.tobytes()))
    assert (found.shape, found.dtype, found.flags.writeable) == ((3, 5), np.uint8, False)
    assert (found == 77).all()


@pytest.mark.parametrize(
    ('encoding', 'step', 'said'),
    [('rgb8', 15, "infrared encoding 'rgb8'"), ('mono8', 4, 'must be at least 5')],
)
def test_other_encodings_are_not_infrared(encoding, step, said):
    with pytest.raises(InputError, match=said):
        decode_infrared(ImageFields(encoding, 5, 3, step, bytes(45)))


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
def test_objects_without_bytes_are_rejected(data):
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
