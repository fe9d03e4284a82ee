"""Heights of detected persons, from the floor to the top of the head, along gravity."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from visualization_msgs.msg import MarkerArray

from rs_ml_msgs.msg import PersonHeightArray
from rs_ml_perception.core.drawing.annotations import draw_heights
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.objects.labels import check_label
from rs_ml_perception.core.options import option
from rs_ml_perception.core.people.heights import PersonHeights
from rs_ml_perception.nodes.runner import run
from rs_ml_perception.ros.common_parameters import StreamParameters
from rs_ml_perception.ros.input.detections_synchronizer import DetectionsSynchronizer
from rs_ml_perception.ros.input.samples import FrameSet
from rs_ml_perception.ros.input.topics import ACCEL, StreamOptions
from rs_ml_perception.ros.input.transforms import GravityInput
from rs_ml_perception.ros.node import PerceptionNode
from rs_ml_perception.ros.output.images import color_outputs
from rs_ml_perception.ros.output.markers import height_markers
from rs_ml_perception.ros.output.outputs import Output, OutputContext
from rs_ml_perception.ros.output.result_messages import person_height_array
from rs_ml_perception.ros.worker import UnsynchronisedError
from rs_ml_perception.tasks.height import HeightOptions, HeightPipeline


@dataclass(frozen=True)
class HeightParameters(HeightOptions, StreamParameters):
    """Parameters of height_node."""

    gravity_frame: str = option(
        '', 'TF frame whose z axis is up; empty: accelerometer, else floor, else image'
    )


_Context = OutputContext[HeightParameters, HeightPipeline]


def _heights(heights: PersonHeights, context: _Context) -> PersonHeightArray:
    return person_height_array(
        heights,
        context.labels,
        header=context.header,
        target=context.target,
        depth_skew_ms=context.frame.depth_skew_ms,
    )


def _annotated(heights: PersonHeights, context: _Context) -> np.ndarray | None:
    if context.frame.rgb is None:
        return None
    return draw_heights(context.frame.rgb, heights, context.labels)


def _markers(heights: PersonHeights, context: _Context) -> MarkerArray:
    return height_markers(heights, header=context.header, target=context.target)


OUTPUTS = (
    Output('heights', PersonHeightArray, _heights),
    *color_outputs('image_annotated', _annotated),
    Output('markers', MarkerArray, _markers, is_optional=True),
)


class HeightNode(PerceptionNode[HeightParameters, HeightPipeline, PersonHeights]):
    """Publishes OUTPUTS."""

    default_name = 'height'
    parameters_type = HeightParameters
    outputs = OUTPUTS

    def __init__(self, *args: Any, **node_args: Any) -> None:
        super().__init__(*args, **node_args)
        accel = self.hub.stream(ACCEL, StreamOptions())
        if accel is None:
            raise ConfigError('sensor_msgs is not installed')
        self._gravity = GravityInput(self.hub.transforms, accel)

    @classmethod
    def load_pipeline(cls, parameters: HeightParameters) -> HeightPipeline:
        return HeightPipeline(parameters)

    def source(self, parameters: HeightParameters) -> DetectionsSynchronizer:
        synchronizer = self.hub.detections(parameters.depth_source, parameters.streams)
        synchronizer.want_color_while(self._wants_pictures)
        return synchronizer

    def attach_inputs(self) -> None:
        self._gravity.start()

    def detach_inputs(self) -> None:
        self._gravity.stop()

    def run(self, frames: FrameSet, frame: Frame) -> PersonHeights:
        detections = frames.detections
        if detections is None or frame.depth is None or frame.camera is None:
            if self.frame_notes:
                raise InputError('; '.join(self.frame_notes))
            raise UnsynchronisedError(frames.missing or 'no intrinsics or extrinsics yet')
        for name in detections.labels.names.values():
            check_label(name)
        up = self._gravity.up(frame.frame_id, frame.stamp_ns, self.parameters.gravity_frame)
        return self.pipeline(replace(frame, up=up), detections)

    def notes(self) -> tuple[str, ...]:
        return self._gravity.problems

    def _wants_pictures(self) -> bool:
        topics = [o.topic for o in self.outputs if o.topic.startswith('image_annotated')]
        return any(map(self.is_wanted, topics))


def main() -> int:
    """Run the node."""
    return run(HeightNode)


if __name__ == '__main__':
    sys.exit(main())
