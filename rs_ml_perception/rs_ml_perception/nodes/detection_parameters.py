"""Parameters of detection_node."""

from __future__ import annotations

from dataclasses import dataclass

from rs_ml_perception.core.options import option
from rs_ml_perception.nodes.distances import farthest_m, farthest_option, nearest_option
from rs_ml_perception.nodes.networks import MANIFEST, LabelledParameters, model_option
from rs_ml_perception.tasks.detection import DetectionPipelineOptions, DetectorOptions


@dataclass(frozen=True)
class DetectionParameters(LabelledParameters):
    """All of them, and what they mean to the pipeline."""

    model: str = model_option('detection')
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
    range_min_m: float = nearest_option('keep objects at least this far [m]')
    range_max_m: float = farthest_option(
        'keep objects at most this far; 1000: any, also those without depth [m]'
    )

    @property
    def pipeline_options(self) -> DetectionPipelineOptions:
        """The options that may change between frames."""
        detector = DetectorOptions(
            score_threshold=None if self.score_threshold < 0 else self.score_threshold,
            iou_threshold=None if self.iou_threshold < 0 else self.iou_threshold,
            classes=self.classes,
            max_detections=self.max_detections,
        )
        return DetectionPipelineOptions(
            detector, self.track, self.range_min_m, farthest_m(self.range_max_m)
        )
