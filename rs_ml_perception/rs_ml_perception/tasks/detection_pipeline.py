"""Detection as the node runs it: boxes, tracks, positions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rs_ml_perception.core.band import closed_band
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.objects.detections import Detections
from rs_ml_perception.core.objects.placements import Placements, place_detections
from rs_ml_perception.core.objects.tracking import Tracker
from rs_ml_perception.core.stages import StageTimer
from rs_ml_perception.tasks.detector import Detector, DetectorOptions
from rs_ml_perception.tasks.model_choice import ModelChoice, describe


@dataclass(frozen=True)
class DetectionPipelineOptions:
    """What may change between frames.

    Attributes:
        detector: thresholds and classes.
        track: number objects over time.
        range_min_m, range_max_m: keep objects within this band of distance.
    """

    detector: DetectorOptions = field(default_factory=DetectorOptions)
    track: bool = True
    range_min_m: float = 0.0
    range_max_m: float = np.inf

    def __post_init__(self) -> None:
        closed_band(self.range_min_m, self.range_max_m)


@dataclass(frozen=True, eq=False)
class DetectionResult:
    """Objects and, row by row, where they are."""

    detections: Detections
    placements: Placements


class DetectionPipeline:
    """Frame to DetectionResult. See core.pipeline.Pipeline."""

    def __init__(self, detector: Detector, options: DetectionPipelineOptions) -> None:
        self.title = detector.model.title
        self.backend = detector.model.backend_name
        self.labels = detector.labels
        self._detector = detector
        self._tracker = Tracker()
        self._stages = StageTimer()
        self.options = options

    @classmethod
    def load(cls, choice: ModelChoice, options: DetectionPipelineOptions) -> DetectionPipeline:
        """Load the model; see ModelChoice.load for what it raises."""
        return cls(Detector(choice.load(), options.detector), options)

    @property
    def options(self) -> DetectionPipelineOptions:
        """May be replaced at any time; ConfigError for a class the model does not know."""
        return self._options

    @options.setter
    def options(self, options: DetectionPipelineOptions) -> None:
        self._detector.options = options.detector
        self._options = options

    def __call__(self, frame: Frame) -> DetectionResult:
        """Find, number and place the objects of one frame."""
        options = self._options
        detections = self._detector(frame.rgb)
        with self._stages('track'):
            if options.track:
                detections = self._tracker(detections, frame.stamp_ns)
        with self._stages('place'):
            detections, placements = place_detections(
                frame,
                detections,
                range_min_m=options.range_min_m,
                range_max_m=options.range_max_m,
            )
        return DetectionResult(detections, placements)

    @property
    def score_threshold(self) -> float:
        """Least score in force."""
        return self._detector.score_threshold

    def describe(self) -> dict[str, str]:
        return describe(self._detector.model)

    def warm_up(self) -> float:
        return self._detector.model.warm_up()

    def reset(self) -> None:
        self._tracker.reset()

    def take_stages(self) -> dict[str, float]:
        return {**self._detector.stages.take(), **self._stages.take()}

    def close(self) -> None:
        self._detector.model.close()
