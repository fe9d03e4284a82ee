"""Result messages, received or recorded, back to the values they were made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rs_ml_perception.core.objects.detections import Detections, Placements
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.core.people.heights import PersonHeights


def read_detections(rows: Sequence[Any]) -> tuple[Detections, LabelMap]:
    """rs_ml_msgs/Detection messages to boxes and the names they carry."""
    boxes = [(d.x_min, d.y_min, d.x_max, d.y_max) for d in rows]
    detections = Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array([d.score for d in rows], np.float32),
        np.array([d.class_id for d in rows], np.int32),
        np.array([d.track_id for d in rows], np.int32),
    )
    return detections, LabelMap({d.class_id: d.label for d in rows})


def read_placements(rows: Sequence[Any]) -> Placements:
    """rs_ml_msgs/Detection messages to positions and extents."""
    return Placements(
        np.array([d.has_position for d in rows], bool),
        _points([d.position for d in rows]),
        np.array([d.width_m for d in rows], np.float32),
        np.array([d.height_extent_m for d in rows], np.float32),
    )


def read_heights(rows: Sequence[Any]) -> PersonHeights:
    """rs_ml_msgs/PersonHeight messages to values."""
    found = [row.detection for row in rows]
    return PersonHeights(
        read_detections(found)[0],
        read_placements(found),
        np.array([row.status for row in rows], np.uint8),
        np.array([row.height_m for row in rows], np.float32),
        np.array([row.height_stddev_m for row in rows], np.float32),
        _points([row.head for row in rows]),
        _points([row.feet for row in rows]),
        np.array([row.method for row in rows], np.uint8),
        np.array([row.num_points for row in rows], np.int64),
    )


def _points(points: Sequence[Any]) -> np.ndarray:
    return np.array([(p.x, p.y, p.z) for p in points], np.float64).reshape(-1, 3)
