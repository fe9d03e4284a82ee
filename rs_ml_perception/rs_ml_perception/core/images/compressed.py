"""sensor_msgs/CompressedImage: JPEG and PNG images, and the compressedDepth transport.

The layout is that of image_transport_plugins (compressed_image_transport,
compressed_depth_image_transport/src/codec.cpp): in front of compressed depth stand 12 bytes, an
int32 that means nothing today and two float32, A and B, of the inverse depth quantisation.

RVL is the lossless depth codec of A. Wilson, Fast Lossless Depth Image Compression, ISS 2017: runs
of zeros and of other values alternate. Each of the latter is stored as its difference to the one
before, all as numbers of 3 bits per nibble, lowest first; the top bit of a nibble says that more
follow. Eight nibbles fill a little-endian 32 bit word from its top.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.images.encodings import byte_view
from rs_ml_perception.core.images.image_files import check_pixels, decode_image

_PNG = b'\x89PNG\r\n\x1a\n'
_DEPTH_HEADER = struct.Struct('<iff')
_RVL_SIZE = struct.Struct('<II')
# A replay compresses thirty images a second.
_FAST_PNG: tuple[int, ...] = (cv2.IMWRITE_PNG_COMPRESSION, 1)
_SMALL_PNG: tuple[int, ...] = (cv2.IMWRITE_PNG_COMPRESSION, 9)
if hasattr(cv2, 'IMWRITE_PNG_FILTER'):
    # A matcher knows a few hundred depths: they repeat, and differences of their bytes do not.
    _SMALL_PNG += (cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE)


_MAX_NIBBLES = 11
"""Of one number of 32 bits."""


class CompressedBytes(NamedTuple):
    """The two fields of a sensor_msgs/CompressedImage apart from its header."""

    format: str
    data: bytes


def decode_compressed_color(format: str, data: Any) -> np.ndarray:
    """Decompress an image.

    Args:
        format: field of the message, for example 'rgb8; jpeg compressed bgr8' or 'jpeg'.
        data: JPEG, PNG, TIFF or WebP file, anything that `byte_view` takes.

    Returns:
        uint8 (H, W, 3), RGB.

    Raises:
        InputError: the data are depth, too large, truncated or no image.
    """
    if 'compressedDepth' in format or format.startswith(('16UC1', '32FC1')):
        raise InputError(
            f'compressed format {format!r} is depth, not colour: remap to a colour image topic'
        )
    # The orientation flag is ignored: camera_info describes the pixels as stored.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = _decode_image(format, _as_bytes(data), flags)
    # Some publishers store RGB where JPEG readers expect BGR, and name it in the format.
    if 'compressed rgb' in format:
        return pixels
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def encode_compressed_color(rgb: np.ndarray, quality: int = 90) -> CompressedBytes:
    """Compress uint8 (H, W, 3) RGB as JPEG, in the words of compressed_image_transport."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return CompressedBytes('rgb8; jpeg compressed bgr8', encoded.tobytes())


