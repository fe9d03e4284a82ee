"""BTS: published sizes, planar guidance against plain arithmetic, fixed blocks."""

import math

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError

keras = pytest.importorskip('keras')

from rs_ml_training.networks import freezing  # noqa: E402
from rs_ml_training.networks.bts.decoder import (  # noqa: E402
    SMALLEST_RATIO,
    LocalPlanarGuidance,
)
from rs_ml_training.networks.bts.encoders import ENCODERS  # noqa: E402
from rs_ml_training.networks.bts.model import bts  # noqa: E402
from rs_ml_training.networks.complexity import multiply_adds, parameters  # noqa: E402


@pytest.fixture(scope='module')
def model() -> keras.Model:
    """A small BTS on MobileNetV2."""
    return bts(encoder='mobilenetv2', features=64)


@pytest.mark.parametrize(
    'options',
    [
        pytest.param({'intermediates': True}, marks=pytest.mark.slow),
        pytest.param({'reduce': 'single', 'max_depth_m': 80.0}, marks=pytest.mark.slow),
    ],
)
def test_contract(check_network, options):
    check_network('bts', encoder='mobilenetv2', features=64, **options)


@pytest.mark.parametrize(
    ('encoder', 'reduce', 'millions', 'digits'),
    [
        pytest.param('mobilenetv2', 'chain', 16.34, 2, marks=pytest.mark.slow),
        pytest.param('densenet161', 'single', 46.76, 2, marks=pytest.mark.slow),
        pytest.param('densenet161', 'chain', 47.0, 1, marks=pytest.mark.slow),
        pytest.param('densenet121', 'chain', 21.2, 1, marks=pytest.mark.slow),
        pytest.param('densenet121', 'single', 12.0, 1, marks=pytest.mark.slow),
        pytest.param('resnet50', 'chain', 47.5, 1, marks=pytest.mark.slow),
    ],
)
def test_parameters_as_published(encoder, reduce, millions, digits):
    """The published 49.5 M with ResNet-50 count a classifier of 2.05 M that is not used."""
    count = parameters(bts(encoder=encoder, reduce=reduce))
    assert round(count / 1e6, digits) == millions


@pytest.mark.slow
@pytest.mark.parametrize(
    ('encoder', 'reduce', 'gigas'),
    [
        ('densenet161', 'single', 119.7),
        ('densenet161', 'chain', 121.5),
        ('densenet121', 'single', 36.2),
    ],
)
def test_work_as_published(encoder, reduce, gigas):
    count = multiply_adds(bts((640, 480), encoder=encoder, reduce=reduce))
    assert round(count / 1e9, 1) == gigas


@pytest.mark.slow
@pytest.mark.parametrize('encoder', [name for name in ENCODERS if name != 'mobilenetv2'])
def test_other_encoders(encoder):
    model = bts(encoder=encoder, features=64)
    image = np.random.default_rng(0).uniform(0, 255, (1, 64, 96, 3)).astype(np.float32)
    depth_m = keras.ops.convert_to_numpy(model({'image': image}, training=True)['depth_m'])
    assert depth_m.shape == (1, 64, 96, 1)
    assert np.isfinite(depth_m).all()
    assert depth_m.std() > 0


@pytest.mark.slow
def test_contract_on_jax(check_network_on_jax):
    check_network_on_jax('bts', size=(64, 64), encoder='mobilenetv2', features=64)


@pytest.fixture(scope='module')
def frozen() -> keras.Model:
    """The same, of which a part is fixed."""
    options = {'intermediates': True, 'frozen_batch_norm': True, 'fixed_blocks': 1}
    return bts(encoder='mobilenetv2', features=64, **options)


def test_options_that_a_weights_file_does_not_depend_on(model, frozen, tmp_path):
    model.save_weights(tmp_path / 'x.weights.h5')
    again = frozen
    again.load_weights(tmp_path / 'x.weights.h5')
    image = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype(np.float32)
    expected, depth_m = (m({'image': image})['depth_m'] for m in (model, again))
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(depth_m), keras.ops.convert_to_numpy(expected)
    )


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'encoder': 'vgg16'}, "no BTS encoder 'vgg16'.*densenet161"),
        ({'reduce': 'half'}, "no reduction 'half'.*chain, single"),
        ({'features': 72}, 'features.*72'),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ConfigError, match=message):
        bts(**options)


