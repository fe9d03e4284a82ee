"""Metric depth from the colour image alone."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import ClassVar

from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.options import option
from rs_ml_perception.nodes.networks import DepthParameters, model_option
from rs_ml_perception.nodes.runner import run
from rs_ml_perception.ros import mono_depth_outputs
from rs_ml_perception.ros.assembler import Assembler
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.node import PerceptionNode
from rs_ml_perception.ros.outputs import Output
from rs_ml_perception.tasks.mono_depth import (
    DepthEstimate,
    DepthEstimatorOptions,
    MonoDepthPipeline,
)


@dataclass(frozen=True)
class MonoDepthParameters(DepthParameters):
    """Parameters of mono_depth_node."""

    model: str = model_option('mono_depth')
    output_encoding: str = option(
        '32FC1',
        'of depth/image: metres with NaN, or millimetres with 0',
        choices=('32FC1', '16UC1'),
    )
    output_size: str = option(
        'source',
        'of depth/image: that of the colour image, or that of the model',
        choices=('source', 'model'),
    )
    focal_correction: bool = option(
        True, "scale by the ratio of this camera's focal length to the training camera's"
    )
    publish_points: bool = option(False, 'offer points (PointCloud2)', static=True)

    @property
    def pipeline_options(self) -> DepthEstimatorOptions:
        return DepthEstimatorOptions(self.output_size, *self.band_m, self.focal_correction)


class MonoDepthNode(PerceptionNode[MonoDepthParameters, MonoDepthPipeline, DepthEstimate]):
    """Publishes what is listed in ros/mono_depth_outputs.py."""

    default_name: ClassVar[str] = 'mono_depth'
    parameters_type: ClassVar[type] = MonoDepthParameters
    outputs: ClassVar[tuple[Output, ...]] = mono_depth_outputs.OUTPUTS

    @classmethod
    def load_pipeline(cls, parameters: MonoDepthParameters) -> MonoDepthPipeline:
        return MonoDepthPipeline.load(parameters.choice, parameters.pipeline_options)

    def retune(self, parameters: MonoDepthParameters) -> None:
        self.pipeline.options = parameters.pipeline_options

    def run(self, frames: FrameSet, frame: Frame) -> DepthEstimate:
        return self.pipeline(frame)

    def source(self, parameters: MonoDepthParameters) -> Assembler:
        return self.hub.color('none', parameters.streams)


def main() -> int:
    """Run the node."""
    return run(MonoDepthNode)


if __name__ == '__main__':
    sys.exit(main())
