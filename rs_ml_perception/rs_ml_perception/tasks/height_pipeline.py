"""Person heights as the node runs it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.gravity import Up
from rs_ml_perception.core.objects.detections import Detections
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.core.people.heights import PersonHeights
from rs_ml_perception.tasks.height_estimator import HeightEstimator, HeightOptions


@dataclass(frozen=True)
class HeightPipelineOptions:
    """What may change between frames.

    Attributes:
        height: of the estimator.
        classes: names of the classes that are measured.
    """

    height: HeightOptions = field(default_factory=HeightOptions)
    classes: tuple[str, ...] = ('person',)


class HeightPipeline:
    """Frame with depth and detections to PersonHeights. See core.pipeline.Pipeline."""

    title = ''
    backend = ''

    def __init__(self, options: HeightPipelineOptions | None = None) -> None:
        self.labels = LabelMap({})
        self._options = options or HeightPipelineOptions()
        self._estimator = HeightEstimator(self._options.height)

    @property
    def options(self) -> HeightPipelineOptions:
        """May be replaced at any time."""
        return self._options

    @options.setter
    def options(self, options: HeightPipelineOptions) -> None:
        self._estimator.options = options.height
        self._options = options

    def __call__(
        self, frame: Frame, detections: Detections, labels: LabelMap, up: Up | None
    ) -> PersonHeights:
        """Measure the persons among the detections of one frame.

        Args:
            frame: with depth.
            detections: in pixels of its colour image.
            labels: names of their classes.
            up: direction against gravity; None: look at the floor.
        """
        self.labels = labels
        is_person = [labels.name(i) in self._options.classes for i in detections.class_ids]
        return self._estimator(frame, detections[np.array(is_person, bool)], up=up)

    def describe(self) -> dict[str, str]:
        return {'classes': ' '.join(self._options.classes)}

    def warm_up(self) -> float:
        """Nothing to warm up."""
        return 0.0

    def reset(self) -> None:
        self._estimator.reset()

    def take_stages(self) -> dict[str, float]:
        return self._estimator.stages.take()

    def close(self) -> None:
        """Nothing to free."""
