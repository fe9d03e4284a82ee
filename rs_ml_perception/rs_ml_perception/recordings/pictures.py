"""Picture files: colour as RGB, depth as it was stored."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from rs_ml_perception.core.depth import DepthImage
from rs_ml_perception.core.errors import ConfigError, InputError

PICTURE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
DEPTH_SUFFIXES = ('.png', '.tif', '.tiff')

_JPEG, _JPEG_SCAN, _JPEG_END = b'\xff\xd8', b'\xff\xda', b'\xff\xd9'
_PNG, _PNG_END = b'\x89PNG', b'IEND'


def read_color(path: Path) -> np.ndarray:
    """Read a picture, turned upright as its EXIF data say.

    Returns:
        uint8 (H, W, 3), RGB.

    Raises:
        InputError: no picture, damaged or truncated.
    """
    pixels = _decode(path, cv2.IMREAD_COLOR)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def read_depth(path: Path, *, metres_per_unit: float = 0.001) -> DepthImage:
    """Read a depth picture of 8 or 16 bit, 0 invalid.

    Args:
        path: PNG or TIFF with one channel.
        metres_per_unit: distance of a value of 1.

    Raises:
        InputError: no picture of depth, damaged or truncated.
    """
    values = _decode(path, cv2.IMREAD_UNCHANGED)
    if values.ndim != 2 or values.dtype not in (np.uint8, np.uint16, np.float32):
        raise InputError(
            f'{path} is no depth: expected one channel of 8 or 16 bit or float32, '
            f'got {values.dtype} of shape {values.shape}'
        )
    if values.dtype == np.uint8:
        values = values.astype(np.uint16)
    return DepthImage(values, metres_per_unit)


def read_gray(path: Path) -> np.ndarray:
    """Read a picture as brightness, the upper 8 bit of 16.

    Returns:
        uint8 (H, W).

    Raises:
        InputError: no picture, damaged or truncated.
    """
    return _decode(path, cv2.IMREAD_GRAYSCALE)


def write_picture(path: Path, pixels: np.ndarray) -> None:
    """Write RGB (H, W, 3) or one channel (H, W) of uint8 or uint16.

    Raises:
        ConfigError: the file cannot be written.
    """
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    _, encoded = cv2.imencode(path.suffix, bgr)
    try:
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise ConfigError(f'{path} cannot be written: {error}') from error


def _decode(path: Path, flags: int) -> np.ndarray:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}') from error
    if _is_truncated(data):
        raise InputError(f'{path} is truncated: its {len(data)} bytes lack the end marker')
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    if pixels is None:
        raise InputError(f'{path} is no picture, or damaged ({len(data)} bytes)')
    return pixels


def _is_truncated(data: bytes) -> bool:
    """Whether the file breaks off; decoders fill up what is missing with grey."""
    if data.startswith(_JPEG):
        # Inside a scan the end marker cannot occur, but thumbnails before it have one.
        return data.rfind(_JPEG_END) < data.rfind(_JPEG_SCAN)
    return data.startswith(_PNG) and _PNG_END not in data[-4096:]
