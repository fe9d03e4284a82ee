"""Objects in the colour image, tracked over time, with 3-D positions if there is depth."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from visualization_msgs.msg import MarkerArray

from rs_ml_msgs.msg import DetectionArray
from rs_ml_perception.core.drawing.annotations import annotate_detections
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.options import override
from rs_ml_perception.inference.shelf import DEFAULT_MODELS
from rs_ml_perception.nodes.networks import LabelledNode, LabelledParameters
from rs_ml_perception.nodes.runner import run
from rs_ml_perception.ros.input.samples import DetectionsSample, FrameSet
from rs_ml_perception.ros.output import vision_messages
from rs_ml_perception.ros.output.images import color_outputs
from rs_ml_perception.ros.output.markers import detection_markers
from rs_ml_perception.ros.output.outputs import Output, OutputContext
from rs_ml_perception.ros.output.result_messages import detection_array
from rs_ml_perception.tasks.detection import DetectionOptions, DetectionPipeline, DetectionResult


@dataclass(frozen=True)
class DetectionParameters(DetectionOptions, LabelledParameters):
    """Parameters of detection_node."""

    model: str = override(DEFAULT_MODELS['detection'])


_Context = OutputContext[DetectionParameters, DetectionPipeline]


def _detections(result: DetectionResult, context: _Context) -> DetectionArray:
    height, width = context.frame.color_image.shape[:2]
    return detection_array(
        result.detections,
        result.placements,
        context.labels,
        header=context.header,
        image_size=(width, height),
        model=context.model,
        target=context.target,
        depth_skew_ms=context.frame.depth_skew_ms,
    )


def _annotated(result: DetectionResult, context: _Context) -> np.ndarray:
    return annotate_detections(
        context.frame.color_image, result.detections, context.labels, result.placements
    )


def _markers(result: DetectionResult, context: _Context) -> MarkerArray:
    return detection_markers(
        result.detections,
        result.placements,
        context.labels,
        header=context.header,
        target=context.target,
    )


def _vision_2d(result: DetectionResult, context: _Context) -> Any:
    return vision_messages.detections_2d(result.detections, context.labels, header=context.header)


def _vision_3d(result: DetectionResult, context: _Context) -> Any:
    return vision_messages.detections_3d(
        result.detections,
        result.placements,
        context.labels,
        header=context.header,
        target=context.target,
    )


def _wants_vision(parameters: DetectionParameters) -> bool:
    return parameters.publish_vision_msgs


OUTPUTS = (
    Output('detections', DetectionArray, _detections),
    *color_outputs('image_annotated', _annotated),
    Output('markers', MarkerArray, _markers, is_optional=True),
    Output(
        'vision/detections',
        lambda: vision_messages.vision_msgs().Detection2DArray,
        _vision_2d,
        is_optional=True,
        is_enabled=_wants_vision,
    ),
    Output(
        'vision/detections_3d',
        lambda: vision_messages.vision_msgs().Detection3DArray,
        _vision_3d,
        is_optional=True,
        is_enabled=_wants_vision,
    ),
)


class DetectionNode(LabelledNode[DetectionParameters, DetectionPipeline, DetectionResult]):
    """Publishes OUTPUTS."""

    default_name = 'detection'
    parameters_type = DetectionParameters
    outputs = OUTPUTS

    @classmethod
    def load_pipeline(cls, parameters: DetectionParameters) -> DetectionPipeline:
        return DetectionPipeline.load(parameters, parameters)

    def run(self, frames: FrameSet, frame: Frame) -> DetectionResult:
        return self.pipeline(frame)

    def threshold(self) -> float:
        return self.pipeline.score_threshold

    def on_published(
        self,
        result: DetectionResult,
        frames: FrameSet,
        context: _Context,
    ) -> None:
        channel = self.hub.local_detections
        if channel is not None and channel.has_listener:
            channel.send(
                DetectionsSample(
                    frames.primary.msg,
                    result.detections,
                    context.labels,
                    frames.color,
                    placements=result.placements,
                    placed_in=result.placed_in,
                )
            )


def main() -> int:
    """Run the node."""
    return run(DetectionNode)


if __name__ == '__main__':
    sys.exit(main())
