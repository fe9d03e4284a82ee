"""A network takes what fits from one that is like it."""

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_training.errors import CheckpointError  # noqa: E402
from rs_ml_training.networks import registry  # noqa: E402
from rs_ml_training.networks.weights_file import load_fitting_weights  # noqa: E402


def network(**options):
    return registry.build('unet-small', (64, 64), base=4, **options)


@pytest.fixture(scope='module')
def saved(tmp_path_factory):
    model = network(classes=2)
    path = tmp_path_factory.mktemp('saved') / 'best.weights.h5'
    model.save_weights(path)
    return model, path


@pytest.mark.parametrize(
    ('options', 'left'),
    [({'classes': 2}, ()), ({'classes': 3}, ('logits',))],
    ids=['the same', 'other classes'],
)
def test_fitting_layers(saved, options, left):
    source, path = saved
    model = network(**options)
    match = load_fitting_weights(model, path)
    assert match.left == left
    assert match.total == sum(bool(layer.weights) for layer in source.layers)
    assert str(match).startswith(f'{match.total - len(left)} of {match.total} layers')
    for name in ('encoder_1_conv1', 'bottleneck_conv2', 'decoder_1_up'):
        pairs = zip(
            model.get_layer(name).get_weights(), source.get_layer(name).get_weights(), strict=True
        )
        assert all(np.array_equal(a, b) for a, b in pairs)


def test_another_network_is_refused(saved):
    with pytest.raises(CheckpointError, match='no layer of'):
        load_fitting_weights(registry.build('unet-light', None, width=8), saved[1])
