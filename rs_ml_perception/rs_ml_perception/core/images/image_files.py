"""Image files to pixels: every decoding of the package goes through here.

Format and size are read from the header before anything is decoded, since a header of a few bytes
may announce gigabytes; OpenCV would allocate them, and would fill up a truncated image with grey.
Layouts: ITU-T T.81 (JPEG), ISO/IEC 15948 (PNG), RFC 9649 (WebP), TIFF 6.0, and the BMP of Windows.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from rs_ml_perception.core.errors import InputError

MAX_PIXELS = 1 << 26
"""Of an image to decode: eight times a 4K image, far above any camera."""

JPEG_END = b'\xff\xd9'
_JPEG, _PNG, _PNG_END, _BMP = b'\xff\xd8', b'\x89PNG\r\n\x1a\n', b'IEND\xaeB`\x82', b'BM'
_TIFF_LITTLE, _TIFF_BIG = b'II*\0', b'MM\0*'

_SOF_SEQUENTIAL, _SOF_PROGRESSIVE, _SOS, _EOI = (0xC0, 0xC1), 0xC2, 0xDA, 0xD9
_SOF_UNSUPPORTED = {0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_WITHOUT_LENGTH = {0x00, 0x01, *range(0xD0, 0xD9)}

_TIFF_SIZES = {256: 'width', 257: 'height', 322: 'tile width', 323: 'tile height'}
_TIFF_TYPES = {3: 'H', 4: 'I'}


_MID_GREY, _SLACK = 128, 1

MAX_FILE_BYTES = 1 << 29
"""Of an image file: MAX_PIXELS uncompressed pixels of eight bytes."""

_PROBE = bytes(37 * i % 251 for i in range(256))
"""Bytes that change the output of any decoder: without 255, which begins a marker, and with a
leading 0, which turns a trailing 255 into a coded byte."""


@dataclass(frozen=True)
class ImageHeader:
    """The header of an image file.

    Attributes:
        format: 'JPEG', 'PNG', 'BMP', 'WebP' or 'TIFF'.
        width, height: stored pixels, before any rotation by an orientation flag.
        coded: byte offsets of the begin and the end of the coded pixels of a JPEG; else None.
        is_progressive: whether a JPEG has several scans over the whole image.
    """

    format: str
    width: int
    height: int
    coded: tuple[int, int] | None = None
    is_progressive: bool = False


def read_header(data: bytes) -> ImageHeader:
    """The header of an image file.

    Raises:
        InputError: the format is none of these, the header is damaged or the file lacks its end.
            The text continues a sentence that names the file: 'is truncated: ...'.
    """
    for start, read in _READERS.items():
        if data.startswith(start):
            try:
                return read(data)
            except (struct.error, IndexError) as error:
                raise InputError(f'is truncated: its {len(data)} bytes end early') from error
    raise InputError(
        f'is neither JPEG nor PNG, BMP, WebP or TIFF: {len(data)} bytes starting with {data[:8]!r}'
    )


def check_pixels(width: int, height: int, *, name: str) -> None:
    """Raise InputError unless an image of this size may be decoded."""
    if not 0 < width * height <= MAX_PIXELS:
        raise InputError(
            f'{name} has an impossible size of {width}x{height}: a pixel at least and '
            f'{MAX_PIXELS} at most are decoded; scale it down'
        )


def _jpeg(data: bytes) -> ImageHeader:
    """Walk the segments as libjpeg does, so that both find the same frame header."""
    frame: tuple[int, int, int] | None = None
    size = 0, 0
    at = len(_JPEG)
    while True:
        marker, at = _next_marker(data, at)
        if marker in _WITHOUT_LENGTH:
            continue
        if marker in _SOF_UNSUPPORTED or (marker == _EOI and frame is None):
            raise InputError('is damaged, or of a kind of JPEG that is not read')
        if marker == _EOI:
            break
        length = struct.unpack_from('>H', data, at)[0]
        if marker in (*_SOF_SEQUENTIAL, _SOF_PROGRESSIVE):
            frame = marker, at, length
            size = struct.unpack_from('>HH', data, at + 3)
        at += length
        if marker == _SOS:
            break
    return _scanned(data, frame, size, at)


def _next_marker(data: bytes, at: int) -> tuple[int, int]:
    """The next marker from an offset on, and the offset behind it; filling bytes are skipped."""
    at = data.find(b'\xff', at)
    if at < 0:
        raise IndexError
    while data[at] == 0xFF:
        at += 1
    return data[at], at + 1


def _scanned(
    data: bytes, frame: tuple[int, int, int] | None, size: tuple[int, int], scan: int
) -> ImageHeader:
    if frame is None:
        raise InputError('is damaged: its pixels come before their size')
    # Inside a scan the end marker cannot occur; thumbnails before it have one of their own.
    end = data.find(JPEG_END, scan)
    if end < 0:
        raise InputError(f'is truncated: no end marker in its {len(data)} bytes')
    marker, at, length = frame
    height, width = size
    is_progressive = marker == _SOF_PROGRESSIVE
    blocks = _blocks(data[at + 2 : at + length], width, height)
    # A block takes a bit of its mean and, unless later scans bring the rest, a bit that ends it.
    if 8 * (end - scan) < blocks * (1 if is_progressive else 2):
        raise InputError(
            f'is truncated: {end - scan} bytes cannot hold the pixels of {width}x{height}'
        )
    return ImageHeader('JPEG', width, height, (scan, end), is_progressive)


def _blocks(frame: bytes, width: int, height: int) -> int:
    """Blocks of 8x8 values that a frame header announces (T.81, A.1 and B.2.2)."""
    factors = [(f >> 4, f & 15) for f in frame[7 : 6 + 3 * frame[5] : 3]]
    most_x, most_y = (max((f[axis] for f in factors), default=1) or 1 for axis in (0, 1))
    return sum(-(-width * x // (8 * most_x)) * -(-height * y // (8 * most_y)) for x, y in factors)


def _png(data: bytes) -> ImageHeader:
    if data[12:16] != b'IHDR':
        raise InputError('is damaged: a PNG must begin with its size')
    width, height = struct.unpack_from('>II', data, 16)
    if data.find(_PNG_END, max(0, len(data) - 4096)) < 0:
        raise InputError(f'is truncated: no end marker in its {len(data)} bytes')
    return ImageHeader('PNG', width, height)


def _bmp(data: bytes) -> ImageHeader:
    is_old = struct.unpack_from('<I', data, 14)[0] == 12
    width, height = struct.unpack_from('<HH' if is_old else '<ii', data, 18)
    return ImageHeader('BMP', width, abs(height))


def _webp(data: bytes) -> ImageHeader:
    chunk = data[12:16]
    if data[8:12] != b'WEBP' or chunk not in (b'VP8 ', b'VP8L', b'VP8X'):
        raise InputError('is no WebP, or a damaged one')
    if len(data) < 8 + struct.unpack_from('<I', data, 4)[0]:
        raise InputError(f'is truncated: its {len(data)} bytes end early')
    if chunk == b'VP8 ':
        width, height = struct.unpack_from('<HH', data, 26)
        return ImageHeader('WebP', width & 0x3FFF, height & 0x3FFF)
    if chunk == b'VP8L':
        bits = struct.unpack_from('<I', data, 21)[0]
        return ImageHeader('WebP', 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    width, height = (int.from_bytes(data[i : i + 3], 'little') for i in (24, 27))
    return ImageHeader('WebP', 1 + width, 1 + height)


def _tiff(data: bytes) -> ImageHeader:
    """The first directory counts; of repeated entries the greatest value."""
    order = '<' if data.startswith(_TIFF_LITTLE) else '>'
    at = struct.unpack_from(f'{order}I', data, 4)[0]
    count = struct.unpack_from(f'{order}H', data, at)[0]
    found = dict.fromkeys(_TIFF_SIZES.values(), 0)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(f'{order}HHI', data, entry)
        if tag in _TIFF_SIZES and kind in _TIFF_TYPES and number == 1:
            value = struct.unpack_from(f'{order}{_TIFF_TYPES[kind]}', data, entry + 8)[0]
            found[_TIFF_SIZES[tag]] = max(value, found[_TIFF_SIZES[tag]])
        elif tag in _TIFF_SIZES:
            raise InputError(f'is damaged: its {_TIFF_SIZES[tag]} is no single number')
    width, height = found['width'], found['height']
    # A tile may be larger than the image and is decoded whole.
    if found['tile width'] * found['tile height'] > width * height:
        width, height = found['tile width'], found['tile height']
    return ImageHeader('TIFF', width, height)


_READERS: dict[bytes, Callable[[bytes], ImageHeader]] = {
    _JPEG: _jpeg,
    _PNG: _png,
    _BMP: _bmp,
    b'RIFF': _webp,
    _TIFF_LITTLE: _tiff,
    _TIFF_BIG: _tiff,
}


def decode_image(data: bytes, flags: int, *, name: str) -> np.ndarray:
    """Decode a whole image file.

    Args:
        data: the file.
        flags: of cv2.imdecode.
        name: of the file in messages, as 'image x.png'.

    Returns:
        Pixels as cv2.imdecode gives them.

    Raises:
        InputError: no image, larger than MAX_PIXELS, truncated or damaged.
    """
    try:
        header = read_header(data)
    except InputError as error:
        raise InputError(f'{name} {error}') from error
    check_pixels(header.width, header.height, name=name)
    pixels = _decoded(data, flags)
    if pixels is None or pixels.shape[0] * pixels.shape[1] > header.width * header.height:
        raise InputError(f'{name} is damaged ({len(data)} bytes)')
    if header.coded is not None and _ends_early(data, header, flags, pixels):
        raise InputError(f'{name} is truncated: its pixels end before the image does')
    return pixels


def _decoded(data: bytes, flags: int) -> np.ndarray | None:
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None


def _ends_early(data: bytes, header: ImageHeader, flags: int, pixels: np.ndarray) -> bool:
    """Whether a JPEG with an end marker lacks pixels in front of it.

    libjpeg leaves missing blocks at mid grey. An image may be that grey in a corner, so the
    proof is another decoding with more bytes before the end marker: whole pictures stay the same.
    Of progressive ones every block has been there once, so they are always asked.
    """
    if not (header.is_progressive or _has_grey_corner(pixels)):
        return False
    end = header.coded[1] if header.coded else len(data)
    probed = _decoded(data[:end] + _PROBE + data[end:], flags)
    return probed is None or not np.array_equal(probed, pixels)


def _has_grey_corner(pixels: np.ndarray) -> bool:
    """Whether the last block may be missing; an orientation flag puts it into any corner."""
    # Of a block of 8x8 that the border may cut; next to other blocks colour is blended.
    size = max(1, min(4, *((length - 1) % 8 for length in pixels.shape[:2])))
    ends = slice(size), slice(-size, None)
    corners = (pixels[rows, columns] for rows in ends for columns in ends)
    return any((np.abs(c.astype(np.int16) - _MID_GREY) <= _SLACK).all() for c in corners)
