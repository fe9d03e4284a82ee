"""Table tests of compressed pictures and compressed depth."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.images.compressed import (
    decode_compressed_color,
    decode_compressed_depth,
    decode_rvl,
    encode_compressed_color,
    encode_compressed_depth,
    encode_compressed_gray,
    encode_rvl,
)
from rs_ml_perception.core.images.depth import DepthImage


def smooth_rgb():
    y, x = np.mgrid[0:48, 0:64]
    return np.stack([4 * x, 5 * y, 255 - 2 * x - 2 * y], axis=2).astype(np.uint8)


def depth_mm(seed=3, shape=(48, 64)):
    rng = np.random.default_rng(seed)
    values = rng.integers(300, 9000, shape, dtype=np.uint16)
    values[rng.random(shape) < 0.3] = 0
    return values


RGB = smooth_rgb()
MM = DepthImage(depth_mm(), 0.001)
METRES = DepthImage(np.where(depth_mm() == 0, np.nan, depth_mm() / 1000).astype(np.float32), 1.0)


def png(image):
    return cv2.imencode('.png', image)[1].tobytes()


@pytest.mark.parametrize('holder', [bytes, bytearray, lambda b: np.frombuffer(b, np.uint8)])
def test_jpeg_keeps_the_colours(holder):
    compressed = encode_compressed_color(RGB, 95)
    assert compressed.format == 'rgb8; jpeg compressed bgr8'
    rgb = decode_compressed_color(compressed.format, holder(compressed.data))
    assert rgb.shape == RGB.shape
    assert np.abs(rgb.astype(int) - RGB).max() < 25
    assert np.abs(rgb.astype(int) - RGB).mean() < 3


@pytest.mark.parametrize(
    ('format', 'stored', 'expected'),
    [
        ('png', RGB[..., ::-1], RGB),
        ('rgb8; png compressed bgr8', RGB[..., ::-1], RGB),
        ('rgb8; png compressed rgb8', RGB, RGB),
        ('mono8; png compressed mono8', RGB[..., 0], np.repeat(RGB[..., :1], 3, 2)),
    ],
)
def test_png_channel_order(format, stored, expected):
    rgb = decode_compressed_color(format, png(np.ascontiguousarray(stored)))
    np.testing.assert_array_equal(rgb, expected)


@pytest.mark.parametrize(
    ('format', 'data', 'message'),
    [
        ('jpeg', b'', 'neither JPEG nor PNG, BMP, WebP or TIFF: 0 bytes'),
        ('jpeg', b'abcdefghij', 'neither JPEG nor PNG, .*: 10 bytes'),
        ('jpeg', encode_compressed_color(RGB).data[:-2], 'truncated'),
        ('jpeg', encode_compressed_color(RGB).data[:500], 'truncated'),
        ('png', png(RGB)[:-10], 'truncated'),
        ('jpeg', b'\xff\xd8' + bytes(40) + b'\xff\xd9', 'damaged'),
        ('16UC1; compressedDepth png', png(depth_mm()), 'is depth, not colour'),
        ('16UC1; png compressed ', png(depth_mm()), 'is depth, not colour'),
    ],
)
def test_bad_image_is_rejected(format, data, message):
    with pytest.raises(InputError, match=message):
        decode_compressed_color(format, data)


def test_grey_is_kept_exactly():
    compressed = encode_compressed_gray(RGB[..., 0])
    assert compressed.format == 'mono8; png compressed '
    rgb = decode_compressed_color(*compressed)
    np.testing.assert_array_equal(rgb, np.repeat(RGB[..., :1], 3, 2))


@pytest.mark.parametrize('suffix', ['.tif', '.webp', '.bmp'])
def test_other_image_formats(suffix):
    _, file = cv2.imencode(suffix, RGB[..., ::-1])
    rgb = decode_compressed_color('bgr8; tiff compressed bgr8', file.tobytes())
    np.testing.assert_array_equal(rgb, RGB)


@pytest.mark.parametrize('codec', ['png', 'rvl'])
def test_millimetres_are_kept_exactly(codec):
    compressed = encode_compressed_depth(MM, codec=codec)
    assert compressed.format == f'16UC1; compressedDepth {codec}'
    depth = decode_compressed_depth(*compressed)
    np.testing.assert_array_equal(depth.values, MM.values)
    assert depth.metres_per_unit == 0.001


@pytest.mark.parametrize('codec', ['png', 'rvl'])
def test_metres_are_kept_as_finely_as_inverse_depth_allows(codec):
    compressed = encode_compressed_depth(METRES, codec=codec)
    assert compressed.format == f'32FC1; compressedDepth {codec}'
    depth = decode_compressed_depth(*compressed)
    assert depth.values.dtype == np.float32
    expected = METRES.values
    np.testing.assert_array_equal(np.isnan(depth.values), np.isnan(expected))
    valid = np.isfinite(expected)
    step_m = expected[valid] ** 2 / 1e4
    assert (np.abs(depth.values[valid] - expected[valid]) <= step_m + 1e-5).all()


@pytest.mark.parametrize(('depth_m', 'survives'), [(0.0, False), (0.2, True), (10.5, False)])
def test_metres_beyond_the_range_are_invalid(depth_m, survives):
    depth = DepthImage(np.full((2, 2), depth_m, np.float32), 1.0)
    decoded = decode_compressed_depth(*encode_compressed_depth(depth))
    assert np.isfinite(decoded.values).all() == survives


@pytest.mark.parametrize(
    'format', ['16UC1; compressedDepth', '16UC1', '16UC1; png compressed ', 'mono16; png']
)
def test_bare_png_needs_no_header(format):
    depth = decode_compressed_depth(format, png(MM.values))
    np.testing.assert_array_equal(depth.values, MM.values)


def test_content_of_the_header_is_ignored():
    data = struct.pack('<iff', 1, 5.0, 6.0) + png(MM.values)
    depth = decode_compressed_depth('16UC1; compressedDepth png', data)
    np.testing.assert_array_equal(depth.values, MM.values)


RVL = encode_compressed_depth(MM, codec='rvl')
PNG = encode_compressed_depth(MM)


@pytest.mark.parametrize(
    ('format', 'data', 'message'),
    [
        (PNG.format, b'', 'truncated: expected more than the 12 bytes of its header, got 0'),
        (PNG.format, PNG.data[:12], 'got 12'),
        (PNG.format, PNG.data[:500], 'truncated'),
        (PNG.format, PNG.data[:12] + png(RGB), 'one channel of uint16, got uint8'),
        (RVL.format, RVL.data[:15], 'truncated'),
        (RVL.format, RVL.data[:40], 'truncated'),
        (RVL.format, RVL.data[:-4], 'truncated'),
        (RVL.format, RVL.data[:12] + struct.pack('<II', 0, 5) + bytes(8), 'size of 0x5'),
        (RVL.format, RVL.data[:12] + struct.pack('<II', 1 << 31, 9) + bytes(8), 'impossible'),
        (RVL.format, RVL.data[:20] + b'\xff' * 400, 'damaged'),
        ('32FC1; compressedDepth png', PNG.data, 'positive quantisation, got A=0'),
        ('32FC1; compressedDepth png', png(MM.values), 'positive quantisation'),
        ('rgb8; jpeg compressed bgr8', PNG.data, r'colorizer\.enable'),
        ('', PNG.data, 'must be 16UC1 or 32FC1'),
    ],
)
def test_bad_depth_is_rejected(format, data, message):
    with pytest.raises(InputError, match=message):
        decode_compressed_depth(format, data)


def test_unknown_codec_is_rejected():
    with pytest.raises(InputError, match="png or rvl, got 'zip'"):
        encode_compressed_depth(MM, codec='zip')


@pytest.mark.parametrize(
    'values',
    [
        np.zeros((3, 5), np.uint16),
        np.full((3, 5), 65535, np.uint16),
        np.array([[0, 0, 7, 8, 0, 0]], np.uint16),
        np.array([[65535, 1, 0, 65535, 0, 1]], np.uint16),
        np.array([[5]], np.uint16),
        depth_mm(9, (97, 61)),
    ],
)
def test_rvl_round_trip(values):
    height, width = values.shape
    decoded = decode_rvl(encode_rvl(values), width=width, height=height)
    np.testing.assert_array_equal(decoded, values)


def plain_rvl(values):
    """The paper's listing, word for word in Python."""
    nibbles, previous, at = [], 0, 0
    flat = [int(v) for v in values.ravel()]

    def write(number):
        while True:
            nibble, number = number & 7, number >> 3
            nibbles.append(nibble | (8 if number else 0))
            if not number:
                return

    while at < len(flat):
        run = [0, 0]
        for kind in (0, 1):
            while at + sum(run) < len(flat) and bool(flat[at + sum(run)]) == bool(kind):
                run[kind] += 1
            write(run[kind])
        at += run[0]
        for value in flat[at : at + run[1]]:
            delta, previous = value - previous, value
            write((delta << 1) ^ (delta >> 31))
        at += run[1]
    nibbles += [0] * (-len(nibbles) % 8)
    words = [nibbles[i : i + 8] for i in range(0, len(nibbles), 8)]
    return b''.join(struct.pack('<I', int(''.join(f'{n:x}' for n in w), 16)) for w in words)


@pytest.mark.parametrize('seed', [1, 2])
def test_rvl_writes_the_bytes_of_the_paper(seed):
    values = depth_mm(seed, (13, 17))
    assert encode_rvl(values) == plain_rvl(values)


def test_orientation_flag_does_not_turn_the_pixels(tmp_path: Path):
    jpeg = encode_compressed_color(RGB).data
    exif = bytes.fromhex('45786966000049492a00080000000100120103000100000006000000') + bytes(4)
    turned = jpeg[:2] + b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif + jpeg[2:]
    (tmp_path / 'turned.jpg').write_bytes(turned)
    assert cv2.imread(str(tmp_path / 'turned.jpg')).shape == (64, 48, 3)
    assert decode_compressed_color('jpeg', turned).shape == (48, 64, 3)
