"""What segmentation_node publishes. A result is the mask, uint8 (H, W)."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import Image

from rs_ml_msgs.msg import SegmentRegionArray
from rs_ml_perception.core.drawing.annotations import overlay_mask, transparent_ids
from rs_ml_perception.ros.image_messages import image
from rs_ml_perception.ros.outputs import Output, OutputContext
from rs_ml_perception.ros.picture_outputs import color_outputs, gray_output
from rs_ml_perception.ros.result_messages import segment_region_array


def _mask(mask: np.ndarray, context: OutputContext) -> Image:
    return image(mask, 'mono8', context.header)


def _ids(mask: np.ndarray, _: OutputContext) -> np.ndarray:
    return mask


def _annotated(mask: np.ndarray, context: OutputContext) -> np.ndarray:
    return overlay_mask(context.frame.rgb, mask, transparent=transparent_ids(context.labels))


def _regions(mask: np.ndarray, context: OutputContext) -> SegmentRegionArray:
    regions = context.pipeline.regions(mask, context.frame)
    return segment_region_array(
        regions,
        context.labels,
        header=context.header,
        target=context.target,
        depth_skew_ms=context.frame.depth_skew_ms,
    )


OUTPUTS = (
    Output('mask', Image, _mask),
    gray_output('mask', _ids),
    *color_outputs('image_annotated', _annotated),
    Output('regions', SegmentRegionArray, _regions, is_optional=True),
)
