"""How golden outputs are made and compared."""

from dataclasses import replace

import numpy as np
import pytest
from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.inference.checksum import file_sha256
from rs_ml_perception.inference.golden import (
    golden_inputs,
    golden_picture,
    output_error,
    outputs_error,
    record_golden,
    verify_golden,
)
from rs_ml_perception.inference.manifest import FileRef, Golden
from rs_ml_perception.inference.model import load_model

PICTURE_SUM = 78093776


def test_the_picture_is_the_same_everywhere():
    """Known sums: the golden files would be worthless on a machine that draws otherwise."""
    picture = golden_picture(4, (512, 512))
    assert picture.dtype == np.uint8
    assert picture.shape == (512, 512, 3)
    assert int(picture.sum()) == PICTURE_SUM
    assert not np.array_equal(picture, golden_picture(5, (512, 512)))


@pytest.mark.parametrize(
    ('expected', 'actual', 'error'),
    [
        (np.zeros((1, 0)), np.zeros((1, 0)), 0),
        (np.array([0.0, 2.0]), np.array([0.0, 1.5]), 0.25),
        (np.array([0, 1, 2, 3], np.uint8), np.array([0, 1, 2, 9], np.int64), 0.25),
        (np.zeros(2), np.zeros(3), np.inf),
        (np.array([0.0, 1.0]), np.array([0.0, np.nan]), np.inf),
    ],
)
def test_error_of_one_output(expected, actual, error):
    assert output_error(expected, actual) == pytest.approx(error)


def boxes(*rows):
    array = np.array(rows, np.float32).reshape(1, -1, 6)
    return {'scores': array[:, :, 0], 'boxes': array[:, :, 1:5], 'classes': array[:, :, 5]}


@pytest.mark.parametrize(
    ('expected', 'actual', 'error'),
    [
        (boxes([0.9, 0, 0, 1, 1, 1]), boxes([0.9, 0, 0, 1, 1, 1]), 0),
        (
            boxes([0.9, 0, 0, 1, 1, 1], [0.8999, 0, 0, 0.5, 0.5, 2]),
            boxes([0.9, 0, 0, 0.5, 0.5, 2], [0.8999, 0, 0, 1, 1, 1]),
            1e-4,
        ),
        (boxes([0.9, 0, 0, 1, 1, 1]), boxes([0.9, 0, 0, 1, 0.8, 1]), 0.2),
        (boxes([0.9, 0, 0, 1, 1, 1]), boxes([0.9, 0, 0, 1, 1, 3]), 1),
        (boxes([0.9, 0, 0, 1, 1, 1], [0.1, 0, 0, 1, 1, 1]), boxes([0.9, 0, 0, 1, 1, 1]), 0),
    ],
)
def test_boxes_are_compared_as_sets(expected, actual, error):
    assert outputs_error(expected, actual) == pytest.approx(error, abs=1e-6)


def test_record_and_verify(model_files, tmp_path):
    path = tmp_path / 'golden.npz'
    with load_model('person_cat_dog_ssd_tflite') as model:
        record_golden(model, 3, path)
        file = FileRef(str(path), file_sha256(path))
        model.manifest = replace(model.manifest, golden=Golden(file, {'float32': 0.0}))
        assert verify_golden(model).is_reproduced
        model.manifest = replace(model.manifest, golden=Golden(file, {'bfloat16': 1.0}))
        assert not verify_golden(model).is_reproduced
        model.manifest = replace(model.manifest, golden=None)
        with pytest.raises(ModelError, match='has no golden output'):
            verify_golden(model)


def test_inputs_may_be_recorded_too(model_files, tmp_path):
    path = tmp_path / 'golden.npz'
    with load_model('person_cat_dog_ssd_tflite') as model:
        inputs = golden_inputs(model.manifest, 8)
        recorded = {f'output/{name}': array for name, array in model(inputs).items()}
        for given, error in (({'input/' + n: a for n, a in inputs.items()}, None), ({}, 'inputs')):
            np.savez(path, **recorded, **given)
            file = FileRef(str(path), file_sha256(path))
            model.manifest = replace(model.manifest, golden=Golden(file, {'float32': 0.0}))
            if error is None:
                assert verify_golden(model).is_reproduced
            else:
                with pytest.raises(ModelError, match=error):
                    verify_golden(model)
