"""Picture files: sizes are known before decoding, and only whole pictures count."""

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
)
from rs_ml_perception.core.images.image_files import MAX_PIXELS, decode_image, read_header

import rs_ml_perception

NOISE = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
RGB = cv2.resize(NOISE, (161, 123), interpolation=cv2.INTER_CUBIC)
GREY = RGB[..., 0]
FLAT = np.full((48, 64, 3), 128, np.uint8)
PROGRESSIVE = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
RESTARTS = [cv2.IMWRITE_JPEG_RST_INTERVAL, 5]
HUGE = 60_000


def encoded(suffix, pixels=RGB, options=()):
    return cv2.imencode(suffix, pixels, list(options))[1].tobytes()


def big_endian_tiff(width, height, *more):
    entries = [(256, 3, width << 16), (257, 4, height), *more]
    rows = b''.join(struct.pack('>HHII', tag, kind, 1, value) for tag, kind, value in entries)
    return b'MM\0*' + struct.pack('>IH', 8, len(entries)) + rows + bytes(200)


def resized(data, width, height):
    """The JPEG with another size in its frame header."""
    at = data.index(b'\xff\xc0') + 5
    return data[:at] + struct.pack('>HH', height, width) + data[at + 4 :]


@pytest.mark.parametrize(
    ('data', 'format', 'size'),
    [
        (encoded('.jpg'), 'JPEG', (161, 123)),
        (encoded('.jpg', GREY), 'JPEG', (161, 123)),
        (encoded('.jpg', options=PROGRESSIVE), 'JPEG', (161, 123)),
        (encoded('.jpg', RGB[:1, :1]), 'JPEG', (1, 1)),
        (encoded('.png'), 'PNG', (161, 123)),
        (encoded('.bmp'), 'BMP', (161, 123)),
        (encoded('.webp'), 'WebP', (161, 123)),
        (encoded('.webp', options=[cv2.IMWRITE_WEBP_QUALITY, 50]), 'WebP', (161, 123)),
        (encoded('.tif'), 'TIFF', (161, 123)),
        (encoded('.tif', GREY.astype(np.float32)), 'TIFF', (161, 123)),
        (big_endian_tiff(7, 5), 'TIFF', (7, 5)),
    ],
)
def test_size_stands_in_the_header(data, format, size):
    header = read_header(data)
    assert (header.format, header.width, header.height) == (format, *size)


def test_an_upside_down_bmp_has_a_height():
    data = encoded('.bmp')
    data = data[:22] + struct.pack('<i', -123) + data[26:]
    assert read_header(data).height == 123


def test_extended_webp_has_the_size_of_its_canvas():
    chunk = b'VP8X' + struct.pack('<I', 10) + bytes(4) + bytes([160, 0, 0, 122, 0, 0])
    data = b'RIFF' + struct.pack('<I', len(chunk) + 4) + b'WEBP' + chunk
    assert (read_header(data).width, read_header(data).height) == (161, 123)


PNG, BMP = encoded('.png'), encoded('.bmp')
BOMBS = {
    'jpeg': resized(encoded('.jpg'), HUGE, HUGE),
    'jpeg of few bytes': resized(encoded('.jpg'), 8000, 8000),
    'progressive': encoded('.jpg', options=PROGRESSIVE).replace(
        struct.pack('>HH', 123, 161), struct.pack('>HH', 60000, 60000), 1
    ),
    'no rows': resized(encoded('.jpg'), 161, 0),
    'png': PNG[:16] + struct.pack('>II', HUGE, HUGE) + PNG[24:],
    'png without columns': PNG[:16] + struct.pack('>II', 0, 5) + PNG[24:],
    'bmp': BMP[:18] + struct.pack('<ii', HUGE, HUGE) + BMP[26:],
    'webp': b'RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0' + bytes(4) + b'\xff' * 6,
    'tiff': big_endian_tiff(HUGE, HUGE),
    'tile of a tiff': big_endian_tiff(8, 8, (322, 4, HUGE), (323, 4, HUGE)),
}


@pytest.mark.parametrize('name', BOMBS)
def test_gigabytes_are_refused_before_decoding(name, monkeypatch):
    monkeypatch.setattr(cv2, 'imdecode', lambda *_: pytest.fail('was decoded'))
    with pytest.raises(InputError, match=r'^it (has an impossible size|is truncated)'):
        decode_image(BOMBS[name], cv2.IMREAD_COLOR, name='it')


@pytest.mark.parametrize('format', ['jpeg', 'png'])
def test_messages_have_the_same_limits(format):
    with pytest.raises(InputError, match=f"format '{format}' (has|is)"):
        decode_compressed_color(format, BOMBS[format])


