"""The task that a training's options ask for, and the network it trains."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.geometry.camera import CameraModel

from rs_ml_training.data.augment.presets import CROPPING, fitted
from rs_ml_training.data.mix import formats_of
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample
from rs_ml_training.networks.registry import NetworkEntry, entry_of
from rs_ml_training.tasks.origin import origin_of
from rs_ml_training.tasks.task import Task, class_shares
from rs_ml_training.trained import ModelSpec
from rs_ml_training.training.options import (
    DepthOptions,
    DetectionOptions,
    SegmentationOptions,
    TrainOptions,
)
from rs_ml_training.training.sources import name_values

if TYPE_CHECKING:
    from rs_ml_training.tasks.detection import Teacher

_NEEDED = {
    'depth': ('image', 'depth_m'),
    'segmentation': ('image', 'labels'),
    'denoise': ('raw_depth_m', 'depth_m'),
    'detection': ('image', 'boxes'),
}


def spec_of(task: str, options: TrainOptions, data: Reader, command: str) -> ModelSpec:
    """What is going to be trained.

    Raises:
        ConfigError: the network does not fit the task or its options.
    """
    entry = entry_of(options.model, task)
    sample = data.read(0)
    size = options.input_size or _default_size(entry, sample)
    spec = ModelSpec(
        task=task,
        network=options.model,
        input_size=size,
        options=_network_options(entry, options, data),
        labels=_labels(task, options, data),
        colors=tuple(data.colors) if task == 'segmentation' else (),
        depth_range_m=(
            getattr(options, 'min_depth_m', 0.0),
            getattr(options, 'max_depth_m', 10.0),
        ),
        intrinsics=_camera(options, data, sample, size),
        cropped=options.augment in CROPPING,
        reference_focal_px=getattr(data, 'reference_focal_px', None),
        data=', '.join(dict.fromkeys(n for source in options.data for n in formats_of(source))),
        license=data.license,
        weights=origin_of(options),
        command=command,
    )
    _require_maps(task, sample)
    return spec


def _camera(
    options: TrainOptions, data: Reader, sample: Sample, size: tuple[int, int]
) -> CameraModel | None:
    """That of the pictures as they are trained on, of the focal length that is learned."""
    camera = fitted(sample, options.augment, size).intrinsics
    if camera is None or data.reference_focal_px is None or sample.focal_px is None:
        return camera
    change = data.reference_focal_px / sample.focal_px
    return dataclasses.replace(camera, fx=camera.fx * change, fy=camera.fy * change)


def task_of(spec: ModelSpec, options: TrainOptions, data: Reader) -> Task:
    """The task, its loss and its metrics. Imports Keras."""
    loss_options = name_values(options.loss_option)
    if isinstance(options, DepthOptions):
        from rs_ml_training.tasks.depth import DepthTask

        return DepthTask(spec, options.loss, loss_options)
    if isinstance(options, SegmentationOptions):
        return _segmentation(spec, options, data)
    if isinstance(options, DetectionOptions):
        from rs_ml_training.tasks.detection import DetectionTask

        teacher = _teacher(options, spec)
        return DetectionTask(spec, data.labels, options.loss, loss_options, teacher)
    from rs_ml_training.tasks.denoise import DenoiseTask

    return DenoiseTask(spec, options.loss, loss_options)


def _teacher(options: DetectionOptions, spec: ModelSpec) -> Teacher | None:
    if not 0 <= options.teacher_share <= 1:
        raise ConfigError(f'--teacher-share is 0 to 1, got {options.teacher_share:g}')
    if options.teacher is None:
        return None
    if options.loss == 'generalized_focal':
        return _teacher_of_cells(options, spec)
    from rs_ml_training.teaching.distillation import WatchingDetector, blended

    if options.teacher_labels is None:
        raise ConfigError('--teacher needs --teacher-labels: give the label map (.pbtxt)')
    watch = WatchingDetector(options.teacher, options.teacher_labels, spec.labels)
    return lambda image, targets: blended(targets, watch(image), options.teacher_share)


def _teacher_of_cells(options: DetectionOptions, spec: ModelSpec) -> Teacher:
    from rs_ml_training.teaching.cell_detector import WatchingCells

    watch = WatchingCells(options.teacher, spec.labels, spec.input_size)
    share = np.float32(options.teacher_share)
    return lambda image, targets: targets | {'taught': watch(image), 'taught_share': share}


def _segmentation(spec: ModelSpec, options: SegmentationOptions, data: Reader) -> Task:
    from rs_ml_training.tasks.segmentation import SegmentationTask, balanced_weights

    weights = None
    if options.class_weights:
        weights = balanced_weights(class_shares(data, len(spec.labels)))
    return SegmentationTask(
        spec,
        options.loss,
        aux_weight=options.aux_weight,
        class_weights=weights,
        loss_options=name_values(options.loss_option),
        counted=data.counted,
        unlisted_weight=options.unlisted_weight,
    )


def _network_options(entry: NetworkEntry, options: TrainOptions, data: Reader) -> dict[str, Any]:
    """Builder options: those given, and what the data and the task say."""
    chosen = name_values(options.model_option)
    if entry.task == 'segmentation':
        chosen['classes'] = _channels(chosen.get('classes'), options.loss, data.labels)
        if getattr(options, 'confidence', False):
            chosen.setdefault('confidence', True)
    if isinstance(options, DetectionOptions):
        chosen.setdefault('classes', len(_labels('detection', options, data)))
    if entry.task == 'depth':
        chosen.setdefault('max_depth_m', options.max_depth_m)  # type: ignore[attr-defined]
    return chosen


def _channels(given: int | None, loss: str, labels: Sequence[str]) -> int:
    """How many scores a pixel gets: one for every class, or a single one of two classes."""
    from rs_ml_training.losses.segmentation import SIGMOID_LOSSES, SOFTMAX_LOSSES

    count = given or (1 if loss in SIGMOID_LOSSES else len(labels))
    if count == 1 and len(labels) > 2:
        raise ConfigError(
            f'--loss {loss} on one channel tells two classes apart, the data have {len(labels)}'
        )
    if loss in (SOFTMAX_LOSSES if count == 1 else SIGMOID_LOSSES):
        other = SIGMOID_LOSSES if count == 1 else SOFTMAX_LOSSES
        raise ConfigError(
            f'--loss {loss} is not for classes={count}: take one of {", ".join(sorted(other))}'
        )
    if count not in (1, len(labels)):
        raise ConfigError(f'classes={count}, but the data have {len(labels)}: leave it out')
    return count


def _default_size(entry: NetworkEntry, sample: Sample) -> tuple[int, int]:
    """Depth that is to be cleaned is not resampled where its size fits the network."""
    fits = all(side % entry.stride == 0 for side in sample.size)
    return sample.size if entry.task == 'denoise' and fits else entry.default_size


def _labels(task: str, options: TrainOptions, data: Reader) -> tuple[str, ...]:
    if task == 'detection' and options.classes:  # type: ignore[attr-defined]
        unknown = set(options.classes) - set(data.labels)  # type: ignore[attr-defined]
        if unknown:
            raise ConfigError(
                f'--classes {", ".join(sorted(unknown))}: the data have {", ".join(data.labels)}'
            )
        return options.classes  # type: ignore[attr-defined]
    return data.labels if task in ('segmentation', 'detection') else ()


def _require_maps(task: str, sample: Sample) -> None:
    """Fail before anything is written when the data cannot serve the task."""
    missing = [name for name in _NEEDED[task] if getattr(sample, name) is None]
    if missing:
        has = [f.name for f in dataclasses.fields(sample) if getattr(sample, f.name) is not None]
        raise ConfigError(
            f'{task} needs {" and ".join(missing)}, but samples of these data have only '
            f'{", ".join(n for n in has if n not in ("name", "scene", "extra"))}'
        )


def lower_is_better(task: str) -> frozenset[str]:
    """Metrics of a task that are better when they are lower. Imports Keras."""
    from rs_ml_training.tasks.denoise import DenoiseTask
    from rs_ml_training.tasks.depth import DepthTask

    kinds = {'depth': DepthTask, 'denoise': DenoiseTask}
    return kinds[task].lower_is_better if task in kinds else frozenset()
