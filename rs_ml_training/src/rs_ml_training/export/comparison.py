"""How far a converted network is from the trained one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_training.errors import ExportError
from rs_ml_training.export.artifact import Arrays

LIMITS = {'float32': 1e-3, 'float16': 1e-2}
"""Largest error allowed, as a share of the output's range or of the pixels of a class map."""

_TIE = 1e-4
_BOX_OUTPUTS = frozenset({'boxes', 'scores', 'classes'})


@dataclass(frozen=True)
class Difference:
    """Error of an artefact over some inputs, as shares of the range of each output.

    Class maps: the share of pixels that differ. Boxes: distance of each confident box to its
    nearest, in fractions of the picture and of the score.
    """

    worst: float
    mean: float

    def or_worse(self, other: Difference) -> Difference:
        """Both together."""
        return Difference(max(self.worst, other.worst), max(self.mean, other.mean))


def difference(expected: Arrays, actual: Arrays) -> Difference:
    """Compare two results of one input, output by output; the worst output counts.

    Raises:
        ExportError: the outputs have other names.
    """
    if set(expected) != set(actual):
        raise ExportError(f'outputs are {sorted(actual)} in place of {sorted(expected)}')
    total = Difference(0.0, 0.0)
    names = set(expected)
    if names >= _BOX_OUTPUTS:
        total = total.or_worse(_of_boxes(expected, actual))
        names -= {*_BOX_OUTPUTS, 'count'}
    for name in names:
        total = total.or_worse(_of_arrays(expected[name], actual[name]))
    return total


def refuse_if_beyond(found: Difference, precision: str, what: str) -> None:
    """Raise ExportError if an error is larger than its precision excuses; int8 is not judged."""
    limit = LIMITS.get(precision)
    if limit is not None and not found.worst <= limit:
        raise ExportError(
            f'{what} does not reproduce the trained network: its error is {found.worst:.3g} of '
            f'the range, {precision} allows {limit:g}; nothing was written, leave this format out'
        )


def _of_arrays(expected: np.ndarray, actual: np.ndarray) -> Difference:
    if expected.shape != actual.shape:
        return Difference(np.inf, np.inf)
    if expected.dtype.kind in 'iu':
        share = float(np.mean(expected != actual))
        return Difference(share, share)
    span = float(np.ptp(expected)) or 1.0
    errors = np.abs(expected.astype(np.float64) - actual) / span
    if not np.isfinite(errors).all():
        return Difference(np.inf, np.inf)
    return Difference(float(errors.max()), float(errors.mean()))


def _of_boxes(expected: Arrays, actual: Arrays) -> Difference:
    """Boxes as a set of rows, for two almost equal scores may change places."""
    here, there = _rows(expected), _rows(actual)
    if len(here) == 0 or len(there) == 0:
        return Difference(0.0, 0.0) if len(here) == len(there) else Difference(np.inf, np.inf)
    # Of a full list, what is as good as its last row may have fallen out of the other.
    cut = max(0.5 * here[:, 0].max(), there[:, 0].min() + _TIE)
    confident = here[here[:, 0] >= min(cut, here[:, 0].max())]
    distances = np.abs(confident[:, None, :5] - there[None, :, :5]).max(axis=2)
    nearest = (distances + (confident[:, None, 5] != there[None, :, 5])).min(axis=1)
    return Difference(float(nearest.max()), float(nearest.mean()))


def _rows(outputs: Arrays) -> np.ndarray:
    """Score, four corners, class: float (K, 6)."""
    columns = [outputs['scores'][0, :, None], outputs['boxes'][0], outputs['classes'][0, :, None]]
    return np.concatenate(columns, axis=1)