def encode_compressed_gray(gray: np.ndarray, quality: int | None = None) -> CompressedBytes:
    """Compress uint8 (H, W) in the words of compressed_image_transport.

    Args:
        gray: the image.
        quality: of JPEG, 1 to 100; None: PNG, without loss.
    """
    # That transport leaves the target format of grey empty, behind a space.
    if quality is None:
        return CompressedBytes('mono8; png compressed ', _encode_png(gray, _FAST_PNG))
    _, encoded = cv2.imencode('.jpg', gray, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return CompressedBytes('mono8; jpeg compressed ', encoded.tobytes())


def decode_compressed_depth(format: str, data: Any) -> DepthImage:
    """Decompress depth of the compressedDepth transport, or a bare 16 bit PNG.

    Args:
        format: field of the message, for example '16UC1; compressedDepth png'.
        data: header and PNG or RVL stream, anything that `byte_view` takes.

    Returns:
        16UC1 (and mono16): uint16 millimetres. 32FC1: float32 metres, NaN invalid.

    Raises:
        InputError: the data are no depth, truncated, or of an unknown codec.
    """
    encoding = format.split(';')[0].strip()
    if encoding not in ('16UC1', 'mono16', '32FC1'):
        raise InputError(
            f'compressed depth must be 16UC1 or 32FC1, got {format!r}: use the topic that ends in '
            'compressedDepth, and keep the parameter colorizer.enable of the driver false'
        )
    payload = _as_bytes(data)
    quant_a, quant_b = 0.0, 0.0
    if not payload.startswith(_PNG):
        quant_a, quant_b, payload = _split_header(format, payload)
    values = _decode_values(format, payload)
    if encoding != '32FC1':
        return DepthImage(values, 0.001)
    return DepthImage(_metres_from_inverse(values, quant_a, quant_b), 1.0)


def encode_compressed_depth(
    depth: DepthImage,
    *,
    codec: str = 'png',
    depth_max_m: float = 10.0,
    quantization: float = 100,
    smallest: bool = False,
) -> CompressedBytes:
    """Compress depth as compressed_depth_image_transport does.

    Args:
        depth: uint16 values are kept exactly; float32 metres become 16 bit inverse depth with
            steps of about depth_m ** 2 / quantization ** 2.
        codec: 'png' or 'rvl'.
        depth_max_m: float32 distances from here on are lost.
        quantization: of the inverse depth, as the transport's parameter of that name.
        smallest: whether a PNG may take its time for the sake of few bytes.
    """
    if codec not in ('png', 'rvl'):
        raise InputError(f'codec of compressed depth must be png or rvl, got {codec!r}')
    quant_a, quant_b, values, encoding = 0.0, 0.0, depth.values, '16UC1'
    if depth.values.dtype == np.float32:
        quant_a = quantization * (quantization + 1)
        quant_b = 1 - quant_a / depth_max_m
        values, encoding = _inverse(depth.depth_m, quant_a, quant_b, depth_max_m), '32FC1'
    header = _DEPTH_HEADER.pack(0, quant_a, quant_b)
    png_flags = _SMALL_PNG if smallest else _FAST_PNG
    body = _encode_png(values, png_flags) if codec == 'png' else _encode_rvl(values)
    return CompressedBytes(f'{encoding}; compressedDepth {codec}', header + body)


def _as_bytes(data: Any) -> bytes:
    return data if isinstance(data, bytes) else byte_view(data).tobytes()


def _decode_image(format: str, data: bytes, flags: int) -> np.ndarray:
    return decode_image(data, flags, name=f'compressed image of format {format!r}')


def _split_header(format: str, data: bytes) -> tuple[float, float, bytes]:
    if len(data) <= _DEPTH_HEADER.size:
        raise InputError(
            f'compressed depth of format {format!r} is truncated: expected more than the '
            f'{_DEPTH_HEADER.size} bytes of its header, got {len(data)}'
        )
    _, quant_a, quant_b = _DEPTH_HEADER.unpack_from(data)
    return quant_a, quant_b, data[_DEPTH_HEADER.size :]


def _decode_values(format: str, payload: bytes) -> np.ndarray:
    """uint16 (H, W) of the payload behind the header."""
    if 'rvl' in format.lower():
        if len(payload) < _RVL_SIZE.size:
            raise InputError(f'RVL depth is truncated: {len(payload)} bytes')
        width, height = _RVL_SIZE.unpack_from(payload)
        return decode_rvl(payload[_RVL_SIZE.size :], width=width, height=height)
    values = _decode_image(format, payload, cv2.IMREAD_UNCHANGED)
    if values.dtype != np.uint16 or values.ndim != 2:
        raise InputError(
            f'compressed depth of format {format!r} must hold one channel of uint16, '
            f'got {values.dtype} of shape {values.shape}'
        )
    return values


def _metres_from_inverse(inverse: np.ndarray, quant_a: float, quant_b: float) -> np.ndarray:
    if not quant_a > 0:
        raise InputError(f'inverse depth needs a positive quantisation, got A={quant_a}')
    with np.errstate(divide='ignore'):
        depth_m = np.float32(quant_a) / (inverse.astype(np.float32) - np.float32(quant_b))
    depth_m[inverse == 0] = np.nan
    return depth_m


def _inverse(
    depth_m: np.ndarray, quant_a: float, quant_b: float, depth_max_m: float
) -> np.ndarray:
    with np.errstate(invalid='ignore'):
        inverse = quant_a / depth_m + quant_b
        # Too near for 16 bits is invalid, as is too far.
        usable = (depth_m < depth_max_m) & (inverse <= np.iinfo(np.uint16).max)
    return np.where(usable, inverse, 0).astype(np.uint16)


def _encode_png(values: np.ndarray, flags: Sequence[int]) -> bytes:
    _, encoded = cv2.imencode('.png', np.ascontiguousarray(values), flags)
    return encoded.tobytes()


def _encode_rvl(values: np.ndarray) -> bytes:
    height, width = values.shape
    return _RVL_SIZE.pack(width, height) + encode_rvl(values)


def decode_rvl(stream: bytes, *, width: int, height: int) -> np.ndarray:
    """Decompress to uint16 (height, width).

    Raises:
        InputError: the stream ends early or holds more than the image.
    """
    check_pixels(width, height, name='RVL depth')
    pixels = width * height
    numbers = _numbers(_nibbles(stream))
    is_value, filled = _layout(numbers, pixels)
    steps = numbers[is_value]
    values = np.cumsum((steps >> 1) ^ -(steps & 1))
    depth = np.zeros(pixels, np.uint16)
    depth[filled] = values.astype(np.uint16)
    return depth.reshape(height, width)


def encode_rvl(values: np.ndarray) -> bytes:
    """Compress uint16 (H, W)."""
    flat = values.ravel()
    starts = np.flatnonzero(np.diff(flat != 0, prepend=False))
    if len(starts) % 2:
        starts = np.append(starts, len(flat))
    begins, ends = starts[::2], starts[1::2]
    zeros = begins - np.concatenate(([0], ends[:-1])) if len(begins) else begins
    deltas = np.diff(flat[flat != 0].astype(np.int64), prepend=0)
    at = np.cumsum(ends - begins) - (ends - begins)
    heads = np.stack([zeros, ends - begins], axis=1).ravel()
    numbers = np.insert((deltas << 1) ^ (deltas >> 63), np.repeat(at, 2), heads)
    rest = len(flat) - (ends[-1] if len(ends) else 0)
    return _pack(np.append(numbers, [rest, 0]) if rest else numbers)


def _nibbles(stream: bytes) -> np.ndarray:
    """uint8 (8 * words,), in the order of writing; a last incomplete word is dropped."""
    whole = len(stream) // 4 * 4
    octets = np.frombuffer(stream, np.uint8, whole).reshape(-1, 4)[:, ::-1].ravel()
    return np.stack([octets >> 4, octets & 15], axis=1).ravel()


def _numbers(nibbles: np.ndarray) -> np.ndarray:
    """int64 (N,), the variable-length numbers; padding nibbles come out as zeros."""
    ends = np.flatnonzero(nibbles < 8)
    lengths = np.diff(ends, prepend=-1)
    if len(ends) == 0 or lengths.max() > _MAX_NIBBLES:
        raise InputError('RVL depth is damaged or truncated: no number ends where it should')
    starts = ends - lengths + 1
    place = np.arange(ends[-1] + 1) - np.repeat(starts, lengths)
    bits = (nibbles[: ends[-1] + 1].astype(np.int64) & 7) << (3 * place)
    return np.add.reduceat(bits, starts)


def _layout(numbers: np.ndarray, pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """Separate values from run lengths.

    Returns:
        Two masks: bool (len(numbers),), which numbers are values, and bool (pixels,), which
        pixels they fill.
    """
    is_value, filled = np.zeros(len(numbers), bool), np.zeros(pixels, bool)
    at = pixel = 0
    while pixel < pixels:
        if at + 1 >= len(numbers):
            raise InputError(f'RVL depth is truncated: {pixel} of {pixels} pixels')
        zeros, others = int(numbers[at]), int(numbers[at + 1])
        begin, at = pixel + zeros, at + 2
        pixel = begin + others
        if pixel > pixels or at + others > len(numbers) or zeros + others == 0:
            raise InputError(f'RVL depth is damaged or truncated at pixel {begin} of {pixels}')
        is_value[at : at + others] = True
        filled[begin:pixel] = True
        at += others
    return is_value, filled


def _pack(numbers: np.ndarray) -> bytes:
    """Write numbers as nibbles, filled up with zeros to whole words."""
    place = np.arange(_MAX_NIBBLES)
    digits = numbers[:, None] >> (3 * place)
    used = (digits > 0) | (place == 0)
    more = (digits >> 3 > 0).astype(np.int64) << 3
    nibbles = ((digits & 7) | more)[used].astype(np.uint8)
    nibbles = np.pad(nibbles, (0, -len(nibbles) % 8)).reshape(-1, 4, 2)
    return (nibbles[..., 0] << 4 | nibbles[..., 1])[:, ::-1].tobytes()
