"""Metric depth from the colour image alone."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import ClassVar

from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.options import option
from rs_ml_perception.nodes.networks import NetworkParameters
from rs_ml_perception.nodes.runner import run
from rs_ml_perception.ros import mono_depth_outputs
from rs_ml_perception.ros.assembler import Assembler
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.node import PerceptionNode
from rs_ml_perception.ros.outputs import Output
from rs_ml_perception.tasks.mono_depth import DepthEstimate, MonoDepthOptions, MonoDepthPipeline
from rs_ml_perception.tasks.options import model_option


@dataclass(frozen=True)
class MonoDepthParameters(MonoDepthOptions, NetworkParameters):
    """Parameters of mono_depth_node."""

    model: str = model_option('mono_depth')
    output_encoding: str = option(
        '32FC1',
        'encoding of depth/image: metres with NaN, or millimetres with 0',
        choices=('32FC1', '16UC1'),
    )
    publish_points: bool = option(False, 'offer points (PointCloud2)', static=True)


class MonoDepthNode(PerceptionNode[MonoDepthParameters, MonoDepthPipeline, DepthEstimate]):
    """Publishes what is listed in ros/mono_depth_outputs.py."""

    default_name: ClassVar[str] = 'mono_depth'
    parameters_type: ClassVar[type] = MonoDepthParameters
    outputs: ClassVar[tuple[Output, ...]] = mono_depth_outputs.OUTPUTS

    @classmethod
    def load_pipeline(cls, parameters: MonoDepthParameters) -> MonoDepthPipeline:
        return MonoDepthPipeline.load(parameters, parameters)

    def run(self, frames: FrameSet, frame: Frame) -> DepthEstimate:
        return self.pipeline(frame)

    def source(self, parameters: MonoDepthParameters) -> Assembler:
        return self.hub.color('none', parameters.streams)


def main() -> int:
    """Run the node."""
    return run(MonoDepthNode)


if __name__ == '__main__':
    sys.exit(main())
