"""How far outputs are apart."""

import numpy as np
import pytest
from rs_ml_training.errors import ExportError
from rs_ml_training.export.comparison import Difference, difference, refuse_if_beyond


def numbers(*values):
    return {'depth': np.array(values, np.float32)}


def boxes(*rows):
    """Outputs of a detector from rows (score, four corners, class)."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return {
        'scores': table[None, :, 0],
        'boxes': table[None, :, 1:5],
        'classes': table[None, :, 5],
        'count': np.array([len(table)], np.float32),
    }


ONE, OTHER = (0.9, 0.1, 0.1, 0.5, 0.5, 0), (0.8, 0.2, 0.3, 0.6, 0.9, 1)
LAST, OTHER_LAST = (0.7, 0.1, 0.1, 0.5, 0.5, 0), (0.7, 0.6, 0.6, 0.8, 0.8, 0)


@pytest.mark.parametrize(
    ('expected', 'actual', 'worst', 'mean'),
    [
        (numbers(0, 10), numbers(0, 10), 0, 0),
        (numbers(0, 10), numbers(0, 9), 0.1, 0.05),
        (numbers(5, 5), numbers(5, 7), 2, 1),  # no range: metres
        (numbers(0, 1), numbers(0, np.nan), np.inf, np.inf),
        (numbers(0, 1), numbers(0, 1, 1), np.inf, np.inf),
        ({'mask': np.array([0, 1, 2, 3])}, {'mask': np.array([0, 1, 2, 4])}, 0.25, 0.25),
        (boxes(ONE, OTHER), boxes(OTHER, ONE), 0, 0),
        (boxes(OTHER, ONE), boxes(OTHER), 1.4, 1.4),
        (boxes(ONE, LAST), boxes(ONE, OTHER_LAST), 0, 0),
        (boxes(), boxes(), 0, 0),
        (boxes(ONE), boxes(), np.inf, np.inf),
        (boxes(ONE), boxes((0.9, 0.1, 0.1, 0.5, 0.52, 0)), 0.02, 0.02),
    ],
)
def test_difference(expected, actual, worst, mean):
    found = difference(expected, actual)
    assert found.worst == pytest.approx(worst, abs=1e-6)
    assert found.mean == pytest.approx(mean, abs=1e-6)


def test_the_worst_output_counts():
    here = {'a': np.arange(3.0), 'mask': np.zeros(4, int)}
    there = {'a': np.arange(3.0), 'mask': np.array([0, 0, 1, 1])}
    assert difference(here, there).worst == 0.5


def test_other_outputs_are_refused():
    with pytest.raises(ExportError, match=r"\['depth'\] in place of \['mask'\]"):
        difference({'mask': np.zeros(1)}, numbers(1))


@pytest.mark.parametrize(
    ('worst', 'precision', 'is_refused'),
    [
        (9e-4, 'float32', False),
        (1.1e-3, 'float32', True),
        (9e-3, 'float16', False),
        (1.1e-2, 'float16', True),
        (np.inf, 'float16', True),
        (np.nan, 'float32', True),
        (0.3, 'int8', False),
    ],
)
def test_limits(worst, precision, is_refused):
    found = Difference(worst, 0.0)
    if not is_refused:
        refuse_if_beyond(found, precision, 'model.tflite')
        return
    with pytest.raises(ExportError, match=r'model\.tflite does not reproduce'):
        refuse_if_beyond(found, precision, 'model.tflite')
