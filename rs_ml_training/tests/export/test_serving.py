"""Networks as they are served."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_training.errors import ExportError
from rs_ml_training.export.artifact import Port
from rs_ml_training.export.serving import serving_of
from rs_ml_training.tasks.task import ServingOptions
from rs_ml_training.trained import Trained

IMAGE = Port('image', (1, 48, 64, 3), 'uint8')


@pytest.mark.parametrize(
    ('task', 'inputs', 'outputs'),
    [
        ('depth', {IMAGE}, {'depth': ((1, 48, 64, 1), 'float32')}),
        (
            'denoise',
            {
                Port('raw_depth', (1, 48, 64, 1), 'float32'),
                Port('infrared', (1, 48, 64, 1), 'uint8'),
            },
            {'depth': ((1, 48, 64, 1), 'float32'), 'confidence': ((1, 48, 64, 1), 'float32')},
        ),
        (
            'segmentation',
            {IMAGE},
            {'mask': ((1, 48, 64), 'uint8'), 'confidence': ((1, 48, 64, 1), 'float32')},
        ),
        (
            'detection',
            {IMAGE},
            {
                'heatmap': ((1, 12, 16, 2), 'float32'),
                'size': ((1, 12, 16, 2), 'float32'),
                'offset': ((1, 12, 16, 2), 'float32'),
            },
        ),
    ],
)
def test_names_shapes_and_types(toy, inputs_of, task, inputs, outputs):
    serving = serving_of(toy(task), ServingOptions())
    assert set(serving.inputs) == inputs
    assert serving.outputs == tuple(sorted(outputs))
    arrays = inputs_of(serving.inputs)
    found = serving(arrays)
    assert {n: (a.shape, a.dtype.name) for n, a in found.items()} == outputs
    ordered = [arrays[port.name] for port in serving.inputs]
    traced = serving.function(*ordered)
    for name in outputs:
        np.testing.assert_allclose(traced[name], found[name], atol=1e-5)


def test_open_and_unknown_inputs_are_refused(toy):
    import keras

    trained = toy('depth')
    pixels = keras.Input((None, None, 3), name='image')
    points = keras.Input((8, 8, 3), name='points')
    for tensor, sentence in ((pixels, 'build the network at a size'), (points, "'points' cannot")):
        model = keras.Model({tensor.name: tensor}, {'depth_m': keras.layers.Conv2D(1, 1)(tensor)})
        with pytest.raises(ExportError, match=sentence):
            serving_of(Trained(trained.spec, model, trained.directory), ServingOptions())


def test_another_backend_is_refused(toy, monkeypatch):
    import keras

    trained = toy('depth')
    monkeypatch.setattr(keras.backend, 'backend', lambda: 'jax')
    with pytest.raises(ConfigError, match='KERAS_BACKEND=tensorflow'):
        serving_of(trained, ServingOptions())


@pytest.mark.parametrize('task', ['depth', 'denoise', 'segmentation', 'detection'])
def test_a_missing_output_is_named(toy, task):
    import keras

    trained = toy(task)
    model = keras.Model(trained.model.inputs, {'other': trained.model.inputs[0]})
    with pytest.raises(ExportError, match=f'{task} network must give .* gives \\[.other.\\]'):
        serving_of(Trained(trained.spec, model, trained.directory), ServingOptions())
