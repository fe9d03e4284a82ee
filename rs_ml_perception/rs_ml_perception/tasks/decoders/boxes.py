"""Detection heads: raw tensors to boxes in pixels of the network input.

Dense heads predict at every cell: confident cells are picked first, then decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.core.objects.boxes import (
    cell_centres,
    expected_distances,
    heatmap_peaks,
    xyxy_from_cxcywh,
    xyxy_from_edges,
    xyxy_from_yxyx,
)

EDGES = 4


_GFL_OPTIONS = {'strides': (8, 16, 32, 64), 'cell_offset': 0.0}


@dataclass(frozen=True, eq=False)
class RawBoxes:
    """Boxes as the head predicts them, unordered and unclipped.

    Attributes:
        xyxy: float32 (N, 4), pixels of the network input.
        scores: float32 (N,).
        class_ids: int32 (N,).
    """

    xyxy: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray


def decode_yolo_head(
    outputs: Mapping[str, np.ndarray],
    model_size: tuple[int, int],
    min_score: float,
    options: Mapping[str, Any],
) -> RawBoxes:
    """YOLOv8 style head.

    `head` (1, 4 + C, N), or transposed: centre, size, and one probability per class. Centre and
    size are fractions of the input (option box_unit: fraction, as the TFLite export has it) or
    pixels (pixel, as ONNX).
    """
    head = outputs['head'][0]
    head = head if head.shape[0] < head.shape[1] else head.T
    class_scores = head[4:]
    best = class_scores.max(axis=0)
    keep = np.flatnonzero(best >= min_score)
    boxes = xyxy_from_cxcywh(head[:4, keep].T)
    if options['box_unit'] == 'fraction':
        boxes = boxes * np.array([*model_size, *model_size])
    class_ids = class_scores[:, keep].argmax(axis=0).astype(np.int32)
    return RawBoxes(boxes.astype(np.float32), best[keep].astype(np.float32), class_ids)


def decode_gfl(
    outputs: Mapping[str, np.ndarray],
    model_size: tuple[int, int],
    min_score: float,
    options: Mapping[str, Any],
) -> RawBoxes:
    """Head of generalized focal loss (arXiv 2006.04388), as NanoDet and PP-PicoDet have it.

    `scores` (1, N, C): class logits. `distances` (1, N, 4 * bins): logits of the distances to the
    left, top, right and bottom edge, bin i standing for i cells. N: cells of options strides, row
    by row; option cell_offset: where in a cell its reference point lies, in cells.

    Raises:
        ModelError: the numbers of cells or bins do not fit.
    """
    logits, distances = outputs['scores'][0], outputs['distances'][0]
    points, steps = _cells(model_size, tuple(options['strides']), float(options['cell_offset']))
    if not len(logits) == len(distances) == len(points) or distances.shape[1] % EDGES:
        raise ModelError(
            f'the head gives scores {logits.shape} and distances {distances.shape}, but strides '
            f'{list(options["strides"])} at {model_size[0]}x{model_size[1]} have {len(points)} '
            'cells with four edges each: correct decoder_options or the input size in the manifest'
        )
    best = logits.max(axis=1)
    keep = np.flatnonzero(best >= _logit(min_score))
    bins = distances[keep].reshape(len(keep), EDGES, distances.shape[1] // EDGES)
    boxes = xyxy_from_edges(points[keep], expected_distances(bins) * steps[keep, None])
    class_ids = logits[keep].argmax(axis=1).astype(np.int32)
    return RawBoxes(boxes, _sigmoid(best[keep]), class_ids)


def decode_gfl_head(
    outputs: Mapping[str, np.ndarray],
    model_size: tuple[int, int],
    min_score: float,
    options: Mapping[str, Any],
) -> RawBoxes:
    """The same in one tensor: `head` (1, N, C + 4 * bins) or transposed; option bins."""
    head = outputs['head'][0]
    head = head if head.shape[0] > head.shape[1] else head.T
    classes = head.shape[1] - EDGES * int(options['bins'])
    if classes < 1:
        raise ModelError(
            f'the head gives {head.shape[1]} numbers a cell, too few for a class and four edges '
            f'of {options["bins"]} bins: correct bins in decoder_options'
        )
    split = {'scores': head[None, :, :classes], 'distances': head[None, :, classes:]}
    return decode_gfl(split, model_size, min_score, options)


def decode_centernet(
    outputs: Mapping[str, np.ndarray],
    model_size: tuple[int, int],
    min_score: float,
    options: Mapping[str, Any],
) -> RawBoxes:
    """Peaks of heat maps (arXiv 1904.07850).

    `heatmap` (1, h, w, C): scores in 0..1. `size` (1, h, w, 2): width and height in pixels of the
    network input. `offset` (1, h, w, 2): x and y of the centre beyond its cell's upper left
    corner, in cells.
    """
    heat = outputs['heatmap'][0]
    # Most of a map is 0, which is never a peak.
    peaks = heatmap_peaks(heat, max(min_score, float(np.finfo(np.float32).tiny)))
    where = peaks.rows, peaks.columns
    cells_px = np.array(model_size, np.float32) / (heat.shape[1], heat.shape[0])
    corners = np.stack([peaks.columns, peaks.rows], axis=1)
    centres = (corners + outputs['offset'][0][where]) * cells_px
    boxes = xyxy_from_cxcywh(np.concatenate([centres, outputs['size'][0][where]], axis=1))
    scores = peaks.values.astype(np.float32)
    return RawBoxes(boxes.astype(np.float32), scores, peaks.channels.astype(np.int32))


@lru_cache(maxsize=8)
def _cells(
    size: tuple[int, int], strides: tuple[int, ...], offset: float
) -> tuple[np.ndarray, np.ndarray]:
    return cell_centres(size, strides, offset)


def _logit(probability: float) -> float:
    with np.errstate(divide='ignore'):
        return float(np.log(probability) - np.log1p(-probability))


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(np.float32(0), -logits.astype(np.float32)))


@dataclass(frozen=True)
class BoxDecoder:
    """One row of the table of detection heads.

    Attributes:
        decode: (outputs, model_size, min_score, options) -> RawBoxes with scores >= min_score.
        outputs: names the manifest must map to tensors.
        suppresses: whether the network has removed duplicates itself, unless decoder_options say
            `leaves_duplicates`.
        options: name -> default of decoder_options.
    """

    decode: Callable[
        [Mapping[str, np.ndarray], tuple[int, int], float, Mapping[str, Any]], RawBoxes
    ]
    outputs: tuple[str, ...]
    suppresses: bool
    options: Mapping[str, Any]


def decode_tf_detection(
    outputs: Mapping[str, np.ndarray],
    model_size: tuple[int, int],
    min_score: float,
    options: Mapping[str, Any],
) -> RawBoxes:
    """TF Object Detection API and TFLite_Detection_PostProcess.

    `boxes` (1, N, 4) [y_min, x_min, y_max, x_max] as fractions of the input, `classes` and
    `scores` (1, N), `count` (1,): rows from count on are padding. The API counts classes from 1,
    the TFLite operation from 0: the labels say which.
    """
    count = int(np.rint(np.ravel(outputs['count'])[0]))
    scores = np.asarray(outputs['scores'][0, :count], np.float32)
    keep = scores >= min_score
    boxes = xyxy_from_yxyx(outputs['boxes'][0, :count][keep])
    class_ids = np.rint(outputs['classes'][0, :count][keep]).astype(np.int32)
    return RawBoxes(_scaled(boxes, model_size), scores[keep], class_ids)


def decode_ssd_rows(
    outputs: Mapping[str, np.ndarray],
    model_size: tuple[int, int],
    min_score: float,
    options: Mapping[str, Any],
) -> RawBoxes:
    """OpenCV's DetectionOutput layer.

    `rows` (1, 1, N, 7): [image, class, score, x_min, y_min, x_max, y_max], corners as fractions;
    image is -1 from where the rows are padding.
    """
    rows = outputs['rows'].reshape(-1, 7)
    keep = (rows[:, 2] >= min_score) & (rows[:, 0] >= 0)
    rows = rows[keep]
    return RawBoxes(
        _scaled(rows[:, 3:], model_size),
        rows[:, 2].astype(np.float32),
        np.rint(rows[:, 1]).astype(np.int32),
    )


def _scaled(fractions: np.ndarray, model_size: tuple[int, int]) -> np.ndarray:
    pixels: np.ndarray = fractions * np.array([*model_size, *model_size])
    return pixels.astype(np.float32)


BOX_DECODERS: dict[str, BoxDecoder] = {
    'tf_detection': BoxDecoder(
        decode_tf_detection,
        ('boxes', 'scores', 'classes', 'count'),
        True,
        {'leaves_duplicates': False},
    ),
    'tflite_postprocess': BoxDecoder(
        decode_tf_detection, ('boxes', 'scores', 'classes', 'count'), True, {}
    ),
    'ssd_rows': BoxDecoder(decode_ssd_rows, ('rows',), True, {}),
    'yolo_head': BoxDecoder(decode_yolo_head, ('head',), False, {'box_unit': 'fraction'}),
    'gfl': BoxDecoder(decode_gfl, ('scores', 'distances'), False, _GFL_OPTIONS),
    'gfl_head': BoxDecoder(decode_gfl_head, ('head',), False, {**_GFL_OPTIONS, 'bins': 8}),
    'centernet': BoxDecoder(decode_centernet, ('heatmap', 'size', 'offset'), False, {}),
}


def check_outputs(name: str, wanted: tuple[str, ...], outputs: Container[str]) -> None:
    """Raise ModelError unless the manifest maps every output a decoder reads."""
    missing = [output for output in wanted if output not in outputs]
    if missing:
        raise ModelError(
            f'{name}: the decoder needs outputs {list(wanted)}, the manifest lacks {missing}'
        )


def fill_options(
    name: str, defaults: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Decoder options with their defaults.

    Raises:
        ModelError: one is unknown, or of another kind than its default.
    """
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise ModelError(
            f'{name}: decoder_options {unknown} unknown, known are {sorted(defaults)}'
        )
    for key, value in given.items():
        if not _is_like(value, defaults[key]):
            raise ModelError(
                f'{name}: decoder_options {key} must be something like {defaults[key]!r}, '
                f'got {value!r}'
            )
    return {**defaults, **given}


def _is_like(value: Any, default: Any) -> bool:
    if isinstance(default, tuple):
        return isinstance(value, list | tuple) and bool(value) and all(map(_is_stride, value))
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))


def _is_stride(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
