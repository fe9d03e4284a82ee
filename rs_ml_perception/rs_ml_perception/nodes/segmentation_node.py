"""A class for every pixel, and regions of them with poses where depth is known."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.objects.regions import DEFAULT_MAX_REGIONS, DEFAULT_MIN_AREA_PX
from rs_ml_perception.core.options import option
from rs_ml_perception.nodes.networks import LabelledNode, LabelledParameters, model_option
from rs_ml_perception.nodes.runner import run
from rs_ml_perception.ros import segmentation_outputs
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.outputs import Output
from rs_ml_perception.tasks.segmentation import (
    SegmentationPipeline,
    SegmentationPipelineOptions,
    SegmenterOptions,
)


@dataclass(frozen=True)
class SegmentationParameters(LabelledParameters):
    """Parameters of segmentation_node."""

    model: str = model_option('segmentation')
    confidence_threshold: float = option(
        0.0, 'less probable pixels are unlabelled (255); 0 keeps all', low=0.0, high=1.0
    )
    classes: tuple[str, ...] = option(
        (), 'names of the classes regions are made of; empty: all but background'
    )
    min_area_px: int = option(DEFAULT_MIN_AREA_PX, 'smallest region [px]', low=1, high=100_000_000)
    max_regions: int = option(DEFAULT_MAX_REGIONS, 'largest regions to keep', low=1, high=1000)

    @property
    def pipeline_options(self) -> SegmentationPipelineOptions:
        return SegmentationPipelineOptions(
            SegmenterOptions(confidence_threshold=self.confidence_threshold),
            self.classes,
            self.min_area_px,
            self.max_regions,
        )


class SegmentationNode(LabelledNode[SegmentationParameters, SegmentationPipeline, np.ndarray]):
    """Publishes what is listed in ros/segmentation_outputs.py."""

    default_name: ClassVar[str] = 'segmentation'
    parameters_type: ClassVar[type] = SegmentationParameters
    outputs: ClassVar[tuple[Output, ...]] = segmentation_outputs.OUTPUTS

    @classmethod
    def load_pipeline(cls, parameters: SegmentationParameters) -> SegmentationPipeline:
        return SegmentationPipeline.load(parameters.choice, parameters.pipeline_options)

    def retune(self, parameters: SegmentationParameters) -> None:
        self.pipeline.options = parameters.pipeline_options

    def run(self, frames: FrameSet, frame: Frame) -> np.ndarray:
        return self.pipeline(frame)

    def threshold(self) -> float:
        return self.parameters.confidence_threshold


def main() -> int:
    """Run the node."""
    return run(SegmentationNode)


if __name__ == '__main__':
    sys.exit(main())
