"""What mono_depth_node publishes. A result is a DepthEstimate."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from rs_ml_perception.core.drawing.colormap import colorize_depth
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.projection import packed_points
from rs_ml_perception.ros.camera_info import camera_info
from rs_ml_perception.ros.image_messages import depth_image, point_cloud
from rs_ml_perception.ros.outputs import Output, OutputContext
from rs_ml_perception.ros.picture_outputs import color_outputs


def _depth(estimate: Any, context: OutputContext) -> Image:
    return depth_image(estimate.depth_m, context.parameters.output_encoding, context.header)


def _info(estimate: Any, context: OutputContext) -> CameraInfo | None:
    if estimate.camera is None:
        return None
    return camera_info(estimate.camera, context.header)


def _color(estimate: Any, _: OutputContext) -> np.ndarray:
    return colorize_depth(estimate.depth_m)


def _points(estimate: Any, context: OutputContext) -> PointCloud2:
    if estimate.camera is None:
        raise InputError('points need color/camera_info: none has come yet')
    height, width = estimate.depth_m.shape
    rgb = context.frame.rgb
    if rgb.shape[:2] != (height, width):
        rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    return point_cloud(packed_points(estimate.depth_m, estimate.camera, rgb), context.header)


def _wants_points(parameters: Any) -> bool:
    return parameters.publish_points


OUTPUTS = (
    Output('depth/image', Image, _depth),
    Output('depth/camera_info', CameraInfo, _info),
    *color_outputs('depth/image_color', _color),
    Output('points', PointCloud2, _points, is_optional=True, is_enabled=_wants_points),
)
