"""One decoder for heads that predict a box and its class scores for every cell or query.

Confident rows are picked first, then decoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.core.objects.boxes import (
    cell_centres,
    expected_distances,
    xyxy_from_cxcywh,
    xyxy_from_edges,
)
from rs_ml_perception.tasks.decoders.checks import require_numbers
from rs_ml_perception.tasks.decoders.raw_boxes import CORNER_FORMS, RawBoxes, corners_px

EDGES = 4
DENSE_OPTIONS: Mapping[str, Any] = {
    'box_form': 'cxcywh',
    'box_unit': 'pixel',
    'bins': 0,
    'objectness': False,
    'activation': 'none',
    'background': 'none',
    'columns': 'boxes_first',
    'extra_columns': 0,
    'strides': (),
    'cell_offset': 0.0,
    'classes': 0,
}
DENSE_WORDS: Mapping[str, tuple[str, ...]] = {
    'box_form': (*CORNER_FORMS, 'edges', 'log_size'),
    'box_unit': ('pixel', 'fraction', 'cell'),
    'activation': ('none', 'sigmoid', 'softmax'),
    'background': ('none', 'first', 'last'),
    'columns': ('boxes_first', 'classes_first'),
}


@dataclass(frozen=True, eq=False)
class _Rows:
    """A head, row by row.

    Attributes:
        boxes: (N, 4), or (N, 4 * bins) distributions over distances.
        scores: (N, classes), as the network gives them.
        objectness: (N,), or None.
    """

    boxes: np.ndarray
    scores: np.ndarray
    objectness: np.ndarray | None


def decode_dense(
    outputs: Mapping[str, np.ndarray],
    model_size: tuple[int, int],
    min_score: float,
    options: Mapping[str, Any],
) -> RawBoxes:
    """Boxes of a dense head.

    Its outputs are `head`, (1, N, columns) or transposed, or else `boxes` (also `distances`) and
    `scores`; one map or list per stride is named `scores_8`, `scores_16` and so on. Options:

    * box_form: xyxy, yxyx, cxcywh; edges: distances from the reference point of the cell to the
      left, top, right and bottom edge; log_size: centre beyond the corner of the cell, and
      logarithm of the size, in cells (YOLOX, arXiv 2107.08430).
    * box_unit: pixel, fraction of the input, or cell.
    * bins: of the distribution over whole distances of each edge (arXiv 2006.04388), 0: the edge
      itself. Separate tensors need no number.
    * objectness: whether a column before the classes multiplies their scores.
    * activation: what is still to be applied to the scores.
    * background: class column without objects; ids count from the first column.
    * columns: order in `head`. extra_columns: at its end, not read (masks, key points).
    * strides: cell sizes in pixels, in the order of the head; row by row. cell_offset: position
      of the reference point in its cell, in cells.
    * classes: number of class ids; 0: by the labels.

    Raises:
        ModelError: the tensors do not fit the options.
        InputError: scores are NaN.
    """
    rows = _rows(outputs, options)
    keep, scores, class_ids = _confident(rows, min_score, options)
    xyxy = _corners(rows.boxes, keep, model_size, options)
    return RawBoxes(xyxy, scores.astype(np.float32), class_ids.astype(np.int32))


def joined(outputs: Mapping[str, np.ndarray], name: str, strides: tuple[int, ...]) -> list[Any]:
    """The tensor of a name, or its parts by stride; empty if there are none."""
    if name in outputs:
        return [outputs[name]]
    parts = [outputs.get(f'{name}_{stride}') for stride in strides]
    return [] if any(part is None for part in parts) else parts


def _rows(outputs: Mapping[str, np.ndarray], options: Mapping[str, Any]) -> _Rows:
    strides = tuple(options['strides'])
    classes = options['classes'] and options['classes'] + (options['background'] == 'last')
    head = joined(outputs, 'head', strides)
    if head:
        edges = EDGES * max(1, options['bins'])
        others = edges + options['objectness'] + options['extra_columns']
        return _split(_table(head, classes and classes + others, 'head', others), edges, options)
    boxes = joined(outputs, 'boxes', strides) or joined(outputs, 'distances', strides)
    table = _table(boxes, EDGES * options['bins'], 'boxes')
    scores = _table(joined(outputs, 'scores', strides), classes, 'scores')
    objectness = joined(outputs, 'objectness', strides)
    found = _Rows(table, scores, _table(objectness, 1, '')[:, 0] if objectness else None)
    if len(table) != len(scores) or table.shape[1] % EDGES:
        raise ModelError(
            f'the head gives boxes {table.shape} and scores {scores.shape}, where each row needs '
            'four edges and its scores: correct outputs or strides in the manifest'
        )
    return found


def _table(parts: list[np.ndarray], columns: int, name: str, others: int = 0) -> np.ndarray:
    """Parts (1, N, columns), (1, columns, N) or maps of either order as one table."""
    tables = [_oriented(part, columns, name, others) for part in parts]
    return tables[0] if len(tables) == 1 else np.concatenate(tables)


def _oriented(part: np.ndarray, columns: int, name: str, others: int) -> np.ndarray:
    array = part[0] if part.ndim > 2 else part
    if array.ndim == 4:  # anchors by themselves
        array = array.reshape(-1, array.shape[-1])
    if array.ndim not in (2, 3):
        raise ModelError(f'{name} must have rows of numbers, got shape {part.shape}')
    if not columns:
        is_upright = array.ndim == 3 or name != 'head' or array.shape[0] > array.shape[1]
    elif array.shape[-1] == columns:
        is_upright = True
    elif array.shape[0] == columns:
        is_upright = False
    else:
        raise ModelError(_misfit(name, part.shape, columns, others))
    rows: np.ndarray = array if is_upright else np.moveaxis(array, 0, -1)
    return rows if rows.ndim == 2 else rows.reshape(-1, rows.shape[-1])


def _misfit(name: str, shape: tuple[int, ...], columns: int, others: int) -> str:
    classes, spare = columns - others, min(shape[1:]) - others
    reading = f'{columns} columns ({others} and a score for each of {classes} classes)'
    hint = f'; {spare} classes would fit' if spare > 0 and name != 'boxes' else ''
    return (
        f'{name} has shape {list(shape)}, which has no axis of {reading}{hint}: name every class '
        'in labels, or correct classes, objectness, bins or extra_columns in decoder_options'
    )


def _split(head: np.ndarray, edges: int, options: Mapping[str, Any]) -> _Rows:
    """The columns of `head`."""
    end = head.shape[1] - options['extra_columns']
    classes = end - edges - options['objectness']
    if classes < 1:
        raise ModelError(
            f'the head gives {head.shape[1]} numbers a row, too few for a class and {edges} of '
            'the box: correct bins, objectness or extra_columns in decoder_options'
        )
    if options['columns'] == 'boxes_first':
        boxes, scores = head[:, :edges], head[:, end - classes : end]
        objectness = head[:, edges]
    else:
        boxes, scores = head[:, end - edges : end], head[:, end - edges - classes : end - edges]
        objectness = head[:, 0]
    return _Rows(boxes, scores, objectness if options['objectness'] else None)


def _confident(
    rows: _Rows, min_score: float, options: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices, scores and class ids of the rows whose best score reaches the minimum."""
    scores, is_sigmoid = rows.scores, options['activation'] == 'sigmoid'
    if options['activation'] == 'softmax':
        scores = _softmax(scores)
    first = int(options['background'] == 'first')
    scores = scores[:, first : scores.shape[1] - (options['background'] == 'last')]
    best = scores.max(axis=1)
    require_numbers(best, 'scores')
    cut = _logit(min_score) if is_sigmoid else min_score
    is_kept = best >= cut
    if rows.objectness is not None:
        require_numbers(rows.objectness, 'objectness')
        is_kept &= rows.objectness >= cut
    keep = np.flatnonzero(is_kept)
    found = _sigmoid(best[keep]) if is_sigmoid else best[keep]
    if rows.objectness is not None:
        objectness = rows.objectness[keep]
        found = found * (_sigmoid(objectness) if is_sigmoid else objectness)
        enough = found >= min_score
        keep, found = keep[enough], found[enough]
    return keep, found, scores[keep].argmax(axis=1) + first


