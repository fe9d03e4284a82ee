"""The text files of YOLO: a box or a polygon a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.sample import Boxes
from rs_ml_training.data.text_files import read_text

_SLACK = 0.01


def read_boxes(path: Path, size: tuple[int, int], classes: int) -> Boxes:
    """The boxes of a label file; those without extent are left out.

    Args:
        path: the file.
        size: (width, height) of the picture.
        classes: number of classes.

    Raises:
        InputError: a malformed line, a class that does not exist, a box outside the picture.
    """
    lines = read_text(path).splitlines()
    rows = [
        _row(line, f'{path}, line {number}', classes)
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    rows = [row for row in rows if row[3] > row[1] and row[4] > row[2]]
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Boxes.of(table[:, 1:] * np.array([*size, *size], np.float32), table[:, 0])


def read_polygons(path: Path, size: tuple[int, int]) -> list[tuple[float, np.ndarray]]:
    """Stored class and polygon, (P, 2) pixels, of the lines of a label file that hold no box.

    Args:
        path: the file.
        size: (width, height) of the picture.

    Raises:
        InputError: a malformed line.
    """
    lines = enumerate(read_text(path).splitlines(), 1)
    rows = (_numbers(line, f'{path}, line {n}') for n, line in lines if line.strip())
    return [
        (class_id, np.array(numbers).reshape(-1, 2) * np.array(size))
        for class_id, *numbers in rows
        if len(numbers) > 4
    ]


def _numbers(line: str, where: str) -> list[float]:
    """Class, then a box or a polygon."""
    try:
        class_id, *numbers = (float(word) for word in line.split())
    except ValueError as error:
        raise InputError(f'{where}: {line!r} is not a class and numbers') from error
    if len(numbers) != 4 and (len(numbers) < 6 or len(numbers) % 2):
        raise InputError(f'{where}: {len(numbers)} numbers are neither a box nor a polygon')
    return [class_id, *numbers]


def _row(line: str, where: str, classes: int) -> tuple[float, ...]:
    """(class, x_min, y_min, x_max, y_max) in shares of the picture."""
    class_id, *numbers = _numbers(line, where)
    if class_id not in range(classes):
        raise InputError(f'{where}: class {class_id:g} does not exist; there are {classes}')
    corners = _corners(np.array(numbers))
    if not (corners >= -_SLACK).all() or not (corners <= 1 + _SLACK).all():
        raise InputError(f'{where}: the box leaves the picture; give shares from 0 to 1')
    return (class_id, *np.clip(corners, 0, 1))


def _corners(numbers: np.ndarray) -> np.ndarray:
    if len(numbers) == 4:
        center, extent = numbers[:2], numbers[2:]
        return np.concatenate([center - extent / 2, center + extent / 2])
    points = numbers.reshape(-1, 2)
    return np.concatenate([points.min(axis=0), points.max(axis=0)])