def test_compressed_depth_has_the_same_limits():
    with pytest.raises(InputError, match='impossible size of 60000x60000'):
        decode_compressed_depth('16UC1; compressedDepth png', bytes(12) + BOMBS['png'])
    rvl = struct.pack('<II', HUGE, HUGE) + bytes(8)
    with pytest.raises(InputError, match='RVL depth has an impossible size of 60000x60000'):
        decode_compressed_depth('16UC1; compressedDepth rvl', bytes(12) + rvl)
    with pytest.raises(InputError, match='impossible size'):
        decode_rvl(b'', width=MAX_PIXELS + 1, height=1)


@pytest.mark.parametrize('kept', [0.0, 0.05, 0.3, 0.6, 0.9, 0.97])
@pytest.mark.parametrize('options', [[], PROGRESSIVE, RESTARTS], ids=['', 'progressive', 'rst'])
@pytest.mark.parametrize('pixels', [RGB, GREY], ids=['rgb', 'grey'])
def test_a_jpeg_that_ends_early_is_rejected_although_it_has_an_end_marker(pixels, options, kept):
    data = encoded('.jpg', pixels, options)
    begin, end = read_header(data).coded
    cut = begin + int(kept * (end - begin))
    with pytest.raises(InputError, match=r'it is (truncated|damaged)'):
        decode_image(data[:cut] + data[end:], cv2.IMREAD_COLOR, name='it')


@pytest.mark.parametrize('options', [[], PROGRESSIVE, RESTARTS], ids=['', 'progressive', 'rst'])
def test_a_jpeg_may_end_early_in_the_middle_of_an_escaped_byte(options):
    data = encoded('.jpg', GREY, options)
    begin, end = read_header(data).coded
    cut = data.index(b'\xff\x00', begin + 100) + 1
    with pytest.raises(InputError, match=r'it is (truncated|damaged)'):
        decode_image(data[:cut] + data[end:], cv2.IMREAD_COLOR, name='it')


@pytest.mark.parametrize('options', [[], PROGRESSIVE, RESTARTS], ids=['', 'progressive', 'rst'])
@pytest.mark.parametrize('pixels', [RGB, GREY, FLAT, FLAT[:1, :1]])
@pytest.mark.parametrize('more', [b'', bytes(500), b'\xff\xda more \xff'])
def test_whole_images_of_any_colour_are_read(pixels, options, more):
    data = encoded('.jpg', pixels, options) + more
    assert decode_image(data, cv2.IMREAD_COLOR, name='it').shape[:2] == pixels.shape[:2]


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_image():
    data = encoded('.jpg')
    thumbnail = b'\xff\xe1' + struct.pack('>H', 2 + 20) + b'Exif\0\0' + bytes(12) + b'\xff\xd9'
    with_one = data[:2] + thumbnail + data[2:]
    assert decode_image(with_one, cv2.IMREAD_COLOR, name='it').shape == RGB.shape
    with pytest.raises(InputError, match='no end marker'):
        decode_image(with_one[:-2], cv2.IMREAD_COLOR, name='it')


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.bmp', '.webp', '.tif'])
@pytest.mark.parametrize('kept', [0, 1, 10, 25, 0.5, -1])
def test_any_other_cut_is_rejected(suffix, kept):
    data = encoded(suffix)
    cut = data[: int(kept * len(data)) if isinstance(kept, float) else kept]
    with pytest.raises(InputError, match=r'^it is (truncated|damaged|neither|no WebP)'):
        decode_image(cut, cv2.IMREAD_COLOR, name='it')


@pytest.mark.parametrize('data', [b'GIF89a' + bytes(50), b'\0\0\0\x0cjP  \r\n', b'v/1\x01', b'P6'])
def test_formats_whose_size_is_unknown_are_not_decoded(data, monkeypatch):
    monkeypatch.setattr(cv2, 'imdecode', lambda *_: pytest.fail('was decoded'))
    with pytest.raises(InputError, match='is neither JPEG nor PNG, BMP, WebP or TIFF'):
        decode_image(data, cv2.IMREAD_COLOR, name='it')


@pytest.mark.parametrize('marker', [b'\xff\xc3', b'\xff\xc9'])
def test_lossless_and_arithmetic_jpegs_are_refused(marker):
    data = encoded('.jpg').replace(b'\xff\xc0', marker)
    with pytest.raises(InputError, match='of a kind of JPEG that is not read'):
        decode_image(data, cv2.IMREAD_COLOR, name='it')


def test_no_other_module_decodes_images():
    package = Path(rs_ml_perception.__file__).parent
    doors = ('imdecode(', 'imread(', 'Image.open(', 'fromfile(')
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob('*.py')
        if any(door in path.read_text() for door in doors)
    }
    assert found == {'core/images/image_files.py'}
