"""Segmentation as the node runs it: a mask, and regions on request."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rs_ml_perception.core.drawing.annotations import transparent_ids
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.objects.regions import (
    DEFAULT_MAX_REGIONS,
    DEFAULT_MIN_AREA_PX,
    Regions,
    find_regions,
)
from rs_ml_perception.core.stages import StageTimer
from rs_ml_perception.tasks.model_choice import ModelChoice, describe
from rs_ml_perception.tasks.segmenter import Segmenter, SegmenterOptions


@dataclass(frozen=True)
class SegmentationPipelineOptions:
    """What may change between frames.

    Attributes:
        segmenter: confidence threshold.
        classes: names of the classes regions are made of; empty: all but background.
        min_area_px: smallest region.
        max_regions: largest ones to keep.
    """

    segmenter: SegmenterOptions = field(default_factory=SegmenterOptions)
    classes: tuple[str, ...] = ()
    min_area_px: int = DEFAULT_MIN_AREA_PX
    max_regions: int = DEFAULT_MAX_REGIONS


class SegmentationPipeline:
    """Frame to class mask, uint8 (H, W), 255 unlabelled. See core.pipeline.Pipeline."""

    def __init__(self, segmenter: Segmenter, options: SegmentationPipelineOptions) -> None:
        self.title = segmenter.model.title
        self.backend = segmenter.model.backend_name
        self.labels = segmenter.labels
        self._segmenter = segmenter
        self._stages = StageTimer()
        self.options = options

    @classmethod
    def load(
        cls, choice: ModelChoice, options: SegmentationPipelineOptions
    ) -> SegmentationPipeline:
        """Load the model; see ModelChoice.load for what it raises."""
        return cls(Segmenter(choice.load(), options.segmenter), options)

    @property
    def options(self) -> SegmentationPipelineOptions:
        """May be replaced at any time; ConfigError for a class the model does not know."""
        return self._options

    @options.setter
    def options(self, options: SegmentationPipelineOptions) -> None:
        self._ignored = self._ids_without_region(options.classes)
        self._segmenter.options = options.segmenter
        self._options = options

    def __call__(self, frame: Frame) -> np.ndarray:
        """The mask of one frame, in pixels of its colour image."""
        return self._segmenter(frame.rgb, frame)

    def regions(self, mask: np.ndarray, frame: Frame) -> Regions:
        """Connected regions of the mask with poses where the frame has depth."""
        with self._stages('regions'):
            return find_regions(
                mask,
                frame,
                min_area_px=self._options.min_area_px,
                max_regions=self._options.max_regions,
                ignore=self._ignored,
            )

    def _ids_without_region(self, classes: tuple[str, ...]) -> tuple[int, ...]:
        if not classes:
            return transparent_ids(self.labels)
        wanted = self.labels.known_ids(classes, model=self.title)
        return tuple(class_id for class_id in range(256) if class_id not in wanted)

    def describe(self) -> dict[str, str]:
        return describe(self._segmenter.model)

    def warm_up(self) -> float:
        return self._segmenter.model.warm_up()

    def reset(self) -> None:
        """Nothing is tracked."""

    def take_stages(self) -> dict[str, float]:
        return {**self._segmenter.stages.take(), **self._stages.take()}

    def close(self) -> None:
        self._segmenter.model.close()
