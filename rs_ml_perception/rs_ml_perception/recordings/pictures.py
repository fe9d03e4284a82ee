"""Image files: colour as RGB, depth as stored."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.files import read_regular
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.images.image_files import MAX_FILE_BYTES, decode_image

PICTURE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
DEPTH_SUFFIXES = ('.png', '.tif', '.tiff')
MILLIMETRE = 0.001
FARTHEST_M = 100.0
"""The median of a depth image is below it."""


def read_color(path: Path) -> np.ndarray:
    """Read an image, rotated by its EXIF orientation.

    Returns:
        uint8 (H, W, 3), RGB.

    Raises:
        InputError: it is not an image, damaged or truncated.
    """
    pixels = _decode(path, cv2.IMREAD_COLOR)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def read_depth(path: Path, *, metres_per_unit: float | None = None) -> DepthImage:
    """Read a depth image of 8 or 16 bit, 0 invalid, or of float32, NaN invalid.

    Args:
        path: PNG or TIFF with one channel.
        metres_per_unit: distance of a value of 1; None: a millimetre in whole numbers, a metre
            in float32, as in ROS (REP-118).

    Raises:
        InputError: it is not a depth image, damaged, truncated, or float32 but not in metres.
    """
    values = _decode(path, cv2.IMREAD_UNCHANGED)
    if values.ndim != 2 or values.dtype not in (np.uint8, np.uint16, np.float32):
        raise InputError(
            f'{path} is no depth: expected one channel of 8 or 16 bit or float32, '
            f'got {values.dtype} of shape {values.shape}'
        )
    if values.dtype == np.uint8:
        values = values.astype(np.uint16)
    if metres_per_unit is not None:
        return DepthImage(values, metres_per_unit)
    if values.dtype == np.float32:
        _check_metres(path, values)
    return DepthImage(values, 1.0 if values.dtype == np.float32 else MILLIMETRE)


def _check_metres(path: Path, values: np.ndarray) -> None:
    depth = values[np.isfinite(values) & (values > 0)]
    if depth.size and np.median(depth) > FARTHEST_M:
        raise InputError(
            f'{path} holds float32 around {np.median(depth):.0f}, which are taken for metres: '
            'pass --depth-unit METRES, 0.001 for millimetres'
        )


def read_gray(path: Path) -> np.ndarray:
    """Read an image as brightness, the upper 8 bit of 16.

    Returns:
        uint8 (H, W).

    Raises:
        InputError: it is not an image, damaged or truncated.
    """
    return _decode(path, cv2.IMREAD_GRAYSCALE)


def write_picture(path: Path, pixels: np.ndarray) -> None:
    """Write RGB (H, W, 3) or one channel (H, W) of uint8 or uint16.

    Raises:
        ConfigError: the file cannot be written.
    """
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    try:
        _, encoded = cv2.imencode(path.suffix, bgr)
    except cv2.error as error:
        raise ConfigError(
            f'{path} cannot be written: give it an ending such as .png or .jpg'
        ) from error
    try:
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise ConfigError(f'{path} cannot be written: {error}') from error


def _decode(path: Path, flags: int) -> np.ndarray:
    data = read_regular(path, max_bytes=MAX_FILE_BYTES)
    return decode_image(data, flags, name=str(path))
