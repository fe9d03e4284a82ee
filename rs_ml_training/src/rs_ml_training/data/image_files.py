"""Image files as arrays, checked before they are decoded."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.files import read_regular
from rs_ml_perception.core.images.image_files import MAX_FILE_BYTES, decode_image

SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.webp', '.tif', '.tiff')
"""Of the image files that readers look for."""

_PNG_COLOR_TYPE = slice(25, 26)


class ImageFile(Protocol):
    """A path, or an image inside an archive; its text names it in errors."""

    @property
    def suffix(self) -> str: ...

    def read_bytes(self) -> bytes: ...


def read_rgb(path: ImageFile) -> np.ndarray:
    """Read a colour image, uint8 (H, W, 3) RGB.

    Raises:
        InputError: the file is missing or damaged.
    """
    return cv2.cvtColor(decoded(_bytes(path), cv2.IMREAD_COLOR, what=str(path)), cv2.COLOR_BGR2RGB)


def read_gray(path: ImageFile) -> np.ndarray:
    """Read an image as uint8 (H, W) gray.

    Of 16 bits the upper 8 count, unless they are 0 everywhere: Intel's tiles hold 0..255 in 16.

    Raises:
        InputError: the file is missing or damaged.
    """
    gray = decoded(_bytes(path), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH, what=str(path))
    if gray.dtype == np.uint16:
        gray = (gray >> 8 if gray.max() > 255 else gray).astype(np.uint8)
    if gray.dtype != np.uint8:
        raise InputError(f'{path} holds {gray.dtype}: gray is of 8 or 16 bits')
    return gray


def read_stored(path: ImageFile) -> np.ndarray:
    """Read a one-channel image with its values untouched, uint8 or uint16 or float32 (H, W).

    A PNG with a palette gives the indices; three equal channels count as one.

    Raises:
        InputError: the file is missing or damaged or has colours.
    """
    data = _bytes(path)
    if path.suffix.lower() == '.png' and data[_PNG_COLOR_TYPE] == b'\x03':
        return _indices(path, data)
    return _one_channel(path, decoded(data, cv2.IMREAD_UNCHANGED, what=str(path)))


def read_labels(path: ImageFile) -> np.ndarray:
    """Read class ids, uint8 (H, W).

    Raises:
        InputError: the file is missing, damaged, has colours or more than 8 bits.
    """
    stored = read_stored(path)
    if stored.dtype != np.uint8:
        raise InputError(f'{path} holds {stored.dtype}: class ids are 8-bit gray or palette PNG')
    return stored


def require_size(path: ImageFile, array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The array, if it is (width, height) large.

    Raises:
        InputError: it has another size than the image it belongs to.
    """
    height, width = array.shape[:2]
    if (width, height) != size:
        raise InputError(
            f'{path} is {width} x {height}, but its image is {size[0]} x {size[1]}: '
            'make them the same size'
        )
    return array


def decoded(data: bytes, flags: int, *, what: str) -> np.ndarray:
    """Decode an image file with the limits of the robot side; see `core.images.image_files`.

    Raises:
        InputError: no image, too large, truncated or damaged; the message begins with `what`.
    """
    try:
        return decode_image(data, flags, name=what)
    except InputError as error:
        raise InputError(f'{error}: fetch it again or remove it') from error


def _bytes(path: ImageFile) -> bytes:
    if isinstance(path, Path):
        return read_regular(path, max_bytes=MAX_FILE_BYTES)
    return path.read_bytes()


def _indices(path: ImageFile, data: bytes) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    decoded(data, cv2.IMREAD_UNCHANGED, what=str(path))  # for its checks
    try:
        return np.array(Image.open(io.BytesIO(data)))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise InputError(f'{path} is damaged: fetch it again or remove it ({error})') from error


def _one_channel(path: ImageFile, array: np.ndarray) -> np.ndarray:
    if array.ndim == 2:
        return array
    first = array[..., 0]
    if array.shape[2] < 3 or not (array[..., :3] == first[..., None]).all():
        raise InputError(f'{path} has colours: give one channel with the values themselves')
    return np.ascontiguousarray(first)
