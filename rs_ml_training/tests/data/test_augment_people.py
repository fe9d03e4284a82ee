"""People put into rooms, and cameras that measure less."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_training.data.augment.depth_noise import Farthest, NoDepth, OtherScale
from rs_ml_training.data.augment.people import Figure, PastePeople, figures_of
from rs_ml_training.data.reader import NamedReader
from rs_ml_training.data.sample import Boxes, Sample

WIDTH, HEIGHT = 160, 120
RED = np.full((100, 40, 4), (200, 0, 0, 255), np.uint8)
STANDING = Figure(RED, is_whole=True)


def room(depth_m=3.0, **fields):
    maps = {
        'image': np.full((HEIGHT, WIDTH, 3), 20, np.uint8),
        'labels': np.full((HEIGHT, WIDTH), 11, np.uint8),
        'raw_depth_m': np.full((HEIGHT, WIDTH), depth_m, np.float32),
    }
    return Sample('room', **(maps | fields))


def pasted(sample, seed=0, figure=STANDING, **limits):
    return PastePeople((figure,), 13, **limits)(sample, np.random.default_rng(seed))


@pytest.mark.parametrize('seed', range(6))
def test_all_maps_agree(seed):
    found = pasted(room(9.0, extra={'unlisted': np.ones((HEIGHT, WIDTH), np.uint8)}), seed)
    person = found.labels == 13
    assert person.any()
    assert (found.raw_depth_m[~person] == 9).all()
    assert (found.raw_depth_m[person] < 9).all()
    assert not found.extra['unlisted'][person].any()
    assert found.extra['unlisted'][~person].all()
    reddish = found.image[..., 0] > found.image[..., 1] + 40
    assert (reddish == person).mean() > 0.97


def test_taller_is_nearer():
    depths = [
        np.median(found.raw_depth_m[found.labels == 13])
        for share in (0.3, 0.6)
        for found in [pasted(room(20.0), low=share, high=share)]
    ]
    assert depths[0] == pytest.approx(2 * depths[1], rel=0.1)
    assert 1.0 < depths[1] < 5.0


def test_nearer_surfaces_hide_them_but_never_most_of_them():
    """A cupboard at 1 m in front of the left half."""
    behind = np.arange(WIDTH) < WIDTH // 2
    sample = room(9.0)
    sample.raw_depth_m[:, behind] = 1.0
    hidden_px = []
    for seed in range(12):
        whole = pasted(room(9.0), seed, low=0.4, high=0.4).labels == 13
        rest = whole & ~behind
        seen = rest if rest.sum() > whole.sum() / 2 else whole
        person = pasted(sample, seed, low=0.4, high=0.4).labels == 13
        np.testing.assert_array_equal(person, seen)
        hidden_px.append((whole & ~seen).sum())
    assert any(hidden_px)


def test_without_depth_there_is_none():
    found = pasted(room(raw_depth_m=None))
    assert found.raw_depth_m is None
    assert (found.labels == 13).any()


class _Photos(NamedReader):
    labels = ('wall', 'person')
    _names = ('one',)

    def __init__(self, box):
        self._box = box

    def read(self, index):
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        x0, y0, x1, y1 = self._box
        labels[y0:y1, x0:x1] = 1
        image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        return Sample('one', image=image, labels=labels, boxes=Boxes.of([self._box], [1]))


@pytest.mark.parametrize(
    ('box', 'is_whole'), [((10, 5, 40, 105), True), ((10, 5, 100, 105), False)]
)
def test_figures_of_photographs(box, is_whole):
    (figure,) = figures_of(_Photos(box))
    assert figure.is_whole == is_whole
    assert figure.rgba.shape == (100, box[2] - box[0], 4)


@pytest.mark.parametrize('labels', [('wall', 'person'), ('wall', 'dog')])
def test_photographs_without_people(labels):
    reader = _Photos((10, 5, 20, 30))
    reader.labels = labels
    with pytest.raises(ConfigError, match='--cutouts: no person'):
        figures_of(reader)


def test_cameras_that_measure_less():
    sample = room()
    sample.raw_depth_m[:, 80:] = 12.0
    far = Farthest(4.0, 10.0)(sample, np.random.default_rng(0))
    assert (far.raw_depth_m[:, :80] == 3).all()
    assert not far.raw_depth_m[:, 80:].any()
    assert not NoDepth()(sample, np.random.default_rng(0)).raw_depth_m.any()


def test_another_scale_of_the_world():
    sample = room()
    sample.raw_depth_m[:, 80:] = 0.0
    factors = []
    for seed in range(20):
        found = OtherScale(0.2, 1.25)(sample, np.random.default_rng(seed)).raw_depth_m
        assert not found[:, 80:].any()
        assert np.ptp(found[:, :80]) == 0
        factors.append(found[0, 0] / 3)
    assert 0.2 <= min(factors) < 0.4
    assert 0.9 < max(factors) <= 1.25
