"""Objects in the colour image, numbered over time and placed in 3-D where depth is known."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import ClassVar

from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.nodes.networks import LabelledNode, LabelledParameters
from rs_ml_perception.nodes.runner import run
from rs_ml_perception.ros import detection_outputs
from rs_ml_perception.ros.frame_sets import DetectionsSample, FrameSet
from rs_ml_perception.ros.outputs import Output, OutputContext
from rs_ml_perception.tasks.detection import DetectionOptions, DetectionPipeline, DetectionResult
from rs_ml_perception.tasks.options import model_option


@dataclass(frozen=True)
class DetectionParameters(DetectionOptions, LabelledParameters):
    """Parameters of detection_node."""

    model: str = model_option('detection')


class DetectionNode(LabelledNode[DetectionParameters, DetectionPipeline, DetectionResult]):
    """Publishes what is listed in ros/detection_outputs.py."""

    default_name: ClassVar[str] = 'detection'
    parameters_type: ClassVar[type] = DetectionParameters
    outputs: ClassVar[tuple[Output, ...]] = detection_outputs.OUTPUTS

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
        context: OutputContext[DetectionParameters, DetectionPipeline],
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
