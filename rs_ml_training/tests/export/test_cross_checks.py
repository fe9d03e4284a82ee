"""TFLite files in a runtime that they were not written for."""

import numpy as np
import pytest
from rs_ml_perception.inference.manifest import Tolerance
from rs_ml_training.export.artifact import ExportedArtifact
from rs_ml_training.export.comparison import difference
from rs_ml_training.export.cross_checks import CrossCheck, networks, tolerances
from rs_ml_training.export.serving import serving_of
from rs_ml_training.export.tensorflow_files import load_tflite, write_tflite
from rs_ml_training.tasks.task import ServingOptions


@pytest.mark.parametrize(
    ('errors', 'expected'),
    [
        ((), {'float32': 0.01, 'bfloat16': 0.03}),
        ((1e-3, 2e-3), {'float32': 0.01, 'bfloat16': 0.03}),
        ((0.02, 0.04), {'float32': 0.03, 'bfloat16': 0.06}),
        ((5.0, np.inf), {'float32': 0.1, 'bfloat16': 0.1}),
    ],
)
def test_tolerance_is_one_and_a_half_times_the_difference(errors, expected):
    outputs = {'depth': np.zeros(3, np.float32), 'mask': np.zeros(3, np.uint8)}
    found = [
        CrossCheck('', precision, {'depth': error, 'mask': 0.0})
        for precision, error in zip(expected, errors, strict=False)
    ]
    tolerance = tolerances(outputs, {'depth': 0.01, 'mask': 0.02}, found)
    assert tolerance['depth'] == Tolerance('relative', pytest.approx(expected))
    assert tolerance['mask'] == Tolerance('mismatch', {'float32': 0.02, 'bfloat16': 0.03})


@pytest.mark.parametrize('task', ['depth', 'denoise'])
def test_openvino_reads_the_file_under_our_names(toy, inputs_of, tmp_path, task):
    pytest.importorskip('openvino')
    serving = serving_of(toy(task), ServingOptions())
    artifact = write_tflite(serving, tmp_path, 'float16')
    inputs = inputs_of(serving.inputs)
    expected = load_tflite(artifact, tmp_path)(inputs)
    found = {precision: network(inputs) for _, precision, network in networks(artifact, tmp_path)}
    assert list(found) == ['float32', 'bfloat16']
    assert max(difference(expected, found['float32']).values()) < 1e-3
    assert max(difference(expected, found['bfloat16']).values()) < 0.1


def test_other_files_are_read_by_their_own_runtime_alone(tmp_path):
    assert list(networks(ExportedArtifact('onnx', 'model.onnx'), tmp_path)) == []
