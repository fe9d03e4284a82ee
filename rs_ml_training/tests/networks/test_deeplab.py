"""DeepLabV3+ on EfficientNetV2-S: published size, stride 16, names of keras.applications."""

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_training.networks import complexity  # noqa: E402
from rs_ml_training.networks.deeplab import (  # noqa: E402
    deeplab_effnetv2s,
    effnetv2s_stride16,
)


@pytest.fixture(scope='module')
def network(built):
    """For any size, without confidence."""
    return built('deeplab-effnetv2s', None)


@pytest.mark.slow
@pytest.mark.parametrize('confidence', [True, False])
def test_contract(check_network, confidence):
    """Without dropped blocks: those get no gradient."""
    check_network('deeplab-effnetv2s', (64, 48), 4, confidence=confidence, drop_connect=0.0)


@pytest.mark.slow
def test_contract_on_jax(check_network_on_jax):
    check_network_on_jax('deeplab-effnetv2s', size=[64, 48], classes=4, drop_connect=0.0)


def test_trained_parameters_as_published(network):
    """20.67 million."""
    assert complexity.parameters(network) == 20_665_444


@pytest.mark.slow
@pytest.mark.parametrize(('size', 'billions'), [((320, 240), 7.8), ((640, 480), 31.2)])
def test_multiply_adds_as_published(network, size, billions):
    """The published 31.3 at the larger size include the mean image's branch at every pixel."""
    assert round(complexity.multiply_adds(network, size) / 1e9, 1) == billions


def test_encoder_keeps_a_sixteenth(network):
    image = np.zeros((1, 48, 64, 3), np.float32)
    features = keras.Model(network.input, network.get_layer('block6o_add').output)
    shape = features({'image': image}).shape
    assert tuple(shape) == (1, 3, 4, 256)


def test_scores_at_input_size(network):
    image = np.random.default_rng(0).uniform(0, 255, (1, 32, 48, 3)).astype(np.float32)
    logits = keras.ops.convert_to_numpy(network({'image': image})['logits'])
    assert logits.shape == (1, 32, 48, 4)
    assert np.isfinite(logits).all()


@pytest.mark.slow
def test_encoder_is_that_of_keras_applications(network, efficientnet):
    """Every weight of the published encoder up to its last 1x1 fits one of the same name."""
    ours = {weight.path: tuple(weight.shape) for weight in network.weights}
    theirs = {
        weight.path: tuple(weight.shape)
        for weight in efficientnet.weights
        if not weight.path.startswith('top_')
    }
    assert theirs.items() <= ours.items()


@pytest.mark.slow
def test_blocks_are_dropped_at_the_given_rate():
    image, _, deep = effnetv2s_stride16((32, 32), drop_connect=0.1)
    encoder = keras.Model(image, deep)
    rates = [layer.rate for layer in encoder.layers if isinstance(layer, keras.layers.Dropout)]
    assert max(rates) == pytest.approx(0.1 * 39 / 40)


@pytest.mark.slow
def test_outputs_at_a_quarter():
    model = deeplab_effnetv2s((64, 48), classes=3, confidence=True, upsample=False)
    shapes = {key: value.shape for key, value in model.output.items()}
    assert shapes == {'logits': (None, 12, 16, 3), 'confidence': (None, 12, 16, 1)}
