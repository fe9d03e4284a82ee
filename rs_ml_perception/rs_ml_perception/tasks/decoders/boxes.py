"""Detection heads: raw tensors to boxes in pixels of the network input. Lists, and the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.core.objects.boxes import xyxy_from_yxyx
from rs_ml_perception.tasks.decoders.dense_heads import (
    decode_centernet,
    decode_gfl,
    decode_gfl_head,
    decode_yolo_head,
)
from rs_ml_perception.tasks.decoders.raw_boxes import RawBoxes


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
    return (fractions * np.array([*model_size, *model_size])).astype(np.float32)


_GFL_OPTIONS = {'strides': (8, 16, 32, 64), 'cell_offset': 0.0}

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
