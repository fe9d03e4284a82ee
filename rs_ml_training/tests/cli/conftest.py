"""Run folders of networks with random weights."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

NETWORKS = {
    'depth': ('fastdepth-pruned', {}, ()),
    'segmentation': (
        'unet-small',
        {'classes': 3},
        ('Sky', 'Building', 'Road'),
    ),
    'denoise': ('unet-light', {}, ()),
    'detection': ('centernet-light', {'classes': 2, 'alpha': 0.35, 'width': 8}, ('cat', 'person')),
}


@pytest.fixture(scope='session')
def random_run(tmp_path_factory) -> Callable[[str], Path]:
    """Task -> run folder of a small network with random weights at 64 x 64."""
    keras = pytest.importorskip('keras')
    made: dict[str, Path] = {}

    def make(task: str) -> Path:
        if task not in made:
            from rs_ml_training import trained

            keras.utils.set_random_seed(1)
            network, options, labels = NETWORKS[task]
            spec = trained.ModelSpec(task, network, (64, 64), options=options, labels=labels)
            made[task] = tmp_path_factory.mktemp('runs') / task
            made[task].mkdir()
            trained.write_spec(spec, made[task])
            trained.build(spec).save_weights(made[task] / trained.BEST_WEIGHTS)
        return made[task]

    return make


@pytest.fixture(scope='session')
def loaded_once() -> Callable[..., object]:
    """`trained.load`, which gives the same network for the same arguments."""
    pytest.importorskip('keras')
    from rs_ml_training import trained

    return functools.cache(trained.load)


@pytest.fixture
def kept_networks(loaded_once, monkeypatch) -> None:
    """Tests share networks, each of which is built and compiled once."""
    monkeypatch.setattr('rs_ml_training.trained.load', loaded_once)
