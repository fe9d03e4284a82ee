"""DDRNet-23-slim: published size, aligned upsampling, scores that survive their export."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError

keras = pytest.importorskip('keras')

from rs_ml_training.networks import complexity  # noqa: E402
from rs_ml_training.networks.ddrnet import ddrnet23_slim  # noqa: E402
from rs_ml_training.networks.resize import UpsampleLike  # noqa: E402


@pytest.mark.parametrize(
    ('classes', 'options'),
    [
        (2, {'confidence': True}),
        pytest.param(2, {'aux': False}, marks=pytest.mark.slow),
    ],
)
def test_contract(check_network, classes, options):
    check_network('ddrnet23-slim', classes=classes, **options)


@pytest.mark.slow
def test_contract_on_jax(check_network_on_jax):
    check_network_on_jax('ddrnet23-slim', classes=2, confidence=True)


@pytest.mark.parametrize(
    ('options', 'parameters'),
    [
        ({'aux': False}, 5_694_882),
        pytest.param({'aux': True}, 5_732_132, marks=pytest.mark.slow),
        pytest.param({'aux': False, 'confidence': True}, 5_694_900, marks=pytest.mark.slow),
        pytest.param({'aux': False, 'classes': 19}, 5_694_882 + 17 * 65, marks=pytest.mark.slow),
    ],
)
def test_trained_parameters_as_published(built, options, parameters):
    assert complexity.parameters(built('ddrnet23-slim', None, **options)) == parameters


def test_multiply_adds_as_published(built):
    network = built('ddrnet23-slim', None, aux=False)
    assert round(complexity.multiply_adds(network, (640, 480)) / 1e9, 1) == 5.3


def test_scores_at_an_eighth():
    """The contract has them at the size of the input."""
    model = ddrnet23_slim((160, 96), upsample=False)
    shapes = {key: value.shape for key, value in model.output.items()}
    assert shapes == dict.fromkeys(('logits', 'logits_aux'), (None, 12, 20, 2))


def test_confidence_needs_scores_at_input_size():
    with pytest.raises(ConfigError, match=r'confidence=True.*upsample=True'):
        ddrnet23_slim((64, 64), confidence=True, upsample=False)


@pytest.mark.parametrize(
    ('cells', 'factor', 'size'),
    [((1, 1), 8, (1, 1)), ((8, 10), 8, (60, 80)), ((2, 3), 4, (8, 10)), ((3, 2), 2, (6, 4))],
)
@pytest.mark.parametrize('known', [True, False])
def test_upsampling_keeps_places(cells, factor, size, known):
    """A ramp of cell centres becomes the ramp of pixel centres, away from the edges."""
    maps = ramp(cells, factor)
    layer = UpsampleLike(factor)
    if known:
        result = layer([maps, np.zeros((1, *size, 1), np.float32)])
    else:
        inputs = [keras.Input((None, None, 2)), keras.Input((None, None, 1))]
        model = keras.Model(inputs, layer(inputs))
        result = model.predict([maps, np.zeros((1, *size, 1), np.float32)], verbose=0)
    expected = ramp(size, 1)
    last = np.array([(cells[1] - 1) * factor, (cells[0] - 1) * factor]) + (factor - 1) / 2
    np.testing.assert_allclose(result, np.clip(expected, (factor - 1) / 2, last), atol=1e-4)


def ramp(size: tuple[int, int], step: int) -> np.ndarray:
    """Places (x, y) of cell centres in pixels, (1, H, W, 2)."""
    y, x = np.mgrid[: size[0], : size[1]]
    return (np.stack([x, y], -1)[None] * step + (step - 1) / 2).astype(np.float32)