def guided_slowly(planes: np.ndarray, k: int) -> np.ndarray:
    """Equation 2 of the paper, pixel by pixel."""
    batch, height, width, _ = planes.shape
    depth = np.zeros((batch, height * k, width * k, 1))
    for b, row, column in np.ndindex(batch, height * k, width * k):
        tilt, azimuth, distance = planes[b, row // k, column // k]
        theta, phi = tilt * math.pi / 3, azimuth * 2 * math.pi
        n1 = math.sin(theta) * math.cos(phi)
        n2 = math.sin(theta) * math.sin(phi)
        u = (column % k - (k - 1) / 2) / k
        v = (row % k - (k - 1) / 2) / k
        ratio = n1 * u + n2 * v + math.cos(theta)
        depth[b, row, column] = distance / max(ratio, SMALLEST_RATIO)
    return depth


@pytest.mark.parametrize('k', [2, 4, 8])
def test_guidance_is_the_equation(k):
    planes = np.random.default_rng(k).random((2, 3, 4, 3)).astype(np.float32)
    depth = keras.ops.convert_to_numpy(LocalPlanarGuidance(k)(planes))
    np.testing.assert_allclose(depth, guided_slowly(planes, k), rtol=2e-4)


@pytest.mark.parametrize(
    ('slope_x', 'slope_y'), [(0.0, 0.0), (0.002, 0.0), (0.0, -0.003), (0.004, 0.001)]
)
@pytest.mark.parametrize('k', [2, 8])
def test_a_plane_is_reproduced(k, slope_x, slope_y):
    """A plane in front of a pinhole: its inverse depth is linear in the pixel."""
    rows, columns = np.mgrid[: 4 * k, : 5 * k]
    truth = 1 / (0.3 + slope_x * columns + slope_y * rows)
    centre_y, centre_x = (np.mgrid[:4, :5] + 0.5) * k - 0.5
    normal = np.stack(
        [
            np.full((4, 5), slope_x * k),
            np.full((4, 5), slope_y * k),
            0.3 + slope_x * centre_x + slope_y * centre_y,
        ],
        axis=-1,
    )
    length = np.linalg.norm(normal, axis=-1)
    theta = np.arccos(normal[..., 2] / length)
    phi = np.arctan2(normal[..., 1], normal[..., 0]) % (2 * math.pi)
    planes = np.stack([theta / (math.pi / 3), phi / (2 * math.pi), 1 / length], axis=-1)
    depth = LocalPlanarGuidance(k)(planes[None].astype(np.float32))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(depth)[0, ..., 0], truth, rtol=1e-4)


def test_guidance_is_finite_where_the_plane_is_seen_edge_on():
    steep = np.full((1, 2, 2, 3), (1.0, 0.125, 1.0), np.float32)
    depth = keras.ops.convert_to_numpy(LocalPlanarGuidance(8)(steep))
    assert depth.min() > 0
    assert depth.max() == pytest.approx(1 / SMALLEST_RATIO)


@pytest.mark.parametrize(
    ('blocks', 'fixed', 'free'),
    [
        (0, 'bn_Conv1', 'block_1_expand'),
        (1, 'block_2_project', 'block_3_expand'),
        (2, 'block_5_depthwise', 'block_6_expand'),
        (3, 'block_12_project', 'block_13_expand'),
        (4, 'Conv_1', 'decoder_conv5'),
    ],
)
def test_fixed_blocks(model, blocks, fixed, free):
    model.trainable = True
    names = freezing.fixed_blocks(model, blocks)
    assert fixed in names
    assert not model.get_layer(fixed).trainable
    assert model.get_layer(free).trainable


@pytest.mark.slow
@pytest.mark.parametrize('encoder', ['densenet161', 'resnet50'])
def test_fixed_blocks_of_dense_and_residual_encoders(encoder):
    model = bts(encoder=encoder, features=64)
    names = freezing.fixed_blocks(model, 1)
    assert names[0] == 'conv1_conv'
    assert any(name.startswith('conv2_') for name in names)
    assert not any(name.startswith(('conv3_', 'decoder_')) for name in names)


def test_frozen_batch_norm_keeps_its_statistics(frozen):
    model = frozen
    before = model.get_layer('bn_Conv1').get_weights()
    decoder_before = model.get_layer('decoder_conv4_bn').get_weights()
    model({'image': np.full((1, 64, 64, 3), 200.0, np.float32)}, training=True)
    for old, new in zip(before, model.get_layer('bn_Conv1').get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    moved = model.get_layer('decoder_conv4_bn').get_weights()
    assert any((a != b).any() for a, b in zip(decoder_before, moved, strict=True))


def test_averages_follow_the_data(model):
    norms = (layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    assert {layer.momentum for layer in norms} == {0.99}


@pytest.mark.parametrize('blocks', [-1, 5])
def test_fixed_blocks_out_of_range(blocks):
    with pytest.raises(ConfigError, match=f'got {blocks}'):
        freezing.fixed_blocks(keras.Sequential([]), blocks)


def test_fixed_blocks_of_an_unknown_encoder():
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(image), name='plain')
    with pytest.raises(ConfigError, match='plain has no encoder'):
        freezing.fixed_blocks(model, 0)
