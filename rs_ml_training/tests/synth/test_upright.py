"""Rooms made for heights show somebody to measure."""

import json

import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_training.cli.data import main
from rs_ml_training.synth.frame import Posture
from rs_ml_training.synth.options import Side
from rs_ml_training.synth.writing.data_set import SetOptions

pytest.importorskip('embreex')

from rs_ml_training.synth.writing import upright
from rs_ml_training.synth.writing.data_set import exposures
from rs_ml_training.synth.writing.upright import FARTHEST_M, upright_world


def frame_of(seed):
    options = SetOptions(
        count=1, seed=seed, side='test', size=(106, 60), color_size=(320, 240), people='upright'
    )
    (frame,) = exposures(options, 1)
    return frame


@pytest.mark.parametrize('seed', [12, 16])
def test_an_upright_person_is_wholly_in_the_image(seed):
    people = frame_of(seed).people
    whole = ~people.cut & (people.visible_share > 0.95)
    assert whole.any()
    assert set(people.postures) <= {Posture.STANDING, Posture.WALKING}
    assert 0.8 < people.top_m[whole].min() < people.stature_m[whole].max() + 1e-3 < 2.05


def test_the_same_seed_gives_the_same_room_and_another_one_another():
    first, again, other = (upright_world(seed, Side.TEST) for seed in (12, 12, 13))
    assert (first.pose, first.seed) == (again.pose, again.seed)
    assert first.pose != other.pose
    assert first.options.side is Side.TEST


def test_a_person_far_away_is_not_enough(monkeypatch):
    world = upright_world(12, Side.TEST)
    assert upright._shows_person(world, world.pose)
    nearest = min(upright._range_m(one, world.pose) for one in world.inhabitants)
    assert nearest <= FARTHEST_M
    monkeypatch.setattr(upright, 'FARTHEST_M', 0.9 * nearest)
    assert not upright._shows_person(world, world.pose)


def test_rooms_without_such_a_view_are_given_up_at_last(monkeypatch):
    monkeypatch.setattr(upright, '_ROOMS', 2)
    monkeypatch.setattr(upright, '_shows_person', lambda world, pose: False)
    with pytest.raises(ConfigError, match='seed 5 gives no room'):
        upright_world(5, Side.TEST)


def test_the_command_writes_such_rooms(tmp_path):
    out = tmp_path / 'rooms'
    sizes = ['--size', '106x60', '--color-size', '160x120', '--layouts', 'nyu']
    words = ['--count', '1', '--seed', '12', '--side', 'test', '--people', 'upright', *sizes]
    assert main(['synth', '--out', str(out), *words]) == 0
    (frame,) = json.loads((out / 'heights.json').read_text())
    assert any(not p['cut'] and p['visible_share'] > 0.95 for p in frame['people'])
    assert 'people: upright' in (out / 'synth.yaml').read_text()
