"""Results as JSON: plain numbers, null for unknown values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.gravity import UpMethod
from rs_ml_perception.core.objects.detections import Detections, Placements
from rs_ml_perception.core.objects.labels import UNLABELLED, LabelMap
from rs_ml_perception.core.people.heights import HeightStatus, PersonHeights
from rs_ml_perception.tasks.denoise import DenoisedDepth


def detection_fields(
    detections: Detections, labels: LabelMap, placements: Placements | None = None
) -> list[dict[str, Any]]:
    """One object per detection; position and extents if there is depth."""
    fields = [
        {
            'label': labels.name(class_id),
            'score': round(score, 6),
            'box': [round(float(pixel), 3) for pixel in xyxy],
        }
        for xyxy, score, class_id, _ in detections
    ]
    if placements is not None:
        for index, entry in enumerate(fields):
            entry |= _placement(placements, index)
    return fields


def height_fields(heights: PersonHeights, labels: LabelMap) -> list[dict[str, Any]]:
    """One object per person."""
    fields = detection_fields(heights.detections, labels, heights.placements)
    for index, entry in enumerate(fields):
        entry['height_m'] = number(heights.height_m[index])
        entry['height_stddev_m'] = number(heights.height_stddev_m[index])
        entry['status'] = HeightStatus(heights.status[index]).name
        entry['method'] = UpMethod(heights.method[index]).name
    return fields


def mask_fields(mask: np.ndarray, labels: LabelMap) -> dict[str, Any]:
    """Fraction of the image per class that occurs."""
    counts = np.bincount(mask.ravel(), minlength=256)
    fractions = {
        'unlabelled' if i == UNLABELLED else labels.name(i) or str(i): round(n / mask.size, 6)
        for i, n in enumerate(counts.tolist())
        if n
    }
    return {'shares': fractions}


def depth_fields(depth_m: np.ndarray) -> dict[str, Any]:
    """Range and coverage of a depth image."""
    valid = depth_m[np.isfinite(depth_m)]
    low, median, high = np.percentile(valid, (1, 50, 99)) if valid.size else (np.nan,) * 3
    return {
        'valid': round(valid.size / depth_m.size, 6),
        'near_m': number(low),
        'median_m': number(median),
        'far_m': number(high),
    }


def denoised_fields(frame: Frame, found: DenoisedDepth) -> dict[str, Any]:
    """Range and coverage of denoised depth, coverage and noise of raw depth, use of infrared."""
    before = 0.0
    if frame.depth is not None:
        before = np.count_nonzero(frame.depth.depth_m > 0) / frame.depth.values.size
    return {
        **depth_fields(found.depth_m),
        'valid_before': round(before, 6),
        'infrared': frame.infrared is not None,
        'clamped': round(found.moves.clamped, 6),
        'noise_px': number(found.moves.noise_px),
    }


def millimetres(depth_m: np.ndarray) -> np.ndarray:
    """uint16 millimetres, 0 invalid."""
    rounded = np.rint(np.nan_to_num(depth_m, nan=0.0, posinf=0.0) * 1000)
    return np.where(rounded <= 65535, rounded, 0).astype(np.uint16)


def number(value: float) -> float | None:
    """The value rounded to 1e-4, None if it is not finite."""
    return round(float(value), 4) if math.isfinite(value) else None


def _placement(placements: Placements, index: int) -> dict[str, Any]:
    if not placements.has_position[index]:
        return {'position_m': None, 'distance_m': None, 'width_m': None, 'height_extent_m': None}
    position_m = placements.position_m[index]
    return {
        'position_m': _numbers(position_m),
        'distance_m': number(float(np.linalg.norm(position_m))),
        'width_m': number(placements.width_m[index]),
        'height_extent_m': number(placements.height_extent_m[index]),
    }


def _numbers(values: Iterable[float]) -> list[float | None]:
    return [number(value) for value in values]
