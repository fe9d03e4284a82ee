"""Lists of boxes that a network has already decoded: one tensor a column, or one row a box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.tasks.decoders.checks import require_numbers
from rs_ml_perception.tasks.decoders.raw_boxes import CORNER_FORMS, RawBoxes, corners_px

LIST_OPTIONS: Mapping[str, Any] = {
    'box_form': 'xyxy',
    'box_unit': 'pixel',
    'leaves_duplicates': False,
}
ROW_OPTIONS: Mapping[str, Any] = {
    'columns': ('x_min', 'y_min', 'x_max', 'y_max', 'score', 'class'),
    'box_unit': 'pixel',
    'leaves_duplicates': False,
}
LIST_WORDS: Mapping[str, tuple[str, ...]] = {
    'box_form': CORNER_FORMS,
    'box_unit': ('pixel', 'fraction'),
}
ROW_WORDS: Mapping[str, tuple[str, ...]] = {
    'columns': (*ROW_OPTIONS['columns'], 'image', 'other'),
    'box_unit': ('pixel', 'fraction'),
}


def decode_box_list(
    outputs: Mapping[str, np.ndarray],
    model_size: tuple[int, int],
    min_score: float,
    options: Mapping[str, Any],
) -> RawBoxes:
    """Boxes, scores and classes in tensors of their own, with or without batch axis.

    `boxes` (1, N, 4) in the box_form and box_unit of the options, `classes` and `scores` (1, N),
    and where the list is padded `count` (1,). Without `scores`, they are the fifth column of
    `boxes`. The TF Object Detection API counts classes from 1,
    TFLite_Detection_PostProcess from 0: the labels say which.

    Raises:
        ModelError: the lists differ in length.
        InputError: scores are NaN.
    """
    boxes = outputs['boxes'].reshape(-1, outputs['boxes'].shape[-1])
    if 'scores' not in outputs:
        boxes, outputs = boxes[:, :4], {**outputs, 'scores': boxes[:, 4:]}
    scores, classes = np.ravel(outputs['scores']), np.ravel(outputs['classes'])
    if boxes.shape[1] != 4 or not len(boxes) == len(scores) == len(classes):
        shapes = {name: list(outputs[name].shape) for name in ('boxes', 'scores', 'classes')}
        raise ModelError(
            f'boxes, scores and classes must have four numbers, one and one a box, got {shapes}: '
            'correct outputs in the manifest'
        )
    count = int(np.rint(np.ravel(outputs['count'])[0])) if 'count' in outputs else len(scores)
    scores = np.asarray(scores[:count], np.float32)
    require_numbers(scores, 'scores')
    keep = scores >= min_score
    xyxy = corners_px(boxes[:count][keep], options['box_form'], options['box_unit'], model_size)
    return RawBoxes(xyxy, scores[keep], np.rint(classes[:count][keep]).astype(np.int32))


def decode_box_rows(
    outputs: Mapping[str, np.ndarray],
    model_size: tuple[int, int],
    min_score: float,
    options: Mapping[str, Any],
) -> RawBoxes:
    """One tensor, `rows` or `detections`, (..., N, columns), the columns named in the options.

    A column `image` is -1 from where the rows are padding.

    Raises:
        ModelError: the tensor has another number of columns.
        InputError: scores are NaN.
    """
    names, (rows, *_) = list(options['columns']), outputs.values()
    if rows.shape[-1] != len(names):
        raise ModelError(
            f'rows have {rows.shape[-1]} numbers, decoder_options columns name {len(names)}: '
            f'{", ".join(names)}'
        )
    rows = rows.reshape(-1, len(names))
    if 'image' in names:
        rows = rows[rows[:, names.index('image')] >= 0]
    scores = rows[:, names.index('score')]
    require_numbers(scores, 'scores')
    rows = rows[scores >= min_score]
    corners = rows[:, [names.index(name) for name in ROW_OPTIONS['columns'][:4]]]
    return RawBoxes(
        corners_px(corners, 'xyxy', options['box_unit'], model_size),
        rows[:, names.index('score')].astype(np.float32),
        np.rint(rows[:, names.index('class')]).astype(np.int32),
    )
