"""How far files may be from the network they were made of."""

import numpy as np
import pytest
from rs_ml_training.errors import ExportError
from rs_ml_training.export.comparison import difference, refuse_if_beyond, worst_of


def numbers(*values):
    return {'depth': np.array(values, np.float32)}


def test_every_output_has_its_error():
    here = {'a': np.arange(3.0), 'mask': np.zeros(4, int)}
    there = {'a': np.arange(3.0), 'mask': np.array([0, 0, 1, 1])}
    assert difference(here, there) == {'a': 0.0, 'mask': 0.5}


def test_the_worst_of_several():
    assert worst_of([]) == {}
    assert worst_of([{'a': 1.0, 'b': 0.0}, {'a': 0.5, 'b': 2.0}]) == {'a': 1.0, 'b': 2.0}


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
    errors = {'depth': 0.0, 'confidence': worst}
    if not is_refused:
        refuse_if_beyond(errors, precision, 'model.tflite')
        return
    with pytest.raises(ExportError, match=r'model\.tflite does not reproduce .*: confidence is'):
        refuse_if_beyond(errors, precision, 'model.tflite')
