"""Inputs of `rs-ml height` from files: boxes, and readings of the accelerometer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.geometry.gravity import Up, up_from_accelerometer
from rs_ml_perception.core.objects.boxes import box_areas, clip_boxes
from rs_ml_perception.core.objects.detections import Detections
from rs_ml_perception.core.objects.labels import LabelMap


class BoxFile:
    """Detections by the name of the image, as `rs-ml detect` writes them.

    Args:
        path: results.jsonl: a line `{"image": NAME, "detections": [{"label", "score", "box"}]}`
            for each image.
        classes: names to keep.
        least_score: minimum score of the boxes to keep.

    Attributes:
        labels: ids of the classes.

    Raises:
        ConfigError: the file cannot be read, or a line is none of these.
    """

    def __init__(self, path: Path, classes: Sequence[str], least_score: float = 0.0) -> None:
        self.labels = LabelMap(dict(enumerate(classes)))
        self._path = path
        try:
            lines = path.read_text(encoding='utf-8').splitlines()
            entries = [json.loads(line) for line in lines]
            self._rows = {e['image']: self._kept(e['detections'], least_score) for e in entries}
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise ConfigError(
                f'{path} holds no boxes ({error!r}): give results.jsonl of rs-ml detect'
            ) from error

    def detections(self, name: str, width: int, height: int) -> Detections:
        """Boxes of an image, clipped to it, best score first.

        Raises:
            InputError: the file has no line for it.
        """
        if name not in self._rows:
            raise InputError(f'{self._path} has no boxes for {name}')
        rows = self._rows[name]
        xyxy = clip_boxes(rows[:, :4].astype(np.float32), width, height)
        rows, xyxy = rows[box_areas(xyxy) > 0], xyxy[box_areas(xyxy) > 0]
        found = Detections(xyxy, rows[:, 4].astype(np.float32), rows[:, 5].astype(np.int32))
        return found[np.argsort(-found.scores, kind='stable')]

    def _kept(self, detections: Sequence[Mapping[str, Any]], least_score: float) -> np.ndarray:
        """[x_min, y_min, x_max, y_max, score, class id] of each box, float64 (N, 6)."""
        ids = {name: class_id for class_id, name in self.labels.names.items()}
        rows = [
            [*_corners(d['box']), float(d['score']), ids[d['label']]]
            for d in detections
            if d['label'] in ids and d['score'] >= least_score
        ]
        return np.array(rows, np.float64).reshape(-1, 6)


def _corners(box: Sequence[float]) -> tuple[float, float, float, float]:
    x_min, y_min, x_max, y_max = (float(pixel) for pixel in box)
    return x_min, y_min, x_max, y_max


class GravityFile:
    """Readings of a camera at rest by the stem of the image.

    Args:
        path: JSON, {stem: [[x, y, z], ...]}, m/s2 in the axes of the colour optical frame.

    Raises:
        ConfigError: it cannot be read, or holds something else.
    """

    def __init__(self, path: Path) -> None:
        try:
            entries = json.loads(path.read_text(encoding='utf-8'))
            self._samples = {stem: _samples(rows) for stem, rows in entries.items()}
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ConfigError(
                f'{path} holds no accelerometer readings ({error}): '
                'write {"image": [[x, y, z], ...]}'
            ) from error

    def up(self, stem: str) -> Up | None:
        """Up in the optical frame; None if readings are missing or contain motion."""
        samples = self._samples.get(stem)
        return None if samples is None else up_from_accelerometer(samples)


def _samples(rows: list[list[float]]) -> np.ndarray:
    return np.array(rows, np.float64).reshape(-1, 3)
