"""Arrays to image, camera_info and point cloud messages, and outputs of annotated images.

An annotated image is drawn only while its raw or compressed topic is subscribed, once for both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2, PointField

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.projection import POINT_FIELDS
from rs_ml_perception.core.images.compressed import (
    CompressedBytes,
    encode_compressed_color,
    encode_compressed_gray,
)
from rs_ml_perception.ros.output.outputs import L, Output, OutputContext, P, R

ENCODINGS: dict[str, tuple[type[np.generic], int]] = {
    'rgb8': (np.uint8, 3),
    'mono8': (np.uint8, 1),
    '16UC1': (np.uint16, 1),
    '32FC1': (np.float32, 1),
}
"""Name -> dtype and number of channels."""

COMPRESSED = '/compressed'
"""Suffix of a compressed topic, as image_transport names it."""

JPEG_QUALITY = 80

Draw = Callable[[R, OutputContext[P, L]], np.ndarray | None]
"""(result, context) -> annotated image, None if this frame has none."""


def image(pixels: np.ndarray, encoding: str, header: Any) -> Image:
    """An image message.

    Args:
        pixels: (H, W) or (H, W, 3) of the encoding's dtype.
        encoding: a key of ENCODINGS.
        header: of the message.
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
    """A compressed image message."""
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
    """Fill a uint8[] field through its buffer; assigning an array to it is far slower."""
    msg.data.frombytes(np.ascontiguousarray(pixels).data.cast('B'))


def camera_info(camera: CameraModel, header: Any) -> CameraInfo:
    """The message of an image with these intrinsics: K and P agree, without ROI and binning."""
    info = CameraInfo(header=header, width=camera.width, height=camera.height)
    info.distortion_model = camera.distortion_model or 'plumb_bob'
    info.d = list(camera.distortion) or [0.0] * 5
    info.k = camera.matrix.ravel().tolist()
    info.r = np.eye(3).ravel().tolist()
    p = np.zeros((3, 4))
    p[:, :3] = camera.matrix
    info.p = p.ravel().tolist()
    return info


def color_outputs(topic: str, draw: Draw[R, P, L]) -> tuple[Output[R, P, L], Output[R, P, L]]:
    """The outputs of an image uint8 (H, W, 3): raw as rgb8, and as JPEG."""
    raw = Output(topic, Image, _raw(topic, draw, 'rgb8'), is_optional=True)
    return raw, compressed_output(topic, draw, _jpeg)


def gray_output(topic: str, draw: Draw[R, P, L]) -> Output[R, P, L]:
    """The output of an image uint8 (H, W) as lossless PNG."""
    return compressed_output(topic, draw, encode_compressed_gray)


def compressed_output(
    topic: str, draw: Draw[R, P, L], encode: Callable[[np.ndarray], CompressedBytes]
) -> Output[R, P, L]:
    """The output of the compressed image of a topic."""

    def make(result: R, context: OutputContext[P, L]) -> CompressedImage | None:
        pixels = _drawn(topic, draw, result, context)
        return None if pixels is None else compressed_image(encode(pixels), context.header)

    return Output(f'{topic}{COMPRESSED}', CompressedImage, make, is_optional=True)


def _raw(
    topic: str, draw: Draw[R, P, L], encoding: str
) -> Callable[[R, OutputContext[P, L]], Image | None]:
    def make(result: R, context: OutputContext[P, L]) -> Image | None:
        pixels = _drawn(topic, draw, result, context)
        return None if pixels is None else image(pixels, encoding, context.header)

    return make


def _drawn(
    topic: str, draw: Draw[R, P, L], result: R, context: OutputContext[P, L]
) -> np.ndarray | None:
    if topic not in context.drawn:
        context.drawn[topic] = draw(result, context)
    return context.drawn[topic]


def _jpeg(rgb: np.ndarray) -> CompressedBytes:
    return encode_compressed_color(rgb, JPEG_QUALITY)
