"""Given and rendered rooms."""

import pytest
from rs_ml_perception.core.errors import InputError

from benchmarks.accuracy import inputs as rooms
from benchmarks.accuracy.definitions import AccuracyOptions


@pytest.fixture
def rendered(monkeypatch):
    calls = []

    def render(wanted, folder):
        calls.append(wanted)
        folder.mkdir()

    monkeypatch.setattr(rooms, '_render', render)
    return calls


@pytest.mark.parametrize(
    ('make', 'options', 'expected'),
    [
        (rooms.unseen_rooms, {}, (60, 4, ('intel',), 'any')),
        (rooms.unseen_rooms, {'quick': True, 'exposures': 1}, (2, 1, ('intel',), 'any')),
        (rooms.upright_rooms, {}, (40, 1, ('nyu',), 'upright')),
        (rooms.upright_rooms, {'upright_rooms': 7}, (7, 1, ('nyu',), 'upright')),
        (rooms.upright_rooms, {'quick': True}, (2, 1, ('nyu',), 'upright')),
    ],
)
def test_rooms_of_the_test_side_are_rendered_once(rendered, tmp_path, make, options, expected):
    made = make(AccuracyOptions(seed=5, **options), tmp_path / 'made')
    assert made.path() == made.path() == tmp_path / 'made'
    (wanted,) = rendered
    assert (wanted.count, wanted.repeats, wanted.layouts, wanted.people) == expected
    assert (wanted.side, wanted.seed) == ('test', 5)


@pytest.mark.parametrize(
    ('make', 'name'), [(rooms.unseen_rooms, 'synth'), (rooms.upright_rooms, 'upright')]
)
def test_given_rooms(rendered, tmp_path, make, name):
    given = make(AccuracyOptions(**{name: tmp_path}), tmp_path / 'made')
    assert given.path() == tmp_path
    (tmp_path / 'synth.yaml').write_text('options: {side: test}\n')
    assert given.path() == tmp_path
    assert rendered == []


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('options: {side: train}', "'train': give some of --side test"),
        ('', 'is not what rs-ml-data synth writes'),
        ('options: [', 'is not what rs-ml-data synth writes'),
    ],
)
def test_rooms_for_training_are_rejected(tmp_path, text, reason):
    (tmp_path / 'synth.yaml').write_text(text)
    with pytest.raises(InputError, match=reason):
        rooms.upright_rooms(AccuracyOptions(upright=tmp_path), tmp_path / 'made').path()
