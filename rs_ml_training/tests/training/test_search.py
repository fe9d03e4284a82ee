"""Search and profile."""

from __future__ import annotations

import pytest
from rs_ml_perception.core.errors import ConfigError

pytest.importorskip('keras')
from rs_ml_training.training.profile import Profile, profile
from rs_ml_training.training.search import search


@pytest.mark.parametrize(
    ('space', 'message'),
    [
        ((), '--search is missing'),
        (('learning_rate',), 'is not FLAG=RANGE'),
        (('depth=1..2',), 'is not FLAG=RANGE'),
        (('learning_rate=2..1',), '2.0 is not below 1.0'),
        (('learning_rate=1..x',), "'x' is not a float"),
        (('learning_rate=1..2:linear',), 'only :log may follow'),
    ],
)
def test_wrong_spaces(tiny, space, message):
    pytest.importorskip('optuna')
    with pytest.raises(ConfigError, match=message):
        search('segmentation', tiny(), space, 1)


def test_search_goes_on_where_it_stopped(tiny, run_folder):
    pytest.importorskip('optuna')
    space = ('learning_rate=1e-4..1e-1:log', 'batch_size=4|8')
    assert search('segmentation', tiny(epochs=1), space, 1).startswith('1 trial, 1 of them')
    found = search('segmentation', tiny(epochs=1), space, 2)
    assert found.startswith('2 trials, 2 of them to the end; best miou')
    assert '--learning-rate' in found
    assert {p.name for p in run_folder.iterdir()} == {'study.db', 'trial-000', 'trial-001'}


def test_profile_measures_and_writes_nothing(tiny, run_folder):
    found = profile('segmentation', tiny(), batches=2)
    assert min(found.reading, found.training, found.together) > 0
    assert found.bottleneck in str(found)
    assert not run_folder.exists()


@pytest.mark.parametrize(
    ('reading', 'workers', 'expected'),
    [(10, 1, 'reading'), (10, 4, 'training'), (40, 0, 'training')],
)
def test_bottleneck(reading, workers, expected):
    assert Profile(reading, workers, 30, 20).bottleneck == expected