def _corners(
    boxes: np.ndarray, keep: np.ndarray, size: tuple[int, int], options: Mapping[str, Any]
) -> np.ndarray:
    form, unit = options['box_form'], options['box_unit']
    if form in CORNER_FORMS:
        return corners_px(boxes[keep], form, unit, size)
    points, steps = _cells(size, tuple(options['strides']), float(options['cell_offset']))
    if len(boxes) != len(points):
        raise ModelError(
            f'the head gives {len(boxes)} rows, but strides {list(options["strides"])} at '
            f'{size[0]}x{size[1]} have {len(points)} cells: correct decoder_options or the input '
            'size in the manifest'
        )
    points, steps = points[keep], steps[keep, None]
    if form == 'log_size':
        centres = points + boxes[keep, :2] * steps
        sizes = np.exp(boxes[keep, 2:]) * steps
        return xyxy_from_cxcywh(np.concatenate([centres, sizes], axis=1)).astype(np.float32)
    bins = boxes.shape[1] // EDGES
    distances = boxes[keep]
    if bins > 1:
        distances = expected_distances(distances.reshape(len(keep), EDGES, bins))
    return xyxy_from_edges(points, distances * steps if unit == 'cell' else distances)


@lru_cache(maxsize=8)
def _cells(
    size: tuple[int, int], strides: tuple[int, ...], offset: float
) -> tuple[np.ndarray, np.ndarray]:
    if not strides:
        raise ModelError('box_form edges and log_size need strides in decoder_options')
    return cell_centres(size, strides, offset)


def _logit(probability: float) -> float:
    with np.errstate(divide='ignore'):
        return float(np.log(probability) - np.log1p(-probability))


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(np.float32(0), -logits.astype(np.float32)))


def _softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: np.ndarray = odds / odds.sum(axis=1, keepdims=True)
    return probabilities
