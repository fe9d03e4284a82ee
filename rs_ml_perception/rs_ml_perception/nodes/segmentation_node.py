"""A class for every pixel, and regions of them with poses where depth is known."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.nodes.networks import LabelledNode, LabelledParameters
from rs_ml_perception.nodes.runner import run
from rs_ml_perception.ros import segmentation_outputs
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.outputs import Output
from rs_ml_perception.tasks.options import model_option
from rs_ml_perception.tasks.segmentation import SegmentationOptions, SegmentationPipeline


@dataclass(frozen=True)
class SegmentationParameters(SegmentationOptions, LabelledParameters):
    """Parameters of segmentation_node."""

    model: str = model_option('segmentation')


class SegmentationNode(LabelledNode[SegmentationParameters, SegmentationPipeline, np.ndarray]):
    """Publishes what is listed in ros/segmentation_outputs.py."""

    default_name: ClassVar[str] = 'segmentation'
    parameters_type: ClassVar[type] = SegmentationParameters
    outputs: ClassVar[tuple[Output, ...]] = segmentation_outputs.OUTPUTS

    @classmethod
    def load_pipeline(cls, parameters: SegmentationParameters) -> SegmentationPipeline:
        return SegmentationPipeline.load(parameters, parameters)

    def run(self, frames: FrameSet, frame: Frame) -> np.ndarray:
        return self.pipeline(frame)

    def threshold(self) -> float:
        return self.parameters.confidence_threshold


def main() -> int:
    """Run the node."""
    return run(SegmentationNode)


if __name__ == '__main__':
    sys.exit(main())
