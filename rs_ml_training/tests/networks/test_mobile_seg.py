"""mobile-seg holds what every network holds, with and without depth."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_perception.core.errors import ConfigError  # noqa: E402
from rs_ml_training.networks import registry  # noqa: E402
from rs_ml_training.networks.freezing import encoder_layers  # noqa: E402
from rs_ml_training.networks.mobilenetv2.segmentation import DepthCues  # noqa: E402

SMALL = {'width': 16, 'classes': 3}
FOCAL_PX = 60.0


@pytest.mark.slow
def test_contract(check_network):
    check_network('mobile-seg', (64, 64), score_stride=1, **SMALL)


@pytest.mark.slow
def test_contract_on_jax(check_network_on_jax):
    check_network_on_jax('mobile-seg', size=(64, 64), score_stride=1, **SMALL)


@pytest.fixture(scope='module')
def network():
    keras.utils.set_random_seed(0)
    return registry.build('mobile-seg', None, **SMALL, frozen_batch_norm=True, fixed_blocks=1)


def scores(network, depth_m):
    shape = depth_m.shape[:2]
    image = np.random.default_rng(0).uniform(0, 255, (1, *shape, 3)).astype(np.float32)
    found = network({'image': image, 'measured_m': depth_m[None, :, :, None]})
    return keras.ops.convert_to_numpy(found['logits'])


def test_scores_come_at_half_the_size(network):
    assert scores(network, np.zeros((64, 96), np.float32)).shape == (1, 32, 48, 3)


def test_known_context_changes_no_shape():
    known = registry.build('mobile-seg', (96, 64), **SMALL, context=True, fixed_blocks=4)
    assert known.output['logits'].shape == (None, 32, 48, 3)
    assert all(x.trainable for x in known.layers if x.name.startswith(('decoder_', 'logits')))
    assert not any(x.trainable_weights for x in known.layers if x.name.startswith('context_'))


def test_depth_counts(network):
    flat = scores(network, np.full((64, 96), 2.0, np.float32))
    assert np.abs(flat - scores(network, np.zeros((64, 96), np.float32))).max() > 1e-6


def test_fixed_layers(network):
    learns = {x.name: x.trainable for x in encoder_layers(network)}
    assert not any(on for name, on in learns.items() if name.endswith('_BN'))
    assert not learns['block_2_expand']
    assert learns['block_3_expand']
    assert all(x.trainable for x in network.layers if x.name.startswith(('decoder_', 'logits')))


def test_senseless_stride():
    with pytest.raises(ConfigError, match='score_stride must be one of'):
        registry.build('mobile-seg', None, score_stride=3)


def plane_m(normal, distance_m, size=(48, 64)):
    """Depth of the plane normal . X = distance."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    x, y = (columns - size[1] / 2) / FOCAL_PX, (rows - size[0] / 2) / FOCAL_PX
    facing = normal[0] * x + normal[1] * y + normal[2]
    return (distance_m / facing).astype(np.float32)


def cues(depth_m):
    return keras.ops.convert_to_numpy(DepthCues(4)(depth_m[None, :, :, None]))[0]


@pytest.mark.parametrize(
    'depth_m',
    [
        pytest.param(np.zeros((48, 64), np.float32), id='nothing'),
        pytest.param(np.full((48, 64), -1.0, np.float32), id='negative'),
    ],
)
def test_unknown_depth_gives_no_cues(depth_m):
    assert not cues(depth_m).any()


@pytest.mark.parametrize(
    ('normal', 'axis'), [((0.0, 0.0, 1.0), None), ((0.5, 0.0, 1.0), 1), ((0.0, 0.5, 1.0), 2)]
)
def test_slopes_of_a_plane(normal, axis):
    """The inverse depth of a plane is linear: slope times depth is normal over distance."""
    depth_m = plane_m(normal, 3.0)
    found = cues(depth_m)[1:-1, 1:-1]
    coarse_m = depth_m.reshape(12, 4, 16, 4).mean(axis=(1, 3))[1:-1, 1:-1]
    for channel in (1, 2):
        expected = np.zeros_like(coarse_m)
        if channel == axis:
            expected = normal[channel - 1] / 3.0 / FOCAL_PX * coarse_m / 0.02
        np.testing.assert_allclose(found[..., channel], expected, rtol=0.02, atol=1e-3)


def test_holes_do_not_count():
    """A checkerboard of holes changes the share alone, not depth or height."""
    depth_m = plane_m((0.0, 0.0, 1.0), 2.0)
    holed = np.where(np.indices(depth_m.shape).sum(axis=0) % 2, depth_m, np.float32(0))
    whole, half = cues(depth_m), cues(holed)
    np.testing.assert_allclose(half[..., :4], whole[..., :4], atol=1e-5)
    np.testing.assert_allclose(half[..., 4], 0.5)
    np.testing.assert_allclose(whole[0, 0, 3], -(1 - 1 / 12) * 2 / 3, rtol=1e-5)
