"""The table of detection heads: raw tensors to boxes in pixels of the network input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rs_ml_perception.core.objects.boxes import heatmap_peaks, xyxy_from_cxcywh
from rs_ml_perception.tasks.decoders.box_lists import (
    LIST_OPTIONS,
    LIST_WORDS,
    ROW_OPTIONS,
    ROW_WORDS,
    decode_box_list,
    decode_box_rows,
)
from rs_ml_perception.tasks.decoders.checks import require_numbers
from rs_ml_perception.tasks.decoders.dense_heads import (
    DENSE_OPTIONS,
    DENSE_WORDS,
    decode_dense,
)
from rs_ml_perception.tasks.decoders.raw_boxes import RawBoxes

__all__ = ['BOX_DECODERS', 'BoxDecoder', 'RawBoxes']


@dataclass(frozen=True)
class BoxDecoder:
    """One row of the table of detection heads.

    Attributes:
        decode: (outputs, model_size, min_score, options) -> RawBoxes with scores >= min_score.
        outputs: names the manifest must map to tensors; `NAME_8`, `NAME_16` and so on for all
            `strides` of the options stand for NAME.
        suppresses: whether the network has removed duplicates itself, unless decoder_options say
            `leaves_duplicates`.
        options: name -> default of decoder_options. `classes`: number of class ids, 0: that of
            the labels.
        words: name -> the values allowed; others: any of the kind of the default.
    """

    decode: Callable[
        [Mapping[str, np.ndarray], tuple[int, int], float, Mapping[str, Any]], RawBoxes
    ]
    outputs: tuple[str, ...]
    suppresses: bool
    options: Mapping[str, Any]
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


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
    require_numbers(heat, 'scores')
    # Most of a map is 0, which is never a peak.
    peaks = heatmap_peaks(heat, max(min_score, float(np.finfo(np.float32).tiny)))
    where = peaks.rows, peaks.columns
    cells_px = np.array(model_size, np.float32) / (heat.shape[1], heat.shape[0])
    corners = np.stack([peaks.columns, peaks.rows], axis=1)
    centres = (corners + outputs['offset'][0][where]) * cells_px
    boxes = xyxy_from_cxcywh(np.concatenate([centres, outputs['size'][0][where]], axis=1))
    scores = peaks.values.astype(np.float32)
    return RawBoxes(boxes.astype(np.float32), scores, peaks.channels.astype(np.int32))


def _dense(*outputs: str, suppresses: bool = False, **options: Any) -> BoxDecoder:
    known = {**DENSE_OPTIONS, **options, **({'leaves_duplicates': False} if suppresses else {})}
    return BoxDecoder(decode_dense, outputs, suppresses, known, DENSE_WORDS)


def _list(*outputs: str, **options: Any) -> BoxDecoder:
    return BoxDecoder(decode_box_list, outputs, True, {**LIST_OPTIONS, **options}, LIST_WORDS)


def _row(output: str, columns: str, box_unit: str = 'pixel') -> BoxDecoder:
    options = {**ROW_OPTIONS, 'columns': tuple(columns.split()), 'box_unit': box_unit}
    return BoxDecoder(decode_box_rows, (output,), True, options, ROW_WORDS)


_LIST = ('boxes', 'scores', 'classes')
_YOLO_STRIDES = (8, 16, 32)
_GFL: dict[str, Any] = {
    'box_form': 'edges',
    'box_unit': 'cell',
    'activation': 'sigmoid',
    'strides': (8, 16, 32, 64),
}
_CORNERS = 'x_min y_min x_max y_max'

BOX_DECODERS: dict[str, BoxDecoder] = {
    'tf_detection': _list(*_LIST, 'count', box_form='yxyx', box_unit='fraction'),
    'tflite_postprocess': _list(*_LIST, 'count', box_form='yxyx', box_unit='fraction'),
    'efficient_nms': _list(*_LIST, 'count'),
    'box_list': _list(*_LIST),
    'mmdet': BoxDecoder(decode_box_list, ('boxes', 'classes'), True, LIST_OPTIONS, LIST_WORDS),
    'ssd_rows': _row('rows', f'image class score {_CORNERS}', 'fraction'),
    'end_to_end': _row('detections', f'{_CORNERS} score class'),
    'yolov7_end_to_end': _row('detections', f'image {_CORNERS} class score'),
    'yolo_head': _dense('head', box_unit='fraction'),
    'yolov5': _dense('head', objectness=True),
    'yolov8': _dense('head'),
    'yolox': _dense('head', box_form='log_size', objectness=True, strides=_YOLO_STRIDES),
    'gfl': _dense('scores', 'distances', **_GFL),
    'gfl_head': _dense('head', columns='classes_first', bins=8, **_GFL),
    'picodet': _dense(
        'scores', 'distances', **(_GFL | {'activation': 'none', 'cell_offset': 0.5, 'bins': 8})
    ),
    'detr': _dense(
        'scores',
        'boxes',
        suppresses=True,
        box_unit='fraction',
        activation='softmax',
        background='last',
    ),
    'yolo_nas': _dense('scores', 'boxes', box_form='xyxy'),
    'rt_detr': _dense(
        'scores', 'boxes', suppresses=True, box_unit='fraction', activation='sigmoid'
    ),
    'centernet': BoxDecoder(decode_centernet, ('heatmap', 'size', 'offset'), False, {}),
}
