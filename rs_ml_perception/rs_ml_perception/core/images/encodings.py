"""From the bytes of a sensor_msgs/Image to arrays, without cv_bridge.

Encoding names are those of sensor_msgs/image_encodings.hpp. The silent traps of cv_bridge (views
that change the message, depth that is not scaled, buffers of the wrong size) are errors or absent
here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.images.depth import DepthImage

# Bytes per pixel and OpenCV's conversion to RGB; None: RGB already. OpenCV names a Bayer pattern
# by its second row, ROS by its first. 8UC1 and 8UC3 state no colours: grey and OpenCV's BGR.
_COLOR: dict[str, tuple[int, int | None]] = {
    'rgb8': (3, None),
    'bgr8': (3, cv2.COLOR_BGR2RGB),
    '8UC3': (3, cv2.COLOR_BGR2RGB),
    'rgba8': (4, cv2.COLOR_RGBA2RGB),
    'bgra8': (4, cv2.COLOR_BGRA2RGB),
    '8UC4': (4, cv2.COLOR_BGRA2RGB),
    'mono8': (1, cv2.COLOR_GRAY2RGB),
    '8UC1': (1, cv2.COLOR_GRAY2RGB),
    'mono16': (2, cv2.COLOR_GRAY2RGB),
    'yuv422': (2, cv2.COLOR_YUV2RGB_UYVY),
    'uyvy': (2, cv2.COLOR_YUV2RGB_UYVY),
    'yuv422_yuy2': (2, cv2.COLOR_YUV2RGB_YUY2),
    'yuyv': (2, cv2.COLOR_YUV2RGB_YUY2),
    'bayer_rggb8': (1, cv2.COLOR_BayerBG2RGB),
    'bayer_bggr8': (1, cv2.COLOR_BayerRG2RGB),
    'bayer_gbrg8': (1, cv2.COLOR_BayerGR2RGB),
    'bayer_grbg8': (1, cv2.COLOR_BayerGB2RGB),
}
_YUV422 = {'yuv422', 'uyvy', 'yuv422_yuy2', 'yuyv'}
# Element type and metres per unit: realsense2_camera's millimetres, REP-118's metres.
_DEPTH: dict[str, tuple[type, float]] = {
    '16UC1': (np.uint16, 0.001),
    'mono16': (np.uint16, 0.001),
    '32FC1': (np.float32, 1.0),
}
# Bytes per pixel. 16 bit: the Y16 of the driver, whose ten bits stand at the upper end.
_INFRARED: dict[str, int] = {'mono8': 1, '8UC1': 1, 'mono16': 2, '16UC1': 2}


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


@dataclass(frozen=True, eq=False)
class ImageFields:
    """A sensor_msgs/Image without its header.

    Attributes:
        encoding: name.
        width, height: of the image [px].
        step: bytes from one row to the next, padding included.
        data: of step * height bytes, anything that `byte_view` takes.
        is_bigendian: byte order of values of more than one byte.
    """

    encoding: str
    width: int
    height: int
    step: int
    data: Any
    is_bigendian: bool = False


def is_fast_path(encoding: str) -> bool:
    """Whether `decode_color` or `decode_depth` supports the encoding."""
    return encoding in _COLOR or encoding in _DEPTH


def decode_color(image: ImageFields) -> np.ndarray:
    """A colour or grey image as RGB.

    Args:
        image: of an encoding of colour or grey; 16UC1 and 32FC1 are depth and refused.

    Returns:
        uint8 (height, width, 3), contiguous. Packed rgb8 is a read-only view of the data.

    Raises:
        InputError: encoding, step or size of the data do not fit.
    """
    encoding = image.encoding
    if encoding not in _COLOR:
        raise InputError(_not_color(encoding))
    pixel_bytes, conversion = _COLOR[encoding]
    if encoding in _YUV422 and image.width % 2:
        raise InputError(f'{encoding} holds pixels in pairs, got an odd width of {image.width}')
    rows = _rows(image, pixel_bytes)
    if encoding == 'mono16':
        values = _elements(rows, np.uint16, image.is_bigendian)
        rows = cv2.convertScaleAbs(values, alpha=255 / 65535)
    pixels = rows.reshape(image.height, image.width, -1)
    return pixels if conversion is None else cv2.cvtColor(pixels, conversion)


def decode_depth(image: ImageFields) -> DepthImage:
    """A depth image.

    The unit follows the encoding: 16UC1 (and mono16) millimetres, 32FC1 metres.

    Args:
        image: of the encoding 16UC1, mono16 or 32FC1.

    Returns:
        Values in native byte order; a read-only view of the data where no byte has to move.

    Raises:
        InputError: encoding, step or size of the data do not fit.
    """
    if image.encoding not in _DEPTH:
        raise InputError(_not_depth(image.encoding))
    dtype, metres_per_unit = _DEPTH[image.encoding]
    rows = _rows(image, np.dtype(dtype).itemsize)
    return DepthImage(_elements(rows, dtype, image.is_bigendian), metres_per_unit)


def decode_infrared(image: ImageFields) -> np.ndarray:
    """An infrared image as brightness.

    Args:
        image: of the encoding mono8, 8UC1, mono16 or 16UC1; of 16 bit the upper 8 count.

    Returns:
        uint8 (height, width), contiguous and read-only; a view of packed 8 bit.

    Raises:
        InputError: encoding, step or size of the data do not fit.
    """
    encoding = image.encoding
    if encoding not in _INFRARED:
        raise InputError(
            f'infrared encoding {encoding!r} is not supported: use one of {_names(_INFRARED)}'
        )
    pixel_bytes = _INFRARED[encoding]
    rows = _rows(image, pixel_bytes)
    if pixel_bytes == 2:
        rows = (_elements(rows, np.uint16, image.is_bigendian) >> 8).astype(np.uint8)
        rows.flags.writeable = False
    return rows


def _rows(image: ImageFields, pixel_bytes: int) -> np.ndarray:
    """uint8 (height, width * pixel_bytes), contiguous and read-only, padding removed."""
    encoding, width, height, step = image.encoding, image.width, image.height, image.step
    if width <= 0 or height <= 0:
        raise InputError(f'image size must be positive, got {width}x{height}')
    row_bytes = width * pixel_bytes
    if step < row_bytes:
        raise InputError(
            f'step of a {encoding} image {width} pixels wide must be at least {row_bytes}, '
            f'got {step}: the publisher fills the message wrongly'
        )
    data = byte_view(image.data)
    size = data.nbytes
    if size != step * height:
        raise InputError(
            f'a {encoding} image of {width}x{height} with step {step} must have {step * height} '
            f'bytes, got {size}: the message is truncated or its fields are wrong'
        )
    rows = np.frombuffer(data, np.uint8).reshape(height, step)[:, :row_bytes]
    rows = np.ascontiguousarray(rows)
    rows.flags.writeable = False
    return rows


def _elements(rows: np.ndarray, dtype: type, is_bigendian: bool) -> np.ndarray:
    """View bytes (height, row_bytes) as native (height, width) elements."""
    stored = np.dtype(dtype).newbyteorder('>' if is_bigendian else '<')
    values = np.require(rows.view(stored), dtype, ('C', 'A'))
    values.flags.writeable = False
    return values


def _not_color(encoding: str) -> str:
    if encoding in _DEPTH:
        return f'{encoding} is depth, not colour: remap the input to a colour image topic'
    return f'colour encoding {encoding!r} is not supported: use one of {_names(_COLOR)}'


def _not_depth(encoding: str) -> str:
    if encoding in _COLOR and _COLOR[encoding][0] >= 3:
        return (
            f'depth must be 16UC1 or 32FC1, got the colour encoding {encoding}: the driver paints '
            'depth as a colour image while its parameter colorizer.enable is true, set it to false'
        )
    return f'depth encoding {encoding!r} is not supported: use one of {_names(_DEPTH)}'


def _names(table: Iterable[str]) -> str:
    return ', '.join(table)
