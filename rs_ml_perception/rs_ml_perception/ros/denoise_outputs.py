"""What denoise_node publishes. A result is a DenoisedDepth."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from sensor_msgs.msg import CameraInfo, Image

from rs_ml_perception.ros.camera_info import camera_info
from rs_ml_perception.ros.image_messages import depth_image, image
from rs_ml_perception.ros.outputs import Output, OutputContext

AS_INPUT = 'input'
ENCODINGS = (AS_INPUT, '16UC1', '32FC1')
"""Values of the parameter output_encoding."""


def _encoding(context: OutputContext) -> str:
    chosen = context.parameters.output_encoding
    if chosen != AS_INPUT:
        return chosen
    return '16UC1' if context.frame.depth.values.dtype == np.uint16 else '32FC1'


def _depth(result: Any, context: OutputContext) -> Image:
    return depth_image(result.depth_m, _encoding(context), context.header)


def _info(_: Any, context: OutputContext) -> CameraInfo | None:
    if context.frame.camera is None:
        return None
    return camera_info(context.frame.camera, context.header)


def _confidence(result: Any, context: OutputContext) -> Image:
    """255 is certain."""
    levels = cv2.convertScaleAbs(result.confidence, alpha=255)
    return image(levels, 'mono8', context.header)


OUTPUTS = (
    Output('depth/image_rect_raw', Image, _depth),
    Output('depth/camera_info', CameraInfo, _info),
    Output('depth/confidence', Image, _confidence, is_optional=True),
)
