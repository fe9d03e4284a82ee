"""Recorded result messages back to the values they were made from."""

from __future__ import annotations

from typing import Any

import numpy as np

from rs_ml_perception.core.detections import Detections
from rs_ml_perception.core.labels import LabelMap
from rs_ml_perception.core.person_heights import PersonHeights
from rs_ml_perception.core.placements import Placements


def read_detections(rows: Any) -> tuple[Detections, Placements, LabelMap]:
    """rs_ml_msgs/Detection messages to values."""
    boxes = [(d.x_min, d.y_min, d.x_max, d.y_max) for d in rows]
    position_m = [(d.position.x, d.position.y, d.position.z) for d in rows]
    detections = Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array([d.score for d in rows], np.float32),
        np.array([d.class_id for d in rows], np.int32),
        np.array([d.track_id for d in rows], np.int32),
    )
    placements = Placements(
        np.array([d.has_position for d in rows], bool),
        np.array(position_m, np.float64).reshape(-1, 3),
        np.array([d.width_m for d in rows], np.float32),
        np.array([d.height_extent_m for d in rows], np.float32),
    )
    return detections, placements, LabelMap({d.class_id: d.label for d in rows})


def read_heights(rows: Any) -> PersonHeights:
    """rs_ml_msgs/PersonHeight messages to values."""
    detections, placements, _ = read_detections([row.detection for row in rows])
    return PersonHeights(
        detections,
        placements,
        np.array([row.status for row in rows], np.uint8),
        np.array([row.height_m for row in rows], np.float32),
        np.array([row.height_stddev_m for row in rows], np.float32),
        _points([row.head for row in rows]),
        _points([row.feet for row in rows]),
        np.array([row.method for row in rows], np.uint8),
        np.array([row.num_points for row in rows], np.int64),
    )


def _points(points: list[Any]) -> np.ndarray:
    return np.array([(p.x, p.y, p.z) for p in points], np.float64).reshape(-1, 3)
