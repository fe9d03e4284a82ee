"""Arrays to sensor_msgs/Image and PointCloud2, without a copy more than rclpy needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from sensor_msgs.msg import CompressedImage, Image, PointCloud2, PointField

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.projection import POINT_FIELDS
from rs_ml_perception.core.images.compressed import CompressedBytes

ENCODINGS = {'rgb8': (np.uint8, 3), 'mono8': (np.uint8, 1), '16UC1': (np.uint16, 1)}
ENCODINGS['32FC1'] = (np.float32, 1)


def image(pixels: np.ndarray, encoding: str, header: Any) -> Image:
    """One image message.

    Args:
        pixels: (H, W) or (H, W, 3) of the encoding's dtype.
        encoding: a key of ENCODINGS.
        header: taken over as it is.
    """
    dtype, channels = ENCODINGS[encoding]
    wanted = pixels.shape[:2] if channels == 1 else (*pixels.shape[:2], channels)
    if pixels.dtype != dtype or pixels.shape != wanted:
        raise ValueError(f'{encoding} needs {dtype.__name__} {wanted}, got {pixels.dtype}')
    msg = Image(header=header, height=pixels.shape[0], width=pixels.shape[1], encoding=encoding)
    msg.step = pixels.shape[1] * channels * pixels.itemsize
    _fill(msg, pixels)
    return msg


def depth_to_uint16_mm(depth_m: np.ndarray) -> np.ndarray:
    """Metres (NaN invalid) to millimetres (0 invalid, also beyond 65.535 m), rounded."""
    depth_mm = np.rint(depth_m * 1000.0)
    depth_mm[~((depth_mm > 0) & (depth_mm <= 65535))] = 0
    return depth_mm.astype(np.uint16)


def depth_image(depth_m: np.ndarray, encoding: str, header: Any) -> Image:
    """float32 metres with NaN as '32FC1' or '16UC1' (REP-118)."""
    if encoding == '16UC1':
        return image(depth_to_uint16_mm(depth_m), '16UC1', header)
    if encoding != '32FC1':
        raise InputError(f'depth cannot be published as {encoding!r}: use 32FC1 or 16UC1')
    return image(depth_m, '32FC1', header)


def compressed_image(compressed: CompressedBytes, header: Any) -> CompressedImage:
    """One compressed picture, the header taken over as it is."""
    msg = CompressedImage(header=header, format=compressed.format)
    msg.data.frombytes(compressed.data)
    return msg


def point_cloud(points: np.ndarray, header: Any) -> PointCloud2:
    """An organised cloud of core.geometry.projection.packed_points, float32 (H, W, 4)."""
    height, width = points.shape[:2]
    msg = PointCloud2(header=header, height=height, width=width, is_dense=False)
    msg.fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate(POINT_FIELDS)
    ]
    msg.point_step = 4 * len(POINT_FIELDS)
    msg.row_step = msg.point_step * width
    _fill(msg, points)
    return msg


def _fill(msg: Any, pixels: np.ndarray) -> None:
    """The only quick way into a uint8[] field: through the buffer of the array that is there."""
    msg.data.frombytes(memoryview(np.ascontiguousarray(pixels)).cast('B'))
