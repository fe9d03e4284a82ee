"""Predictions as files: plain results first, pictures for people where wanted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from rs_ml_perception.core.drawing.annotations import draw_captioned_boxes
from rs_ml_perception.core.drawing.colormap import depth_range_m

from rs_ml_training.data import encodings
from rs_ml_training.data.sample import Boxes, Sample
from rs_ml_training.prediction import clouds, colors
from rs_ml_training.prediction.results import (
    BoxPrediction,
    DenoisePrediction,
    DepthPrediction,
    MaskPrediction,
    Prediction,
)
from rs_ml_training.prediction.style import Style

Files = dict[str, np.ndarray | bytes]
"""Ending of a file name -> picture (uint8 RGB, or one channel of 8 or 16 bit) or bytes."""

STRIP = '_strip.png'
Range = tuple[float, float]


def files_of(sample: Sample, prediction: Prediction, style: Style) -> Files:
    """Everything that is written about one sample.

    Raises:
        ConfigError: normals or a cloud of a picture whose camera is unknown.
    """
    return _RENDERINGS[type(prediction)](sample, prediction, style)


def _depth(sample: Sample, prediction: DepthPrediction, style: Style) -> Files:
    depth_m, truth_m = prediction.depth_m, sample.depth_m
    files: Files = {'_depth.png': encodings.encode(depth_m, style.encoding)}
    shown = style.range_m or depth_range_m(depth_m, truth_m)
    if style.pictures:
        files['_color.png'] = colors.depth_picture(depth_m, shown, style.colormap)
    if style.intermediates:
        for name, map_m in prediction.intermediates_m.items():
            ending = f'_{name.removesuffix("_m")}'
            files[f'{ending}.png'] = encodings.encode(map_m, style.encoding)
            files[f'{ending}_greys.png'] = colors.depth_picture(map_m, shown, 'greys')
    return files | _of_geometry(sample, depth_m, shown, style)


def _denoise(sample: Sample, prediction: DenoisePrediction, style: Style) -> Files:
    depth_m, confidence = prediction.depth_m, prediction.confidence
    files: Files = {'_depth.png': encodings.encode(depth_m, style.encoding)}
    shown = style.range_m or depth_range_m(sample.raw_depth_m, sample.depth_m)
    if style.pictures:
        files['_color.png'] = colors.depth_picture(depth_m, shown, style.colormap)
    if style.pictures and confidence is not None:
        files['_confidence.png'] = np.rint(confidence * 255).astype(np.uint8)
    return files | _of_geometry(sample, depth_m, shown, style)


def _of_geometry(sample: Sample, depth_m: np.ndarray, shown: Range, style: Style) -> Files:
    files: Files = {}
    if style.strips:
        files[STRIP] = _depth_strip(sample, depth_m, shown, style)
    if style.errors and sample.depth_m is not None:
        error = colors.error_picture(depth_m, sample.depth_m, style.error_limit)
        files['_error.png'] = error
    if style.normals or style.cloud:
        points = style.points(depth_m, sample)
        if style.normals:
            files['_normals.png'] = colors.normals_picture(clouds.normals_of(points))
        if style.cloud:
            keep = None if style.keep_edges else ~clouds.is_edge(depth_m)
            files['_cloud.ply'] = clouds.ply_bytes(points, _rgb(sample, depth_m, shown), keep)
    return files


def _depth_strip(sample: Sample, depth_m: np.ndarray, shown: Range, style: Style) -> np.ndarray:
    maps = (sample.raw_depth_m if sample.image is None else None, sample.depth_m, depth_m)
    painted = [colors.depth_picture(m, shown, style.colormap) for m in maps if m is not None]
    return colors.side_by_side(*([] if sample.image is None else [sample.image]), *painted)


def _rgb(sample: Sample, depth_m: np.ndarray, shown: Range) -> np.ndarray:
    if sample.image is not None:
        return sample.image
    if sample.infrared is not None:
        return np.repeat(sample.infrared[..., None], 3, axis=2)
    return colors.depth_picture(depth_m, shown)


def _mask(sample: Sample, prediction: MaskPrediction, style: Style) -> Files:
    mask, palette = prediction.mask, style.colors()
    files: Files = {'_mask.png': mask}
    if style.pictures:
        files['_overlay.png'] = colors.overlay(sample.rgb, mask, palette, style.opacity)
        files['_confidence.png'] = np.rint(prediction.confidence * 255).astype(np.uint8)
    if style.strips:
        maps = [m for m in (sample.labels, mask) if m is not None]
        files[STRIP] = colors.side_by_side(sample.rgb, *(palette[m] for m in maps))
    if style.errors and sample.labels is not None:
        wrong = (sample.labels != mask) & (sample.labels != 255)
        files['_error.png'] = wrong.astype(np.uint8) * 255
    return files


def _boxes(sample: Sample, prediction: BoxPrediction, style: Style) -> Files:
    files: Files = {}
    seen = prediction.above(style.min_score)
    if style.pictures or style.strips:
        texts = [
            f'{_label(style, class_id)} {score:.2f}'
            for class_id, score in zip(seen.class_ids, seen.scores, strict=True)
        ]
        drawn = _with_boxes(sample, seen.xyxy, seen.class_ids, texts, style)
        files['_overlay.png'] = drawn
        if style.strips:
            truth = sample.boxes or Boxes.of([], [])
            names = [_label(style, class_id) for class_id in truth.class_ids]
            true = _with_boxes(sample, truth.xyxy, truth.class_ids, names, style)
            files[STRIP] = colors.side_by_side(true, drawn)
    return files


def _with_boxes(
    sample: Sample, xyxy: np.ndarray, class_ids: np.ndarray, texts: list[str], style: Style
) -> np.ndarray:
    palette = style.colors().tolist()
    colors_of = [tuple(palette[class_id]) for class_id in class_ids]
    return draw_captioned_boxes(sample.rgb, xyxy, texts, colors_of, captions_on_top=True)


def detection_fields(prediction: BoxPrediction, labels: tuple[str, ...]) -> list[dict]:
    """Boxes as JSON values: label, score, box [x_min, y_min, x_max, y_max] in pixels."""
    return [
        {
            'label': labels[class_id] if class_id < len(labels) else str(int(class_id)),
            'score': round(float(score), 6),
            'box': [round(float(pixel), 3) for pixel in box],
        }
        for box, score, class_id in zip(
            prediction.xyxy, prediction.scores, prediction.class_ids, strict=True
        )
    ]


def _label(style: Style, class_id: int) -> str:
    return style.labels[class_id] if class_id < len(style.labels) else str(int(class_id))


_RENDERINGS: dict[type, Callable[..., Files]] = {
    DepthPrediction: _depth,
    DenoisePrediction: _denoise,
    MaskPrediction: _mask,
    BoxPrediction: _boxes,
}
