"""A training that takes seconds."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from rs_ml_training.networks import registry

TOY = 'rs_ml_training.networks.toy'


def _toy(input_size=None, classes: int = 2, width: int = 4, dropout: float = 0.0):
    """Two convolutions, so that tracing takes no time."""
    import keras
    from keras import layers

    shape = (None, None) if input_size is None else input_size[::-1]
    image = keras.Input((*shape, 3), name='image')
    x = layers.Conv2D(width, 3, padding='same', use_bias=False)(layers.Rescaling(1 / 255)(image))
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Dropout(dropout)(x) if dropout else x
    return keras.Model({'image': image}, {'logits': layers.Conv2D(classes, 1)(x)}, name='toy')


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    """A network of that name for segmentation."""
    entry = registry.NetworkEntry('toy', 'segmentation', f'{TOY}:toy', (32, 32), 16, 'for tests')
    monkeypatch.setitem(registry.NETWORKS, 'toy', entry)
    monkeypatch.setitem(sys.modules, TOY, SimpleNamespace(toy=_toy))


@pytest.fixture
def curves() -> None:
    """For tests of curves.png: other runs do not draw it, which takes longer than they train."""


@pytest.fixture(autouse=True)
def without_curves(request, monkeypatch):
    """Unless a test asks for `curves`."""
    if 'curves' not in request.fixturenames:
        monkeypatch.setattr('rs_ml_training.training.curves.draw', lambda *_: None)


@pytest.fixture
def tiny(miniature, tmp_path) -> Callable[..., object]:
    """Options of a toy network on sixteen pictures, for two epochs; keywords change them."""
    pytest.importorskip('keras')
    from rs_ml_training.tasks.segmentation.task import SegmentationTraining

    path = miniature('camvid')

    def make(**changes: object) -> SegmentationTraining:
        values = {
            'data': (f'camvid:{path / "train"}',),
            'validation_data': (f'camvid:{path / "val"}',),
            'model': 'toy',
            'input_size': (32, 32),
            'batch_size': 2,
            'epochs': 2,
            'warmup_epochs': 0.0,
            'ema': 0.5,
            'runs': tmp_path / 'runs',
            'name': 'tiny',
            'pictures': 1,
        }
        return SegmentationTraining(**(values | changes))

    return make


@pytest.fixture
def run_folder(tmp_path) -> Path:
    """Where `tiny` writes."""
    return tmp_path / 'runs' / 'tiny'


@pytest.fixture(scope='session')
def first_epoch() -> list[Path]:
    """Holds the run folder of one epoch of `tiny`, once a test has made it."""
    return []


@pytest.fixture
def one_epoch(tiny, run_folder, first_epoch, tmp_path_factory) -> Path:
    """`run_folder` after one epoch; trained once, then copied."""
    from rs_ml_training.training.session import train

    if not first_epoch:
        kept = tmp_path_factory.mktemp('kept') / 'tiny'
        shutil.copytree(train('segmentation', tiny(epochs=1)), kept)
        first_epoch.append(kept)
    shutil.copytree(first_epoch[0], run_folder, dirs_exist_ok=True)
    return run_folder
