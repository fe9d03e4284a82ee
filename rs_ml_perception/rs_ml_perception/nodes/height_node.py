"""Heights of detected persons, from the floor to the top of the head, along gravity."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, ClassVar

from rs_ml_perception.core.frame import Frame
from rs_ml_perception.core.options import option
from rs_ml_perception.core.person_heights import PersonHeights
from rs_ml_perception.core.up_source import UpSource
from rs_ml_perception.nodes.runner import run
from rs_ml_perception.ros import height_outputs
from rs_ml_perception.ros.assembler import Assembler
from rs_ml_perception.ros.common_parameters import StreamParameters
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.inputs import ACCEL, StreamOptions
from rs_ml_perception.ros.node import PerceptionNode
from rs_ml_perception.ros.outputs import Output
from rs_ml_perception.ros.samples import Sample
from rs_ml_perception.ros.worker import UnsynchronisedError
from rs_ml_perception.tasks.height_estimator import HeightOptions
from rs_ml_perception.tasks.height_pipeline import HeightPipeline, HeightPipelineOptions


@dataclass(frozen=True)
class HeightParameters(StreamParameters):
    """Parameters of height_node."""

    classes: tuple[str, ...] = option(('person',), 'names of the classes that are measured')
    gravity_frame: str = option(
        '', 'TF frame whose z is up; empty: accelerometer, else the floor, else the image'
    )
    range_min_m: float = option(0.0, 'measure persons at least this far [m]', low=0.0, high=1000.0)
    range_max_m: float = option(
        1000.0,
        'measure persons at most this far; 1000: any, also those without depth [m]',
        low=0.0,
        high=1000.0,
    )

    @property
    def pipeline_options(self) -> HeightPipelineOptions:
        far_m = float('inf') if self.range_max_m >= 1000.0 else self.range_max_m
        height = HeightOptions(range_min_m=self.range_min_m, range_max_m=far_m)
        return HeightPipelineOptions(height, self.classes)


class HeightNode(PerceptionNode[HeightParameters]):
    """Publishes what is listed in ros/height_outputs.py."""

    default_name: ClassVar[str] = 'height'
    parameters_type: ClassVar[type] = HeightParameters
    outputs: ClassVar[tuple[Output, ...]] = height_outputs.OUTPUTS

    def __init__(self, *args: Any, **node_args: Any) -> None:
        super().__init__(*args, **node_args)
        self._up_source = UpSource(self.hub.transforms.lookup)
        self._accel = self.hub.stream(ACCEL, StreamOptions())

    @classmethod
    def load_pipeline(cls, parameters: HeightParameters) -> HeightPipeline:
        return HeightPipeline(parameters.pipeline_options)

    def retune(self, parameters: HeightParameters) -> None:
        self.pipeline.options = parameters.pipeline_options

    def source(self, parameters: HeightParameters) -> Assembler:
        assembler = self.hub.detections(parameters.depth_source, parameters.streams)
        assembler.want_color_while(lambda: self._wants_pictures())
        return assembler

    def attach_inputs(self) -> None:
        self._accel.attach(self._on_acceleration)

    def detach_inputs(self) -> None:
        self._accel.detach(self._on_acceleration)

    def run(self, frames: FrameSet, frame: Frame) -> PersonHeights:
        if frame.depth is None or frame.camera is None:
            raise UnsynchronisedError(frames.missing or 'no intrinsics or extrinsics yet')
        detections = frames.primary
        up = self._up_source.up(frame.frame_id, frame.stamp_ns, self.parameters.gravity_frame)
        return self.pipeline(frame, detections.detections, detections.labels, up)

    def notes(self) -> tuple[str, ...]:
        return (self._up_source.problem, self._accel.problem)

    def _wants_pictures(self) -> bool:
        return self.publisher is not None and self.publisher.is_wanted('image_annotated')

    def _on_acceleration(self, sample: Sample) -> None:
        a = sample.msg.linear_acceleration
        self._up_source.add_acceleration(sample.stamp_ns, sample.frame_id, (a.x, a.y, a.z))


def main() -> int:
    """Run the node."""
    return run(HeightNode)


if __name__ == '__main__':
    sys.exit(main())
