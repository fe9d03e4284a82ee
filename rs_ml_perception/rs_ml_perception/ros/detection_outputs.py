"""What detection_node publishes."""

from __future__ import annotations

from typing import Any

import numpy as np
from visualization_msgs.msg import MarkerArray

from rs_ml_msgs.msg import DetectionArray
from rs_ml_perception.core.drawing.annotations import annotate_detections
from rs_ml_perception.ros import vision_messages
from rs_ml_perception.ros.markers import detection_markers
from rs_ml_perception.ros.outputs import Output, OutputContext
from rs_ml_perception.ros.picture_outputs import color_outputs
from rs_ml_perception.ros.result_messages import detection_array


def _detections(result: Any, context: OutputContext) -> DetectionArray:
    height, width = context.frame.rgb.shape[:2]
    return detection_array(
        result.detections,
        result.placements,
        context.labels,
        header=context.header,
        image_size=(width, height),
        model=context.model,
        target=context.target,
        depth_skew_ms=context.frame.depth_skew_ms,
    )


def _annotated(result: Any, context: OutputContext) -> np.ndarray:
    return annotate_detections(
        context.frame.rgb, result.detections, context.labels, result.placements
    )


def _markers(result: Any, context: OutputContext) -> MarkerArray:
    return detection_markers(
        result.detections,
        result.placements,
        context.labels,
        header=context.header,
        target=context.target,
    )


def _vision_2d(result: Any, context: OutputContext) -> Any:
    return vision_messages.detections_2d(result.detections, context.labels, header=context.header)


def _vision_3d(result: Any, context: OutputContext) -> Any:
    return vision_messages.detections_3d(
        result.detections,
        result.placements,
        context.labels,
        header=context.header,
        target=context.target,
    )


def _wants_vision(parameters: Any) -> bool:
    return parameters.publish_vision_msgs


OUTPUTS = (
    Output('detections', DetectionArray, _detections),
    *color_outputs('image_annotated', _annotated),
    Output('markers', MarkerArray, _markers, is_optional=True),
    Output(
        'vision/detections',
        lambda: vision_messages.vision_msgs().Detection2DArray,
        _vision_2d,
        is_optional=True,
        is_enabled=_wants_vision,
    ),
    Output(
        'vision/detections_3d',
        lambda: vision_messages.vision_msgs().Detection3DArray,
        _vision_3d,
        is_optional=True,
        is_enabled=_wants_vision,
    ),
)
