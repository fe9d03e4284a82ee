"""What height_node publishes. A result is a PersonHeights."""

from __future__ import annotations

from sensor_msgs.msg import Image
from visualization_msgs.msg import MarkerArray

from rs_ml_msgs.msg import PersonHeightArray
from rs_ml_perception.core.draw import draw_heights
from rs_ml_perception.core.person_heights import PersonHeights
from rs_ml_perception.ros.image_messages import image
from rs_ml_perception.ros.markers import height_markers
from rs_ml_perception.ros.outputs import Output, OutputContext
from rs_ml_perception.ros.result_messages import person_height_array


def _heights(heights: PersonHeights, context: OutputContext) -> PersonHeightArray:
    return person_height_array(
        heights,
        context.labels,
        header=context.header,
        target=context.target,
        depth_skew_ms=context.frame.depth_skew_ms,
    )


def _annotated(heights: PersonHeights, context: OutputContext) -> Image | None:
    if context.frame.rgb is None:
        return None
    picture = draw_heights(context.frame.rgb, heights, context.labels)
    return image(picture, 'rgb8', context.header)


def _markers(heights: PersonHeights, context: OutputContext) -> MarkerArray:
    return height_markers(heights, header=context.header, target=context.target)


OUTPUTS = (
    Output('heights', PersonHeightArray, _heights),
    Output('image_annotated', Image, _annotated, is_optional=True),
    Output('markers', MarkerArray, _markers, is_optional=True),
)
