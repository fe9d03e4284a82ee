"""What height_node publishes. A result is a PersonHeights."""

from __future__ import annotations

import numpy as np
from visualization_msgs.msg import MarkerArray

from rs_ml_msgs.msg import PersonHeightArray
from rs_ml_perception.core.drawing.annotations import draw_heights
from rs_ml_perception.core.people.heights import PersonHeights
from rs_ml_perception.ros.markers import height_markers
from rs_ml_perception.ros.outputs import Output, OutputContext
from rs_ml_perception.ros.picture_outputs import color_outputs
from rs_ml_perception.ros.result_messages import person_height_array


def _heights(heights: PersonHeights, context: OutputContext) -> PersonHeightArray:
    return person_height_array(
        heights,
        context.labels,
        header=context.header,
        target=context.target,
        depth_skew_ms=context.frame.depth_skew_ms,
    )


def _annotated(heights: PersonHeights, context: OutputContext) -> np.ndarray | None:
    if context.frame.rgb is None:
        return None
    return draw_heights(context.frame.rgb, heights, context.labels)


def _markers(heights: PersonHeights, context: OutputContext) -> MarkerArray:
    return height_markers(heights, header=context.header, target=context.target)


OUTPUTS = (
    Output('heights', PersonHeightArray, _heights),
    *color_outputs('image_annotated', _annotated),
    Output('markers', MarkerArray, _markers, is_optional=True),
)
