"""The result of a model for one image, drawn and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rs_ml_perception.core.drawing.annotations import (
    annotate_detections,
    colorize_depth,
    overlay_mask,
    transparent_ids,
)
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.inference.model import Model
from rs_ml_perception.recordings.pictures import write_picture
from rs_ml_perception.tasks.denoise import Denoiser
from rs_ml_perception.tasks.detection import Detector
from rs_ml_perception.tasks.mono_depth import DepthEstimator
from rs_ml_perception.tasks.segmentation import Segmenter

Drawn = tuple[np.ndarray, str]


def draw_result(model: Model, frame: Frame, path: Path) -> str:
    """Write the picture of a result.

    Args:
        model: of any task.
        frame: with the images that the task needs.
        path: of the picture.

    Returns:
        What the picture shows, in words.

    Raises:
        InputError: the frame lacks an image.
    """
    picture, words = _DRAW[model.manifest.task](model, frame)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_picture(path, picture)
    return words


def _detections(model: Model, frame: Frame) -> Drawn:
    found = Detector(model)(frame.color_image)
    names = Counter(model.labels.name(i) or f'class {i}' for i in found.class_ids)
    words = ', '.join(f'{count} {name}' for name, count in names.most_common()) or 'no object'
    return annotate_detections(frame.color_image, found, model.labels), words


def _masks(model: Model, frame: Frame) -> Drawn:
    mask = Segmenter(model)(frame.color_image, frame)
    ids, counts = np.unique(mask, return_counts=True)
    rows = zip(ids, counts / mask.size, strict=True)
    words = ', '.join(f'{model.labels.name(i) or f"class {i}"} {part:.0%}' for i, part in rows)
    clear = transparent_ids(model.labels)
    return overlay_mask(frame.color_image, mask, transparent=clear), words


def _mono_depth(model: Model, frame: Frame) -> Drawn:
    return _depth(DepthEstimator(model)(frame.color_image, frame.camera).depth_m)


def _denoised(model: Model, frame: Frame) -> Drawn:
    if frame.depth is None:
        raise InputError(f'{model.title} needs depth, which the image lacks: give a recording')
    return _depth(Denoiser(model)(frame.depth, frame.infrared).depth_m)


def _depth(depth_m: np.ndarray) -> Drawn:
    seen = depth_m[np.isfinite(depth_m)]
    if not len(seen):
        return colorize_depth(depth_m), 'no depth'
    near, middle, far = np.percentile(seen, [5, 50, 95])
    words = f'depths of {near:.2f}, {middle:.2f} and {far:.2f} m (5, 50 and 95 %)'
    return colorize_depth(depth_m), words


_DRAW: dict[str, Callable[[Model, Frame], Drawn]] = {
    'detection': _detections,
    'segmentation': _masks,
    'mono_depth': _mono_depth,
    'denoise': _denoised,
}
