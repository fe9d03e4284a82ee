"""Which decoder fits the outputs of a foreign network: by shapes, names and values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rs_ml_perception.core.objects.boxes import cell_centres
from rs_ml_perception.tasks.decoders.dense_heads import EDGES

_STRIDES = ((8, 16, 32), (8, 16, 32, 64), (8, 16, 32, 64, 128), (8, 16), (16, 32))
_FEW_ROWS = 1000
_GFL_CLASSES_FIRST = 8
_YOLO_EXTRAS = (32, 51)
"""Columns of masks and of 17 key points."""
_LARGEST_FRACTION = 2.0

_TF_NAMES = ('detection_boxes', 'detection_scores', 'detection_classes', 'num_detections')

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Recognised:
    """How to read a network.

    Attributes:
        task: one of manifest.TASKS.
        decoder: of the task.
        outputs: name read by the decoder -> tensor of the file.
        options: decoder_options.
        style: key of inference.image_input.STYLES, '' if the head does not tell how images are
            scaled.
    """

    task: str
    decoder: str
    outputs: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    style: str = ''


@dataclass(frozen=True)
class Clues:
    """The outputs of one run, and what else is known.

    Attributes:
        outputs: tensor of the file -> its value for a picture.
        size: (width, height) of the input in pixels.
        classes: number of class ids, 0: unknown.
    """

    outputs: Arrays
    size: tuple[int, int]
    classes: int = 0

    def cells(self, rows: int) -> tuple[int, ...]:
        """The strides whose cells are so many, () if none."""
        return next((s for s in _STRIDES if len(cell_centres(self.size, s)[0]) == rows), ())


def recognise_detector(clues: Clues) -> Recognised | None:
    """The detection head, None if it is none that is known."""
    found: Iterable[Recognised | None] = (look(clues) for look in _LOOKS)
    return next((head for head in found if head is not None), None)


def recognise_masks(clues: Clues) -> Recognised | None:
    """The head of a segmentation network: class ids, or scores with an axis of classes."""
    name, output = _first_image(clues)
    if output is None:
        return None
    if output.dtype.kind in 'iu' or (output.ndim == 3 and _are_whole(output)):
        return Recognised('segmentation', 'class_map', {'mask': name})
    if output.ndim != 4:
        return None
    channels = {output.shape[1], output.shape[3]}
    if clues.classes in channels and clues.classes > 1:
        return Recognised('segmentation', 'softmax', {'mask': name})
    if 1 in channels:
        kind = 'class_map' if _are_whole(output) and output.max() > 1 else 'sigmoid'
        return Recognised('segmentation', kind, {'mask': name})
    return None


def recognise_depth(clues: Clues) -> Recognised | None:
    """The head of a depth network: one image of numbers."""
    name, output = _first_image(clues)
    if output is None or np.squeeze(output).ndim != 2 or output.dtype.kind != 'f':
        return None
    return Recognised('mono_depth', 'depth', {'depth': name})


def _first_image(clues: Clues) -> tuple[str, np.ndarray | None]:
    """The only output that is an image; of several, the one named `out`, else the first."""
    images = {n: a for n, a in clues.outputs.items() if a.ndim >= 3 and min(a.shape[-2:]) > 0}
    name = 'out' if 'out' in images else next(iter(images), '')
    return name, images.get(name)


def _are_whole(array: np.ndarray) -> bool:
    return array.size > 0 and bool(np.array_equal(array, np.rint(array)))


def _named(names: Iterable[str], *words: str) -> str | None:
    """The only name that contains one of the words."""
    found = [n for n in names if any(word in n.lower() for word in words)]
    return found[0] if len(found) == 1 else None


def _box_list(clues: Clues) -> Recognised | None:
    """Boxes, scores and classes, with or without their count."""
    arrays = {n: a for n, a in clues.outputs.items() if a.ndim < 4}
    if set(_TF_NAMES) <= set(arrays):  # further ones repeat them before suppression
        arrays = {n: arrays[n] for n in _TF_NAMES}
    boxes = [n for n, a in arrays.items() if a.ndim >= 2 and a.shape[-1] == EDGES]
    if len(boxes) != 1 or not 3 <= len(arrays) <= 4:
        return None
    rows = int(np.prod(arrays[boxes[0]].shape[:-1]))
    lists = [n for n, a in arrays.items() if a.size == rows and n not in boxes]
    counts = [n for n, a in arrays.items() if a.size == 1 and n not in (*boxes, *lists[:2])]
    if len(lists) < 2 or len(arrays) - 3 > len(counts):
        return None
    scores = _named(lists, 'score', 'conf', 'prob')
    scores = scores or min(lists[:2], key=lambda n: _are_whole(arrays[n]))
    classes = _named(lists, 'class', 'label') or next(n for n in lists if n != scores)
    outputs = {'boxes': boxes[0], 'scores': scores, 'classes': classes}
    if len(arrays) == 3:
        return Recognised(
            'detection', 'box_list', outputs, _unit(arrays[boxes[0]]), style='torchvision'
        )
    is_tf = any(word in name for name in arrays for word in ('detection_', 'PostProcess', 'Call'))
    decoder = 'tf_detection' if is_tf else 'efficient_nms'
    options = {} if is_tf else _unit(arrays[boxes[0]])
    return Recognised('detection', decoder, {**outputs, 'count': counts[-1]}, options)


def _mmdet_list(clues: Clues) -> Recognised | None:
    """`dets` (1, N, 5) and `labels` (1, N), as MMDeploy exports them."""
    dets = [n for n, a in clues.outputs.items() if a.ndim >= 2 and a.shape[-1] == EDGES + 1]
    others = [n for n in clues.outputs if n not in dets]
    if len(dets) != 1 or len(others) != 1:
        return None
    if clues.outputs[others[0]].size != clues.outputs[dets[0]].size // (EDGES + 1):
        return None
    return Recognised('detection', 'mmdet', {'boxes': dets[0], 'classes': others[0]})


def _box_rows(clues: Clues) -> Recognised | None:
    """One tensor of few rows: six or seven numbers each."""
    name, rows = next(iter(clues.outputs.items()))
    others = [a for a in clues.outputs.values() if a is not rows and a.ndim < 4]
    count = rows[..., 0].size
    if others or rows.ndim < 2 or count > _FEW_ROWS or clues.cells(count):
        return None
    if rows.shape[-1] == 7:
        is_opencv = rows.ndim == 4
        decoder = 'ssd_rows' if is_opencv else 'yolov7_end_to_end'
        return Recognised(
            'detection',
            decoder,
            {'rows' if is_opencv else 'detections': name},
            style='' if is_opencv else 'ultralytics',
        )
    extra = rows.shape[-1] - 6
    if rows.ndim != 3 or extra not in (0, *_YOLO_EXTRAS):
        return None
    options = _unit(rows[..., :4])
    if extra:
        columns = ['x_min', 'y_min', 'x_max', 'y_max', 'score', 'class', *['other'] * extra]
        options['columns'] = columns
    return Recognised(
        'detection', 'end_to_end', {'detections': name}, options, style='ultralytics'
    )


def _one_head(clues: Clues) -> Recognised | None:
    """One tensor with a row per cell; masks and prototypes of YOLO next to it are not read."""
    heads = {n: a for n, a in clues.outputs.items() if a.ndim == 3}
    if len(heads) != 1 or not clues.classes:
        return None
    name, (head, *_) = next(iter(heads.items()))
    return _head_of(clues, name, head) or _head_of(clues, name, head.T)


def _head_of(clues: Clues, name: str, table: np.ndarray) -> Recognised | None:
    spare, outputs = table.shape[1] - clues.classes, {'head': name}
    strides = clues.cells(len(table))
    if spare - EDGES in (0, *_YOLO_EXTRAS):
        extra = {'extra_columns': spare - EDGES} if spare > EDGES else {}
        scores = table[:, EDGES : EDGES + clues.classes]
        options = {**_unit(table[:, :EDGES]), **_activation(scores)}
        return Recognised('detection', 'yolov8', outputs, options | extra, style='ultralytics')
    if spare == EDGES + 1:
        options = _activation(table[:, EDGES:])
        if strides and not _follows_cells(table[:, 0], clues.size, strides):
            return Recognised('detection', 'yolox', outputs, options | _other(strides), 'yolox')
        style = 'yolox' if strides else 'ultralytics'
        return Recognised(
            'detection', 'yolov5', outputs, options | _unit(table[:, :EDGES]), style=style
        )
    if strides and spare % EDGES == 0 and spare > EDGES:
        bins = spare // EDGES
        if bins == _GFL_CLASSES_FIRST:
            options = {**_activation(table[:, : clues.classes]), 'strides': strides, 'bins': bins}
            return Recognised('detection', 'gfl_head', outputs, options, style='nanodet')
        options = {**_activation(table[:, -clues.classes :]), 'strides': strides, 'bins': bins}
        options |= {'columns': 'boxes_first', 'cell_offset': 0.5}
        return Recognised('detection', 'gfl_head', outputs, options, style='ultralytics')
    return None


def _other(strides: tuple[int, ...]) -> dict[str, Any]:
    return {} if strides == _STRIDES[0] else {'strides': strides}


def _queries(clues: Clues) -> Recognised | None:
    """Boxes and scores in two tensors: DETR, RT-DETR, YOLO-NAS, our own gfl."""
    arrays = {n: a[0] for n, a in clues.outputs.items() if a.ndim == 3}
    if len(arrays) != 2 or len({len(a) for a in arrays.values()}) != 1 or not clues.classes:
        return None
    scores = _with_columns(arrays, clues.classes) or _with_columns(arrays, clues.classes + 1)
    boxes = [n for n, a in arrays.items() if a.shape[1] % EDGES == 0 and n not in scores[:1]]
    if not scores or not boxes:
        return None
    table, edges = arrays[scores[0]], arrays[boxes[-1]]
    outputs = {'scores': scores[0], 'boxes': boxes[-1]}
    if table.shape[1] == clues.classes + 1:
        return Recognised('detection', 'detr', outputs, style='imagenet')
    strides = clues.cells(len(table))
    if strides and edges.shape[1] > EDGES:
        options = {**_activation(table), 'strides': strides}
        outputs = {'scores': scores[0], 'distances': boxes[-1]}
        return Recognised('detection', 'gfl', outputs, options, style='nanodet')
    if strides:
        options = {**_activation(table), **_unit(edges)}
        return Recognised('detection', 'yolo_nas', outputs, options, style='ultralytics')
    return Recognised('detection', 'rt_detr', outputs, _activation(table), style='unit')


def _with_columns(arrays: Arrays, count: int) -> list[str]:
    """Tables of so many columns, those named as scores first."""
    found = [name for name, table in arrays.items() if table.shape[1] == count]
    return sorted(found, key=lambda name: not any(w in name for w in ('score', 'logit', 'class')))


def _strides_apart(clues: Clues) -> Recognised | None:
    """Scores and distances in tensors of their own for every stride, lists or maps."""
    if not clues.classes or len(clues.outputs) % 2:
        return None
    for strides in _STRIDES:
        if 2 * len(strides) != len(clues.outputs):
            continue
        found = [_of_stride(clues, stride) for stride in strides]
        if all(found):
            return _joined(clues, strides, [pair for pair in found if pair is not None])
    return None


def _of_stride(clues: Clues, stride: int) -> tuple[str, str, int] | None:
    """Scores, distances and bins of the cells of one stride."""
    cells = len(cell_centres(clues.size, (stride,))[0])
    scores, distances, bins = '', '', 0
    for name, array in clues.outputs.items():
        columns, remainder = divmod(array.size, cells)
        if remainder or array.ndim < 3 or columns not in array.shape:
            continue
        if columns == clues.classes:
            scores = name
        elif columns % EDGES == 0 and columns > EDGES:
            distances, bins = name, columns // EDGES
    return (scores, distances, bins) if scores and distances else None


def _joined(
    clues: Clues, strides: tuple[int, ...], pairs: list[tuple[str, str, int]]
) -> Recognised:
    outputs: dict[str, str] = {}
    for stride, (scores, distances, _) in zip(strides, pairs, strict=True):
        outputs |= {f'scores_{stride}': scores, f'distances_{stride}': distances}
    values = np.concatenate([clues.outputs[scores].ravel() for scores, _, _ in pairs])
    options = {**_activation(values), 'strides': strides, 'bins': pairs[0][2]}
    style = 'picodet' if pairs[0][2] == _GFL_CLASSES_FIRST else 'ultralytics'
    return Recognised('detection', 'picodet', outputs, options, style=style)


_LOOKS: tuple[Callable[[Clues], Recognised | None], ...] = (
    _box_list,
    _mmdet_list,
    _box_rows,
    _queries,
    _strides_apart,
    _one_head,
)


def _unit(boxes: np.ndarray) -> dict[str, Any]:
    """Fractions of the input hardly exceed 1, pixels of a whole picture do."""
    largest = float(np.nanmax(np.abs(boxes), initial=0))
    return {'box_unit': 'fraction' if 0 < largest <= _LARGEST_FRACTION else 'pixel'}


def _activation(scores: np.ndarray) -> dict[str, Any]:
    is_probability = scores.size == 0 or (scores.min() >= 0 and scores.max() <= 1)
    return {'activation': 'none' if is_probability else 'sigmoid'}


def _follows_cells(x: np.ndarray, size: tuple[int, int], strides: tuple[int, ...]) -> bool:
    """Whether centres grow with the cells that predict them, as decoded ones do."""
    points, _ = cell_centres(size, strides)
    if np.ptp(x) == 0:
        return False
    return bool(np.corrcoef(x, points[:, 0])[0, 1] > 0.5)
