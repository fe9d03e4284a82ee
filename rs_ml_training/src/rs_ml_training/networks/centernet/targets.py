"""Boxes of an image as target maps of the detector."""

from __future__ import annotations

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.sample import Boxes

MIN_OVERLAP = 0.7
# Heat of a crowd: close enough to 1 that the penalty-reduced loss ignores detections there, and
# below the 1 of a required centre.
CROWD_HEAT = 0.99


def targets_of(
    boxes: Boxes | None, size: tuple[int, int], classes: int = 1, stride: int = 4
) -> dict[str, np.ndarray]:
    """Training targets of one image.

    Boxes are clipped to the image, and empty ones are left out. Where centres fall into one cell,
    the smallest box takes it.

    Args:
        boxes: the objects [px]; None: none.
        size: (width, height) of the image, multiples of `stride`.
        classes: number of classes.
        stride: pixels of a cell per side.

    Returns:
        float32 maps of h x w cells: 'heatmap' (h, w, classes), a Gaussian of peak 1 for every
        object, CROWD_HEAT within crowds; 'size' (h, w, 2) width and height [px]; 'offset'
        (h, w, 2) x and y of the centre in its cell, 0..1; 'mask' (h, w, 1), 1 in the cells of
        centres, the only ones where 'size' and 'offset' are valid.

    Raises:
        InputError: the class of a box is not below `classes`.
    """
    width, height = size
    shape = height // stride, width // stride
    maps = {
        'heatmap': np.zeros((*shape, classes), np.float32),
        'size': np.zeros((*shape, 2), np.float32),
        'offset': np.zeros((*shape, 2), np.float32),
        'mask': np.zeros((*shape, 1), np.float32),
    }
    for box, class_id, crowd in _visible(boxes, size, classes):
        if crowd:
            _draw_crowd(maps['heatmap'][..., class_id], box / stride)
        else:
            _draw_object(maps, box, class_id, stride)
    return maps


def gaussian_radius(width: float, height: float, min_overlap: float = MIN_OVERLAP) -> float:
    """How far both corners of a box may move while it still overlaps the true one.

    Least of three cases, after CornerNet (arXiv 1808.01244, section 3.2): one corner moves in
    and one out, both move in, both move out.

    Args:
        width: of the box, in any unit.
        height: in the same unit.
        min_overlap: the intersection over union that must remain.

    Returns:
        The radius in that unit.
    """
    both, area, o = width + height, width * height, min_overlap
    shifted = (both - np.sqrt(both**2 - 4 * area * (1 - o) / (1 + o))) / 2
    inner = (both - np.sqrt(both**2 - 4 * area * (1 - o))) / 4
    outer = (np.sqrt(both**2 + 4 * area * (1 - o) / o) - both) / 4
    return float(min(shifted, inner, outer))


def _visible(
    boxes: Boxes | None, size: tuple[int, int], classes: int
) -> list[tuple[np.ndarray, int, bool]]:
    """Clipped boxes with class and crowd flag: crowds first, then from large to small."""
    if boxes is None or not len(boxes):
        return []
    if not 0 <= boxes.class_ids.min() <= boxes.class_ids.max() < classes:
        raise InputError(
            f'class ids {sorted(set(boxes.class_ids.tolist()))} do not fit {classes} classes'
        )
    xyxy = np.clip(boxes.xyxy, 0, np.array([*size, *size], np.float32))
    areas = np.prod(np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0), axis=1)
    order = np.lexsort((-areas, ~boxes.is_crowd))
    return [
        (xyxy[i], int(boxes.class_ids[i]), bool(boxes.is_crowd[i])) for i in order if areas[i] > 0
    ]


def _draw_crowd(heat: np.ndarray, box: np.ndarray) -> None:
    x_min, y_min = np.floor(box[:2]).astype(int)
    x_max, y_max = np.ceil(box[2:]).astype(int)
    heat[y_min:y_max, x_min:x_max] = CROWD_HEAT


def _draw_object(maps: dict[str, np.ndarray], box: np.ndarray, class_id: int, stride: int) -> None:
    size = box[2:] - box[:2]
    centre = (box[:2] + box[2:]) / 2 / stride
    x, y = cell = np.floor(centre).astype(int)
    _draw_peak(maps['heatmap'][..., class_id], x, y, int(gaussian_radius(*(size / stride))))
    maps['size'][y, x] = size
    maps['offset'][y, x] = centre - cell
    maps['mask'][y, x] = 1


def _draw_peak(heat: np.ndarray, x: int, y: int, radius: int) -> None:
    """Raise the map to a Gaussian; the maximum is kept where two overlap."""
    sigma = (2 * radius + 1) / 6
    rows = slice(max(y - radius, 0), y + radius + 1)
    columns = slice(max(x - radius, 0), x + radius + 1)
    dy, dx = np.ogrid[rows.start - y : radius + 1, columns.start - x : radius + 1]
    peak = np.exp(-(dx**2 + dy**2) / (2 * sigma**2))
    part = heat[rows, columns]
    np.maximum(part, peak[: part.shape[0], : part.shape[1]], out=part)
