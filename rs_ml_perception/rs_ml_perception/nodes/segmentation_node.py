"""A class for every pixel, and regions with poses if there is depth."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import Image

from rs_ml_msgs.msg import SegmentRegionArray
from rs_ml_perception.core.drawing.annotations import overlay_mask, transparent_ids
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.options import override
from rs_ml_perception.inference.shelf import DEFAULT_MODELS
from rs_ml_perception.nodes.networks import LabelledNode, LabelledParameters
from rs_ml_perception.nodes.runner import run
from rs_ml_perception.ros.input.samples import FrameSet
from rs_ml_perception.ros.output.images import color_outputs, gray_output, image
from rs_ml_perception.ros.output.outputs import Output, OutputContext
from rs_ml_perception.ros.output.result_messages import segment_region_array
from rs_ml_perception.tasks.segmentation import SegmentationOptions, SegmentationPipeline


@dataclass(frozen=True)
class SegmentationParameters(SegmentationOptions, LabelledParameters):
    """Parameters of segmentation_node."""

    model: str = override(DEFAULT_MODELS['segmentation'])


_Context = OutputContext[SegmentationParameters, SegmentationPipeline]


def _mask(mask: np.ndarray, context: _Context) -> Image:
    return image(mask, 'mono8', context.header)


def _ids(mask: np.ndarray, _: _Context) -> np.ndarray:
    return mask


def _annotated(mask: np.ndarray, context: _Context) -> np.ndarray:
    return overlay_mask(
        context.frame.color_image, mask, transparent=transparent_ids(context.labels)
    )


def _regions(mask: np.ndarray, context: _Context) -> SegmentRegionArray:
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
    gray_output('mask', _ids),
    *color_outputs('image_annotated', _annotated),
    Output('regions', SegmentRegionArray, _regions, is_optional=True),
)


class SegmentationNode(LabelledNode[SegmentationParameters, SegmentationPipeline, np.ndarray]):
    """Publishes OUTPUTS."""

    default_name = 'segmentation'
    parameters_type = SegmentationParameters
    outputs = OUTPUTS

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
