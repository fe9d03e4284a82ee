"""Detection heads: raw tensors to boxes in pixels of the network input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rs_ml_perception.core.boxes import xyxy_from_cxcywh, xyxy_from_yxyx
from rs_ml_perception.core.errors import ModelError


@dataclass(frozen=True, eq=False)
class RawBoxes:
    """Boxes as the head gives them, unordered and unclipped.

    Attributes:
        xyxy: float32 (N, 4), pixels of the network input.
        scores: float32 (N,).
        class_ids: int32 (N,).
    """

    xyxy: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray


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
        boxes = _scaled(boxes, model_size)
    class_ids = class_scores[:, keep].argmax(axis=0).astype(np.int32)
    return RawBoxes(boxes.astype(np.float32), best[keep].astype(np.float32), class_ids)


def _scaled(fractions: np.ndarray, model_size: tuple[int, int]) -> np.ndarray:
    return (fractions * np.array([*model_size, *model_size])).astype(np.float32)


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
}


def check_outputs(name: str, wanted: tuple[str, ...], outputs: Mapping[str, str]) -> None:
    """Raise ModelError unless the manifest maps every output a decoder reads."""
    missing = [output for output in wanted if output not in outputs]
    if missing:
        raise ModelError(
            f'{name}: the decoder needs outputs {list(wanted)}, the manifest lacks {missing}'
        )


def fill_options(
    name: str, defaults: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Decoder options with their defaults; an unknown one is a ModelError."""
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise ModelError(
            f'{name}: decoder_options {unknown} unknown, known are {sorted(defaults)}'
        )
    return {**defaults, **given}
