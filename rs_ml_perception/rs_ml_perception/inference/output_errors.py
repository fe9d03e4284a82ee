"""Differences of two results of one input, output by output."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

Arrays = Mapping[str, np.ndarray]

_BOX_LIST = frozenset({'boxes', 'scores', 'classes'})
_UNJUDGED = frozenset({'classes', 'count'})
_ROWS, _DETECTIONS, _HEAD = 'rows', 'detections', 'head'
_LARGEST_FRACTION = 2.0
_TIE = 1e-4


def absolute_error(expected: np.ndarray, actual: np.ndarray) -> float:
    """Largest difference in the unit of the output."""
    if expected.size == 0:
        return 0.0
    difference = np.abs(expected.astype(np.float64) - actual)
    return float(difference.max()) if np.isfinite(difference).all() else float('inf')


def relative_error(expected: np.ndarray, actual: np.ndarray) -> float:
    """Largest difference as a fraction of the range of the expected values."""
    span = float(np.ptp(expected)) if expected.size else 0.0
    return absolute_error(expected, actual) / (span or 1.0)


def column_error(expected: np.ndarray, actual: np.ndarray) -> float:
    """Largest difference of a head, as a fraction of the range of its column, if that is above 1.

    Pixels of boxes and scores of 0..1 share one tensor.
    """
    axis = row_axis(expected)
    spans = np.ptp(expected, axis=axis, keepdims=True) if expected.size else np.ones(())
    spans = np.maximum(spans, 1.0)
    return absolute_error(expected / spans, actual / spans)


def row_axis(head: np.ndarray) -> int:
    """The axis of a head that counts its rows: the longer one of the last two."""
    is_transposed = head.ndim > 1 and head.shape[-1] > head.shape[-2]
    return head.ndim - 1 if is_transposed else max(0, head.ndim - 2)


def mismatch_error(expected: np.ndarray, actual: np.ndarray) -> float:
    """Fraction of differing values."""
    return float(np.mean(expected != actual)) if expected.size else 0.0


MEASURES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    'absolute': absolute_error,
    'relative': relative_error,
    'columns': column_error,
    'mismatch': mismatch_error,
}


def judged_outputs(names: Iterable[str]) -> set[str]:
    """Outputs that need a tolerance.

    Classes and count of a list of boxes need none: they are used to match rows.
    """
    names = set(names)
    return names - _UNJUDGED if names >= _BOX_LIST else names


def usual_measure(name: str, expected: np.ndarray) -> str:
    """The default measure of an output."""
    if expected.dtype.kind in 'iub':
        return 'mismatch'
    if name == 'scores' and expected.size and (expected.min() < 0 or expected.max() > 1):
        return 'relative'  # logits
    if name == _HEAD and expected.ndim > 1:
        return 'columns'
    if name == 'boxes' and expected.size and np.abs(expected).max() > _LARGEST_FRACTION:
        return 'relative'  # pixels
    return 'absolute' if name in ('boxes', 'scores', _ROWS, _DETECTIONS) else 'relative'


def usual_errors(expected: Arrays, actual: Arrays) -> dict[str, float]:
    """output_errors with the default measure of every output that has one."""
    measures = {
        name: usual_measure(name, expected[name]) for name in sorted(judged_outputs(expected))
    }
    return output_errors(expected, actual, measures)


def output_errors(
    expected: Arrays, actual: Arrays, measures: Mapping[str, str]
) -> dict[str, float]:
    """Compare two results.

    Lists of boxes are compared as sets, each confident expected row with the nearest of its class,
    since rows of almost equal scores may swap.

    Args:
        expected: outputs of the reference.
        actual: the same outputs of another backend.
        measures: output -> key of MEASURES.

    Returns:
        Output -> error; infinite if shapes differ, a number is not finite or a row has no
        counterpart.
    """
    expected, actual = _aligned(expected, actual)
    return {
        name: MEASURES[measure](expected[name], actual[name])
        if expected[name].shape == actual[name].shape
        else float('inf')
        for name, measure in measures.items()
    }


def _aligned(expected: Arrays, actual: Arrays) -> tuple[Arrays, Arrays]:
    if set(expected) >= _BOX_LIST:
        here, there = _matched(_box_rows(expected), _box_rows(actual))
        return {**expected, **_box_columns(here)}, {**actual, **_box_columns(there)}
    if set(expected) == {_ROWS}:
        here, there = _matched(_ssd_rows(expected), _ssd_rows(actual))
        return {_ROWS: here[:, :5]}, {_ROWS: there[:, :5]}
    if set(expected) == {_DETECTIONS}:
        here, there = (_detection_rows(arrays) for arrays in (expected, actual))
        scale = max(1.0, float(np.abs(here[:, 1:5]).max(initial=0)))  # of pixels
        here, there = _matched(here, there)
        here[:, 1:5] /= scale
        there[:, 1:5] /= scale
        return {_DETECTIONS: here[:, :5]}, {_DETECTIONS: there[:, :5]}
    return expected, actual


def _matched(expected: np.ndarray, actual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Confident expected rows [score, corners..., class], and the nearest actual row of each."""
    if len(expected) == 0:
        return expected, actual
    # Rows as good as the last one of a full list may be missing in the other list.
    cut = 0.5 * expected[:, 0].max()
    if len(actual):
        cut = min(max(cut, actual[:, 0].min() + _TIE), expected[:, 0].max())
    confident = expected[expected[:, 0] >= cut]
    rows = np.concatenate([actual, np.full((1, 6), np.inf)])
    distances = np.abs(confident[:, None, :5] - rows[None, :, :5]).max(axis=2)
    distances[np.rint(confident[:, None, 5]) != np.rint(rows[None, :, 5])] = np.inf
    distances[:, -1] = np.inf
    nearest = np.where(np.isfinite(distances).any(axis=1), distances.argmin(axis=1), len(actual))
    return confident, rows[nearest]


def _box_rows(outputs: Arrays) -> np.ndarray:
    """Score, four corners, class: float (N, 6)."""
    scores, classes = (outputs[name].reshape(-1, 1) for name in ('scores', 'classes'))
    return np.concatenate([scores, outputs['boxes'].reshape(-1, 4), classes], axis=1)


def _box_columns(rows: np.ndarray) -> dict[str, np.ndarray]:
    return {'scores': rows[:, 0], 'boxes': rows[:, 1:5]}


def _ssd_rows(outputs: Arrays) -> np.ndarray:
    return np.roll(outputs[_ROWS].reshape(-1, 7)[:, 1:], -1, axis=1)


def _detection_rows(outputs: Arrays) -> np.ndarray:
    """Of [corners..., score, class, ...], or of seven: [image, corners..., class, score]."""
    rows = outputs[_DETECTIONS].reshape(-1, outputs[_DETECTIONS].shape[-1])
    order = [6, 1, 2, 3, 4, 5] if rows.shape[1] == 7 else [4, 0, 1, 2, 3, 5]
    return rows[:, order]
