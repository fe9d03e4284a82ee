"""Monocular depth as the node runs it."""

from __future__ import annotations

from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.tasks.depth_estimator import (
    DepthEstimate,
    DepthEstimator,
    DepthEstimatorOptions,
)
from rs_ml_perception.tasks.model_choice import ModelChoice, describe


class MonoDepthPipeline:
    """Frame to DepthEstimate. See core.pipeline.Pipeline."""

    def __init__(self, estimator: DepthEstimator) -> None:
        self.title = estimator.model.title
        self.backend = estimator.model.backend_name
        self.labels = LabelMap({})
        self._estimator = estimator

    @classmethod
    def load(cls, choice: ModelChoice, options: DepthEstimatorOptions) -> MonoDepthPipeline:
        """Load the model; see ModelChoice.load for what it raises."""
        return cls(DepthEstimator(choice.load(), options))

    @property
    def options(self) -> DepthEstimatorOptions:
        """May be replaced at any time."""
        return self._estimator.options

    @options.setter
    def options(self, options: DepthEstimatorOptions) -> None:
        self._estimator.options = options

    def __call__(self, frame: Frame) -> DepthEstimate:
        """Depth of one frame with the intrinsics that belong to it."""
        return self._estimator(frame.rgb, frame.camera)

    def describe(self) -> dict[str, str]:
        return describe(self._estimator.model)

    def warm_up(self) -> float:
        return self._estimator.model.warm_up()

    def reset(self) -> None:
        """Nothing is tracked."""

    def take_stages(self) -> dict[str, float]:
        return self._estimator.stages.take()

    def close(self) -> None:
        self._estimator.model.close()
