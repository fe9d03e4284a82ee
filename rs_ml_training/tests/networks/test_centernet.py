"""The light detector: contract, targets, and peaks back to boxes."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.data.sample import Boxes
from rs_ml_training.networks.centernet.targets import CROWD_HEAT, gaussian_radius, targets_of
from rs_ml_training.prediction.box_decoding import boxes_of_peaks

keras = pytest.importorskip('keras')

from rs_ml_training.networks.centernet.model import centernet_light  # noqa: E402
from rs_ml_training.networks.complexity import multiply_adds  # noqa: E402

SIZE = (96, 64)


def test_contract(check_network):
    check_network('centernet-light', classes=1, alpha=0.35, width=24)


@pytest.mark.slow
def test_contract_with_context(check_network):
    check_network('centernet-light', classes=1, alpha=0.35, width=24, context=True)


@pytest.fixture(scope='module')
def plain():
    """A detector of three classes, all of which learns."""
    return centernet_light(SIZE, classes=3, alpha=0.35)


@pytest.fixture(scope='module')
def known():
    """One with context, whose decoder and heads alone learn."""
    options = {'frozen_batch_norm': True, 'fixed_blocks': 4, 'context': True}
    return centernet_light(SIZE, classes=3, alpha=0.35, **options)


@pytest.mark.parametrize('network', ['plain', 'known'])
def test_classes_are_channels_of_the_heat_map(network, request):
    outputs = request.getfixturevalue(network).output
    assert {key: value.shape for key, value in outputs.items()} == {
        'heatmap': (None, 16, 24, 3),
        'size': (None, 16, 24, 2),
        'offset': (None, 16, 24, 2),
    }


@pytest.mark.slow
def test_contract_on_jax(check_network_on_jax):
    check_network_on_jax('centernet-light', classes=1, alpha=0.35)


def test_averages_follow_a_short_training(plain):
    norms = (layer for layer in plain.layers if isinstance(layer, keras.layers.BatchNormalization))
    assert {layer.momentum for layer in norms} == {0.9}


def test_a_fixed_encoder_leaves_the_decoder_free():
    model = centernet_light(SIZE, alpha=0.35, frozen_batch_norm=True, fixed_blocks=3)
    expected = {
        'block_12_project': False,
        'block_13_expand': True,
        'block_13_expand_BN': False,
        'decoder_conv4_bn': True,
        'head_size': True,
    }
    assert {name: model.get_layer(name).trainable for name in expected} == expected


def test_all_that_is_known_already_is_fixed(known):
    learns = {layer.name for layer in known.layers if layer.trainable_weights}
    assert learns
    assert all(name.startswith(('decoder_', 'head_')) for name in learns)


@pytest.mark.slow
def test_work_at_its_default_size():
    assert 0.5e9 < multiply_adds(centernet_light((320, 256))) < 1.0e9


@pytest.mark.parametrize('options', [{'alpha': 0.4}, {'classes': 0}, {'width': 0}])
def test_wrong_options(options):
    with pytest.raises(ConfigError, match=f'{next(iter(options.values()))}'):
        centernet_light(**options)


ROWS = {
    'none': ([], []),
    'one': ([[10, 8, 40, 60]], [0]),
    'fractions': ([[10.3, 8.9, 41.7, 60.2]], [1]),
    'cut by the border': ([[80, -10, 120, 30]], [1]),
    'two of one class': ([[0, 0, 30, 30], [50, 20, 90, 60]], [1, 1]),
    'two classes in one cell': ([[10, 10, 50, 50], [20, 20, 40, 40]], [0, 1]),
    'tiny': ([[33, 33, 34, 35]], [0]),
    'outside': ([[100, 10, 120, 40]], [0]),
}


def round_trip(boxes: Boxes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes [px], scores and classes that come back from the targets."""
    maps = targets_of(boxes, SIZE, classes=2)
    del maps['mask']
    found = boxes_of_peaks(**maps, model_size=SIZE).above(0.995)
    return found.xyxy, found.scores, found.class_ids


@pytest.mark.parametrize(
    'row', [r for r in ROWS if r not in ('two classes in one cell', 'outside')]
)
def test_targets_decode_to_the_boxes(row):
    boxes = Boxes.of(*ROWS[row])
    xyxy, scores, classes = round_trip(boxes)
    visible = np.clip(boxes.xyxy, 0, [*SIZE, *SIZE])
    assert len(xyxy) == len(visible)
    order = np.lexsort(xyxy.T)
    expected = np.lexsort(visible.T)
    np.testing.assert_allclose(xyxy[order], visible[expected], atol=1e-3)
    np.testing.assert_array_equal(classes[order], boxes.class_ids[expected])
    np.testing.assert_allclose(scores, 1.0)


def test_the_smaller_box_holds_a_shared_cell():
    xyxy, _, classes = round_trip(Boxes.of(*ROWS['two classes in one cell']))
    np.testing.assert_allclose(xyxy, [[20, 20, 40, 40]] * 2)
    assert sorted(classes) == [0, 1]


@pytest.mark.parametrize('boxes', [None, Boxes.of([], []), Boxes.of(*ROWS['outside'])])
def test_nothing_to_see(boxes):
    maps = targets_of(boxes, SIZE, classes=2)
    assert {key: value.shape for key, value in maps.items()} == {
        'heatmap': (16, 24, 2),
        'size': (16, 24, 2),
        'offset': (16, 24, 2),
        'mask': (16, 24, 1),
    }
    assert not any(value.any() for value in maps.values())


def test_a_crowd_is_neither_wanted_nor_wrong():
    maps = targets_of(Boxes.of([[8, 8, 40, 40], [12, 12, 20, 20]], [0, 0], [True, False]), SIZE)
    heat = maps['heatmap'][..., 0]
    assert heat[4, 4] == 1
    assert (heat == np.float32(CROWD_HEAT)).sum() == 63
    assert maps['mask'].sum() == 1


def test_a_class_that_does_not_exist():
    with pytest.raises(InputError, match=r'\[2\] do not fit 2 classes'):
        targets_of(Boxes.of([[0, 0, 9, 9]], [2]), SIZE, classes=2)


@pytest.mark.parametrize(('width', 'height'), [(1, 1), (10, 10), (4, 30), (55.5, 20)])
@pytest.mark.parametrize('overlap', [0.3, 0.7])
def test_radius_keeps_the_overlap(width, height, overlap):
    """Exactly the wanted overlap in the worst of the three cases, no less in the others."""
    r = gaussian_radius(width, height, overlap)
    area = width * height
    shared = (width - r) * (height - r)
    shifted = shared / (2 * area - shared)
    inner = (width - 2 * r) * (height - 2 * r) / area
    outer = area / ((width + 2 * r) * (height + 2 * r))
    assert min(shifted, inner, outer) == pytest.approx(overlap)
