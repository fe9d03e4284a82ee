"""Every format, written and read back."""

import dataclasses

import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_training.export import formats
from rs_ml_training.export.comparison import LIMITS, difference, served_samples
from rs_ml_training.export.serving import serving_of
from rs_ml_training.tasks.task import ServingOptions


@pytest.mark.parametrize(
    ('names', 'precision', 'sentence'),
    [
        ((), 'float32', 'no format is given'),
        (('tflite', 'caffe'), 'float32', "no format 'caffe'"),
        (('tflite',), 'int4', "no precision 'int4'"),
        (('saved_model',), 'int8', 'saved_model holds float32 alone'),
        (('frozen_graph',), 'float16', 'frozen_graph holds float32 alone'),
    ],
)
def test_formats_that_cannot_be_written(names, precision, sentence):
    with pytest.raises(ConfigError, match=sentence):
        formats.check_formats(names, precision)


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setattr(formats.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(ConfigError, match='pip install tf2onnx'):
        formats.check_formats(['onnx'], 'float32')


ROUND_TRIPS = [
    ('depth', 'saved_model', 'float32'),
    ('depth', 'tflite', 'float32'),
    ('depth', 'openvino', 'int8'),
    ('denoise', 'frozen_graph', 'float32'),
    ('denoise', 'tflite', 'int8'),
    ('denoise', 'onnx', 'float16'),
    ('segmentation', 'frozen_graph', 'float32'),
    ('segmentation', 'tflite', 'float16'),
    ('segmentation', 'onnx', 'float16'),
    ('segmentation', 'onnx', 'int8'),
    ('detection', 'saved_model', 'float32'),
    ('detection', 'tflite', 'float32'),
]
INT8_LIMITS = {'segmentation': 0.3, 'detection': 0.3}
"""Of random weights many classes are almost equally likely, of another network 4 of 5 differ; and
outputs of hardly any range, as box sizes are here, show every step."""
ALL = [
    (task, name, precision)
    for task in ('depth', 'denoise', 'segmentation', 'detection')
    for name in formats.FORMATS
    for precision in formats.PRECISIONS
    if precision == 'float32' or name not in formats.FLOAT32_ONLY
]
REST = [pytest.param(*row, marks=pytest.mark.slow) for row in ALL if row not in ROUND_TRIPS]


@pytest.mark.parametrize(('task', 'name', 'precision'), ROUND_TRIPS + REST)
def test_exported_files_reproduce_the_network(
    toy, noise, inputs_of, tmp_path, task, name, precision
):
    formats.check_formats([name], precision)
    serving = serving_of(toy(task), ServingOptions())
    samples = [s.inputs for s in served_samples(noise, serving.inputs, None, 6)]
    golden = inputs_of(serving.inputs)
    artifact = formats.write(name, serving, tmp_path, precision, [golden, *samples])
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        [artifact.path, *artifact.companions]
    )
    assert artifact.megabytes(tmp_path) > 1e-3
    found = formats.load(artifact, tmp_path, serving.outputs)(golden)
    expected = serving(golden)
    assert {n: (a.shape, a.dtype) for n, a in found.items()} == {
        n: (a.shape, a.dtype) for n, a in expected.items()
    }
    worst = max(difference(expected, found).values())
    assert worst <= LIMITS.get(precision, INT8_LIMITS.get(task, 0.15))
    if precision != 'float32' and task in ('depth', 'detection'):
        assert worst > 1e-6, 'nothing was reduced'


def test_float16_halves_large_weights(toy, tmp_path):
    import keras

    trained = toy('depth')
    layers, depth_m = keras.layers, trained.model.output['depth_m']
    wide = layers.Conv2D(64, 5, padding='same')(depth_m)
    deeper = {'depth_m': layers.Conv2D(1, 5, padding='same')(wide)}
    model = keras.Model(trained.model.input, deeper)
    serving = serving_of(dataclasses.replace(trained, model=model), ServingOptions())
    sizes = {}
    for precision in ('float32', 'float16'):
        folder = tmp_path / precision
        folder.mkdir()
        sizes[precision] = formats.write('onnx', serving, folder, precision, ()).megabytes(folder)
    both_kernels = 2 * 25 * 64
    assert sizes['float32'] - sizes['float16'] == pytest.approx(2e-6 * both_kernels, rel=0.2)
