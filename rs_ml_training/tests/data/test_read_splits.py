"""Training and validation share nothing."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample
from rs_ml_training.data.splits import hold_out_blocks, split_by_scene


class Sequences(Reader):
    """Scenes of the lengths given, one after the other."""

    labels = ('a',)
    colors = ((1, 2, 3),)
    license = 'mine'
    reference_focal_px = 7.0

    def __init__(self, *lengths):
        self._scenes = [f's{i}' for i, n in enumerate(lengths) for _ in range(n)]

    def __len__(self):
        return len(self._scenes)

    def name(self, index):
        return str(index)

    def scene(self, index):
        return self._scenes[index]

    def read(self, index):
        return Sample(name=self.name(index), scene=self.scene(index))


def names(reader):
    return [reader.name(i) for i in range(len(reader))]


def scenes(reader):
    return {reader.scene(i) for i in range(len(reader))}


LENGTHS = [(1, 1), (5, 1, 3), (10,) * 20, tuple(range(1, 30)), (100, 1)]


@pytest.mark.parametrize('lengths', LENGTHS)
@pytest.mark.parametrize('share', [0.05, 0.3, 0.9])
@pytest.mark.parametrize('seed', [0, 1])
def test_no_scene_on_both_sides(lengths, share, seed):
    reader = Sequences(*lengths)
    train, valid = split_by_scene(reader, share, seed)
    assert len(train) > 0
    assert len(valid) > 0
    assert not scenes(train) & scenes(valid)
    assert sorted(names(train) + names(valid)) == sorted(names(reader))
    again = split_by_scene(Sequences(*lengths), share, seed)
    assert [names(part) for part in again] == [names(train), names(valid)]
    assert valid.read(0).name == valid.name(0)


@pytest.mark.parametrize('share', [0.1, 0.25, 0.5])
def test_the_share_is_met(share):
    _, valid = split_by_scene(Sequences(*[10] * 40), share)
    assert len(valid) == pytest.approx(share * 400, abs=10)


@pytest.mark.parametrize('seed', range(6))
def test_a_scene_too_large_is_passed_over(seed):
    _, valid = split_by_scene(Sequences(30, *[10] * 10), 0.15, seed)
    assert scenes(valid) - {'s0'}
    assert len(valid) == 20


def test_another_seed_is_another_split():
    parts = {tuple(names(split_by_scene(Sequences(*[2] * 30), 0.2, seed)[1])) for seed in range(5)}
    assert len(parts) > 1


@pytest.mark.parametrize('margin', [0, 1, 3, 10])
def test_blocks_keep_their_distance(margin):
    reader = Sequences(*[10] * 12)
    train, valid = hold_out_blocks(reader, 0.2, seed=4, margin=margin)
    kept, held = (np.array(list(map(int, names(part)))) for part in (train, valid))
    assert np.abs(kept[:, None] - held[None]).min() == margin + 1
    left_out = set(range(120)) - set(kept) - set(held)
    assert all(np.abs(held - i).min() <= margin for i in left_out)


@pytest.mark.parametrize(
    ('reader', 'split', 'options', 'error', 'named'),
    [
        (Sequences(), split_by_scene, {}, InputError, '0 scenes'),
        (Sequences(4), split_by_scene, {}, InputError, '1 scenes'),
        (Sequences(4), hold_out_blocks, {}, InputError, '1 scenes'),
        (Sequences(2, 2), split_by_scene, {'valid_share': 0}, ConfigError, '0'),
        (Sequences(2, 2), split_by_scene, {'valid_share': 1.0}, ConfigError, '1.0'),
        (Sequences(2, 2), split_by_scene, {'valid_share': float('nan')}, ConfigError, 'nan'),
        (Sequences(2, 2), hold_out_blocks, {'margin': -1}, ConfigError, '-1'),
        (Sequences(2, 2), hold_out_blocks, {'margin': 2}, InputError, 'margin of 2'),
        (Sequences(2, 2), hold_out_blocks, {'margin': 99}, InputError, 'margin of 99'),
    ],
)
def test_splits_that_cannot_be(reader, split, options, error, named):
    with pytest.raises(error) as caught:
        split(reader, **options)
    assert named in str(caught.value)


def test_notes_on_the_data_stay():
    part, _ = split_by_scene(Sequences(2, 2), 0.5)
    assert (part.labels, part.colors, part.license) == (('a',), ((1, 2, 3),), 'mine')
    assert part.reference_focal_px == 7.0
