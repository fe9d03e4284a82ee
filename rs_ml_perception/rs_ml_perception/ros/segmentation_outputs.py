"""What segmentation_node publishes. A result is the mask, uint8 (H, W)."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import Image

from rs_ml_msgs.msg import SegmentRegionArray
from rs_ml_perception.core.draw import overlay_mask, transparent_ids
from rs_ml_perception.ros.image_messages import image
from rs_ml_perception.ros.outputs import Output, OutputContext
from rs_ml_perception.ros.result_messages import segment_region_array


def _mask(mask: np.ndarray, context: OutputContext) -> Image:
    return image(mask, 'mono8', context.header)


def _annotated(mask: np.ndarray, context: OutputContext) -> Image:
    picture = overlay_mask(context.frame.rgb, mask, transparent=transparent_ids(context.labels))
    return image(picture, 'rgb8', context.header)


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
    Output('image_annotated', Image, _annotated, is_optional=True),
    Output('regions', SegmentRegionArray, _regions, is_optional=True),
)
