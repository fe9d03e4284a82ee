"""Predictions as files: plain results, and the further files that a style asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rs_ml_perception.core.drawing.annotations import draw_captioned_boxes
from rs_ml_perception.core.drawing.colormap import FollowingRange, depth_range_m, normals_image
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.geometry import clouds
from rs_ml_perception.core.options import Options, option

from rs_ml_training.data import encodings
from rs_ml_training.data.sample import Boxes, Sample
from rs_ml_training.prediction import colors
from rs_ml_training.prediction.results import (
    BoxPrediction,
    DenoisePrediction,
    DepthPrediction,
    MaskPrediction,
    Prediction,
)
from rs_ml_training.trained import ModelSpec

PANORAMIC = ('pano-depth',)
"""Networks for equirectangular images."""

Files = dict[str, np.ndarray | bytes]
"""Ending of a file name -> image (uint8 RGB, or one channel of 8 or 16 bit) or bytes."""

STRIP = '_strip.png'

Range = tuple[float, float]


@dataclass(frozen=True, eq=False)
class StyleOptions(Options):
    """Which files are made of a prediction, and how."""

    pictures: bool = option(True, 'colours and overlays for looking at', group='output')
    colormap: str = option('viridis', 'of depth', choices=colors.COLORMAPS, group='output')
    strips: bool = option(False, 'image, truth and prediction side by side', group='output')
    errors: bool = option(False, 'error against the truth in jet colours', group='output')
    error_limit: float = option(0.5, 'relative error of the last colour', low=1e-3, group='output')
    normals: bool = option(False, 'surface normals as colours', group='output')
    cloud: bool = option(False, 'coloured point cloud, .ply', group='output')
    keep_edges: bool = option(True, 'keep points on depth edges in clouds', group='output')
    intermediates: bool = option(False, 'further maps of the network, in grey', group='output')
    panorama: bool = option(False, 'images are equirectangular', group='input')


@dataclass(frozen=True, eq=False)
class Style(StyleOptions):
    """The options, with values from the network and the range of the colours.

    Attributes:
        range_m: distances of the first and last colour; None: those of each image.
        encoding: of depth files, see data.encodings.ENCODINGS.
        opacity: of the class colours over the image.
        min_score: of boxes that are drawn.
        labels: class names by id.
        palette: uint8 (256, 3) RGB by class id.
    """

    range_m: tuple[float, float] | None = None
    encoding: str = 'mm'
    opacity: float = 0.5
    min_score: float = 0.3
    labels: tuple[str, ...] = ()
    palette: np.ndarray | None = None

    def colors(self) -> np.ndarray:
        """The palette, uint8 (256, 3) RGB."""
        if self.palette is not None:
            return self.palette
        return colors.palette((), max(len(self.labels), 2))

    def points(self, depth_m: np.ndarray, sample: Sample) -> np.ndarray:
        """Points of a depth map, float32 (H, W, 3) metres.

        Raises:
            ConfigError: the camera is unknown.
        """
        if self.panorama:
            return clouds.points_of(depth_m, None)
        camera = sample.intrinsics
        if camera is None:
            raise ConfigError(
                f'normals and clouds need the camera of {sample.name}: '
                'give --intrinsics fx,fy,cx,cy'
            )
        height, width = depth_m.shape
        return clouds.points_of(depth_m, camera.resized(width, height))


class SteadyRange:
    """The style of one frame after the other, with a colour range that follows slowly.

    A range of each frame's own would make a video flicker.
    """

    def __init__(self, style: Style) -> None:
        self._style, self._range_m = style, FollowingRange()

    def __call__(self, prediction: Prediction) -> Style:
        """The style for the frame that this was predicted of."""
        if self._style.range_m or not isinstance(prediction, (DepthPrediction, DenoisePrediction)):
            return self._style
        return replace(self._style, range_m=self._range_m(prediction.depth_m))


def depth_encoding(spec: ModelSpec) -> str:
    """Millimetres where 16 bits hold the range of the network, else KITTI's 1/256 m."""
    return 'mm' if spec.depth_range_m[1] <= 65.0 else 'kitti'


def files_of(sample: Sample, prediction: Prediction, style: Style) -> Files:
    """Everything that is written about one sample.

    Raises:
        ConfigError: normals or a cloud of an image without known camera.
    """
    return _RENDERINGS[type(prediction)](sample, prediction, style)


def _depth(sample: Sample, prediction: DepthPrediction, style: Style) -> Files:
    depth_m, truth_m = prediction.depth_m, sample.depth_m
    files: Files = {'_depth.png': encodings.encode(depth_m, style.encoding)}
    shown = style.range_m or depth_range_m(depth_m, truth_m)
    if style.pictures:
        files['_color.png'] = colors.depth_image(depth_m, shown, style.colormap)
    if style.intermediates:
        for name, map_m in prediction.intermediates_m.items():
            ending = f'_{name.removesuffix("_m")}'
            files[f'{ending}.png'] = encodings.encode(map_m, style.encoding)
            files[f'{ending}_greys.png'] = colors.depth_image(map_m, shown, 'greys')
    return files | _of_geometry(sample, depth_m, shown, style)


def _denoise(sample: Sample, prediction: DenoisePrediction, style: Style) -> Files:
    depth_m, confidence = prediction.depth_m, prediction.confidence
    files: Files = {'_depth.png': encodings.encode(depth_m, style.encoding)}
    shown = style.range_m or depth_range_m(sample.raw_depth_m, sample.depth_m)
    if style.pictures:
        files['_color.png'] = colors.depth_image(depth_m, shown, style.colormap)
    if style.pictures and confidence is not None:
        files['_confidence.png'] = np.rint(confidence * 255).astype(np.uint8)
    return files | _of_geometry(sample, depth_m, shown, style)


def _of_geometry(sample: Sample, depth_m: np.ndarray, shown: Range, style: Style) -> Files:
    files: Files = {}
    if style.strips:
        files[STRIP] = _depth_strip(sample, depth_m, shown, style)
    if style.errors and sample.depth_m is not None:
        error = colors.error_image(depth_m, sample.depth_m, style.error_limit)
        files['_error.png'] = error
    if style.normals or style.cloud:
        points = style.points(depth_m, sample)
        if style.normals:
            files['_normals.png'] = normals_image(clouds.normals_of(points))
        if style.cloud:
            keep = None if style.keep_edges else ~clouds.is_edge(depth_m)
            files['_cloud.ply'] = clouds.ply_bytes(points, _rgb(sample, depth_m, shown), keep)
    return files


def _depth_strip(sample: Sample, depth_m: np.ndarray, shown: Range, style: Style) -> np.ndarray:
    maps = (sample.raw_depth_m if sample.image is None else None, sample.depth_m, depth_m)
    painted = [colors.depth_image(m, shown, style.colormap) for m in maps if m is not None]
    return colors.side_by_side(*([] if sample.image is None else [sample.image]), *painted)


def _rgb(sample: Sample, depth_m: np.ndarray, shown: Range) -> np.ndarray:
    if sample.image is not None:
        return sample.image
    if sample.infrared is not None:
        return np.repeat(sample.infrared[..., None], 3, axis=2)
    return colors.depth_image(depth_m, shown)


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


def detection_fields(prediction: BoxPrediction, labels: tuple[str, ...]) -> list[dict[str, Any]]:
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
