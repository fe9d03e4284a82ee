"""Objects in the colour image, numbered over time and placed in 3-D where depth is known."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import ClassVar

from rs_ml_perception.core.options import option
from rs_ml_perception.inference.shelf import DEFAULT_MODELS
from rs_ml_perception.nodes.networks import LabelledNode, LabelledParameters
from rs_ml_perception.nodes.runner import run
from rs_ml_perception.ros import detection_outputs
from rs_ml_perception.ros.frame_sets import DetectionsSample, FrameSet
from rs_ml_perception.ros.outputs import Output, OutputContext
from rs_ml_perception.tasks.detection_pipeline import (
    DetectionPipeline,
    DetectionPipelineOptions,
    DetectionResult,
)
from rs_ml_perception.tasks.detector import DetectorOptions

MANIFEST = -1.0
"""Value of a threshold that leaves it to the model's manifest."""


@dataclass(frozen=True)
class DetectionParameters(LabelledParameters):
    """Parameters of detection_node."""

    model: str = option(
        DEFAULT_MODELS['detection'], 'model directory, or the name of a known model', static=True
    )
    score_threshold: float = option(
        MANIFEST, 'least score; -1: as the model says', low=-1.0, high=1.0
    )
    iou_threshold: float = option(
        MANIFEST,
        'boxes of a class overlapping a better one by more go; -1: as the model says',
        low=-1.0,
        high=1.0,
    )
    classes: tuple[str, ...] = option((), 'names of the classes to keep; empty: all')
    max_detections: int = option(100, 'best ones to keep', low=1, high=1000)
    track: bool = option(True, 'number objects over time')
    range_min_m: float = option(0.0, 'keep objects at least this far [m]', low=0.0, high=1000.0)
    range_max_m: float = option(
        1000.0,
        'keep objects at most this far; 1000: any, also those without depth [m]',
        low=0.0,
        high=1000.0,
    )

    @property
    def pipeline_options(self) -> DetectionPipelineOptions:
        detector = DetectorOptions(
            score_threshold=None if self.score_threshold < 0 else self.score_threshold,
            iou_threshold=None if self.iou_threshold < 0 else self.iou_threshold,
            classes=self.classes,
            max_detections=self.max_detections,
        )
        far_m = float('inf') if self.range_max_m >= 1000.0 else self.range_max_m
        return DetectionPipelineOptions(detector, self.track, self.range_min_m, far_m)


class DetectionNode(LabelledNode[DetectionParameters]):
    """Publishes what is listed in ros/detection_outputs.py."""

    default_name: ClassVar[str] = 'detection'
    parameters_type: ClassVar[type] = DetectionParameters
    outputs: ClassVar[tuple[Output, ...]] = detection_outputs.OUTPUTS

    @classmethod
    def load_pipeline(cls, parameters: DetectionParameters) -> DetectionPipeline:
        return DetectionPipeline.load(parameters.choice, parameters.pipeline_options)

    def retune(self, parameters: DetectionParameters) -> None:
        self.pipeline.options = parameters.pipeline_options

    def threshold(self) -> float:
        return self.pipeline.score_threshold

    def on_published(
        self, result: DetectionResult, frames: FrameSet, context: OutputContext
    ) -> None:
        channel = self.hub.local_detections
        if channel is not None and channel.has_listener:
            channel.send(
                DetectionsSample(
                    frames.primary.msg, result.detections, context.labels, frames.color
                )
            )


def main() -> int:
    """Run the node."""
    return run(DetectionNode)


if __name__ == '__main__':
    sys.exit(main())
