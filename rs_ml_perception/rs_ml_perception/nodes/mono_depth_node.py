"""Metric depth from the colour image alone."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import ClassVar

from rs_ml_perception.core.options import option
from rs_ml_perception.inference.shelf import DEFAULT_MODELS
from rs_ml_perception.nodes.networks import NetworkParameters
from rs_ml_perception.nodes.runner import run
from rs_ml_perception.ros import mono_depth_outputs
from rs_ml_perception.ros.assembler import Assembler
from rs_ml_perception.ros.node import PerceptionNode
from rs_ml_perception.ros.outputs import Output
from rs_ml_perception.tasks.depth_estimator import DepthEstimatorOptions
from rs_ml_perception.tasks.mono_depth_pipeline import MonoDepthPipeline


@dataclass(frozen=True)
class MonoDepthParameters(NetworkParameters):
    """Parameters of mono_depth_node."""

    model: str = option(
        DEFAULT_MODELS['mono_depth'], 'model directory, or the name of a known model', static=True
    )
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
    range_min_m: float = option(0.0, 'nearer becomes invalid [m]', low=0.0, high=1000.0)
    range_max_m: float = option(
        1000.0, 'farther becomes invalid; 1000: as the model says [m]', low=0.0, high=1000.0
    )
    focal_correction: bool = option(
        True, "scale by the ratio of this camera's focal length to the training camera's"
    )
    publish_points: bool = option(False, 'offer points (PointCloud2)', static=True)

    @property
    def pipeline_options(self) -> DepthEstimatorOptions:
        return DepthEstimatorOptions(
            output_size=self.output_size,
            range_min_m=self.range_min_m if self.range_min_m > 0 else None,
            range_max_m=self.range_max_m if self.range_max_m < 1000.0 else None,
            focal_correction=self.focal_correction,
        )


class MonoDepthNode(PerceptionNode[MonoDepthParameters]):
    """Publishes what is listed in ros/mono_depth_outputs.py."""

    default_name: ClassVar[str] = 'mono_depth'
    parameters_type: ClassVar[type] = MonoDepthParameters
    outputs: ClassVar[tuple[Output, ...]] = mono_depth_outputs.OUTPUTS

    @classmethod
    def load_pipeline(cls, parameters: MonoDepthParameters) -> MonoDepthPipeline:
        return MonoDepthPipeline.load(parameters.choice, parameters.pipeline_options)

    def retune(self, parameters: MonoDepthParameters) -> None:
        self.pipeline.options = parameters.pipeline_options

    def source(self, parameters: MonoDepthParameters) -> Assembler:
        return self.hub.color('none', parameters.streams)


def main() -> int:
    """Run the node."""
    return run(MonoDepthNode)


if __name__ == '__main__':
    sys.exit(main())
