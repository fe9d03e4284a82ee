"""The tasks by name. A new task is a module that subclasses tasks.task.Task and a row here."""

from __future__ import annotations

import dataclasses
from typing import Any

from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.prediction.predictor import (
    Predict,
    PredictOptions,
    Predictor,
    predict_with,
)
from rs_ml_training.tasks.denoise import DenoiseTask
from rs_ml_training.tasks.detection.task import DetectionTask
from rs_ml_training.tasks.mono_depth import MonoDepthTask
from rs_ml_training.tasks.segmentation.task import SegmentationTask
from rs_ml_training.tasks.task import Task
from rs_ml_training.trained import ModelSpec, Trained

TASKS: dict[str, Task[Any, Any]] = {
    task.name: task
    for task in (MonoDepthTask(), SegmentationTask(), DenoiseTask(), DetectionTask())
}


def task_named(name: str) -> Task[Any, Any]:
    """The task of a name.

    Raises:
        ConfigError: there is no such task.
    """
    if name not in TASKS:
        raise ConfigError(f'no task {name!r}; there are {", ".join(TASKS)}')
    return TASKS[name]


def predictor_for(
    spec: ModelSpec, predict: Predict, options: PredictOptions | None = None
) -> Predictor:
    """A predictor of any network.

    Args:
        spec: task, input size, crop and ranges of the network.
        predict: named inputs (B, H, W, C) to named outputs (B, ...); any backend, any weights.
        options: how it is used.

    Raises:
        ConfigError: no such task.
    """
    head = task_named(spec.task).head(spec, options or PredictOptions())
    return Predictor(predict, head)


def predictor_of(trained: Trained, options: PredictOptions | None = None) -> Predictor:
    """A predictor of a loaded network, at the size that it was built for."""
    built = trained.model.inputs[0].shape[1:3]
    spec = trained.spec
    if None not in built:
        spec = dataclasses.replace(spec, input_size=(built[1], built[0]))
    return predictor_for(spec, predict_with(trained.model), options)
