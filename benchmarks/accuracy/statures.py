"""Heights that were measured beside those that are known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

POSTURES = ('standing', 'walking')
LEAST_VISIBLE, LEAST_IOU, CLOSE_M = 0.8, 0.5, 0.05
_OK = 'OK'

Known = Mapping[str, Any]
"""A person of heights.json, see `synth.writing.truth_record`."""
Seen = Mapping[str, Any]
"""A person as `rs-ml height` writes it."""


@dataclass(frozen=True)
class _Found:
    """Somebody who was found; the error is that of a height measured to the full [m]."""

    error_m: float | None


def counts(person: Known) -> bool:
    """Whether somebody is to be measured: upright, uncut and at least 80 % visible."""
    is_upright = person['posture'] in POSTURES
    return is_upright and not person['cut'] and person['visible_share'] >= LEAST_VISIBLE


def height_errors(
    seen: Mapping[str, Sequence[Seen]], known: Mapping[str, Sequence[Known]]
) -> dict[str, float]:
    """How many of the people who count were found and measured, and how well.

    What is measured is how far the top of the head is above the floor, which in mid-stride is less
    than the stature.

    Args:
        seen: name of a picture -> persons that were seen.
        known: name of a picture -> persons who are there.

    Returns:
        `people`; of them the shares `found` (a box with an IoU of 0.5), `measured` (a height that
        is called neither a bound nor doubtful) and `close` (measured within 5 cm); of the measured
        ones `median_error_m` (absolute) and `bias_m` (median of measured less true).
    """
    people = [
        _found(person, seen.get(name, ()))
        for name, persons in known.items()
        for person in persons
        if counts(person)
    ]
    found = [one for one in people if one is not None]
    errors_m = np.array([one.error_m for one in found if one.error_m is not None])
    return {
        'people': float(len(people)),
        'found': _share(len(found), people),
        'measured': _share(len(errors_m), people),
        'median_error_m': _median(np.abs(errors_m)),
        'bias_m': _median(errors_m),
        'close': _share(int((np.abs(errors_m) <= CLOSE_M).sum()), people),
    }


def _found(person: Known, seen: Iterable[Seen]) -> _Found | None:
    """By whose box covers the true one best."""
    best = max(seen, key=lambda one: _iou(person['box'], one['box']), default=None)
    if best is None or _iou(person['box'], best['box']) < LEAST_IOU:
        return None
    return _Found(best['height_m'] - person['top_m'] if best['status'] == _OK else None)


def _iou(a: Sequence[float], b: Sequence[float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return both / max(sum(areas) - both, 1e-9)


def _share(count: int, people: Sequence[Any]) -> float:
    return count / len(people) if people else math.nan


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if values.size else math.nan
