"""Trainings from options to weights: files, resuming, and what ends one."""

from __future__ import annotations

import errno

import numpy as np
import pytest
import yaml
from rs_ml_training.errors import CheckpointError, ConfigError, DivergedError, TrainingError

keras = pytest.importorskip('keras')

from rs_ml_training.training import checkpoint  # noqa: E402
from rs_ml_training.training.options import DepthOptions  # noqa: E402
from rs_ml_training.training.run_folder import read_history  # noqa: E402
from rs_ml_training.training.session import prepare, train  # noqa: E402

from rs_ml_training import trained  # noqa: E402


def _weights(folder) -> list[np.ndarray]:
    return [np.asarray(w) for w in trained.load(folder, weights='last.weights.h5').model.weights]


def test_a_run_folder_holds_what_is_needed(tiny, run_folder):
    assert train('segmentation', tiny(), command=['rs-ml-train', 'x']) == run_folder
    written = {path.name for path in run_folder.iterdir()}
    assert written >= {
        'config.yaml',
        'environment.yaml',
        'model.yaml',
        'history.csv',
        'curves.png',
        'validation.png',
        'best.weights.h5',
        'last.weights.h5',
        'checkpoint',
        'tensorboard',
    }
    rows = read_history(run_folder / 'history.csv')
    assert [row['epoch'] for row in rows] == ['1', '2']
    assert {'loss', 'lr', 'val_miou'} <= set(rows[0])
    environment = yaml.safe_load((run_folder / 'environment.yaml').read_text())
    assert environment['command'] == ['rs-ml-train', 'x']
    assert environment['packages']['keras'] == keras.__version__
    loaded = trained.load(run_folder)
    assert loaded.spec.labels[3] == 'Road'
    assert loaded.spec.metrics['miou'] == pytest.approx(
        max(float(row['val_miou']) for row in rows), abs=1e-5
    )


def test_a_resumed_run_takes_the_course_of_an_unbroken_one(tiny, run_folder):
    unbroken = train('segmentation', tiny(epochs=3, name='unbroken'))

    def stop(report) -> None:
        if report.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train('segmentation', tiny(epochs=3), listener=stop)
    assert [p.name for p in (run_folder / 'checkpoint').iterdir()] == ['epoch-0001']
    train('segmentation', tiny(epochs=3))
    rows = [read_history(folder / 'history.csv') for folder in (unbroken, run_folder)]
    losses = [[float(row['loss']) for row in r] for r in rows]
    assert len(losses[1]) == 3
    np.testing.assert_allclose(*losses, rtol=1e-3)
    for expected, actual in zip(_weights(unbroken), _weights(run_folder), strict=True):
        np.testing.assert_allclose(actual, expected, atol=2e-3)


def test_a_loss_that_is_no_number_ends_it_and_overwrites_nothing(tiny, one_epoch):
    before = {p: p.stat().st_mtime_ns for p in one_epoch.rglob('*.h5')}
    with pytest.raises(DivergedError, match=r'the loss is .* lower --learning-rate'):
        train('segmentation', tiny(epochs=3, learning_rate=float('inf')))
    assert {p: p.stat().st_mtime_ns for p in one_epoch.rglob('*.h5')} == before


@pytest.mark.parametrize(
    ('changes', 'error', 'message'),
    [
        ({'model_option': ('width=8',)}, CheckpointError, 'give another --name'),
        ({'resume': False}, CheckpointError, 'holds a run already'),
        ({'optimizer': 'sgd'}, CheckpointError, 'does not fit this network and optimizer'),
    ],
)
def test_another_training_of_that_name(tiny, one_epoch, changes, error, message):
    before = (one_epoch / 'model.yaml').read_bytes()
    with pytest.raises(error, match=message):
        train('segmentation', tiny(epochs=2, **changes))
    assert (one_epoch / 'model.yaml').read_bytes() == before


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'model': 'fastdepth'}, "no network 'fastdepth' for this task"),
        ({'model_option': ('depth=3',)}, "no option 'depth'"),
        ({'input_size': (33, 32)}, 'multiples of 16, got 33x32'),
        ({'loss': 'l1'}, "no segmentation loss 'l1'"),
        ({'loss': 'dice', 'class_weights': True}, '--class-weights go with'),
        ({'augment': 'none of them'}, 'no augmentation'),
        ({'devices': 64}, '--devices 64, but there are'),
        ({'monitor': 'd1'}, "--monitor 'd1' is none of"),
    ],
)
def test_wrong_options(tiny, run_folder, changes, message):
    with pytest.raises(ConfigError, match=message):
        train('segmentation', tiny(epochs=1, **changes))
    assert not list(run_folder.rglob('*.h5'))


def test_data_that_cannot_serve_the_task(tiny):
    options = DepthOptions(data=tiny().data)
    with pytest.raises(ConfigError, match=r'depth needs depth_m, .* have only image, labels'):
        prepare('depth', options)


def test_a_full_disk_leaves_the_last_checkpoint(tiny, one_epoch, monkeypatch):

    def full(*_arguments, **_keywords):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(checkpoint.np, 'savez', full)
    with pytest.raises(TrainingError, match='the disk is full; what was there before is untouch'):
        train('segmentation', tiny(epochs=2))
    assert [p.name for p in (one_epoch / 'checkpoint').iterdir()] == ['epoch-0001']


def test_weights_of_another_network(tiny, one_epoch, tmp_path):
    spec = tmp_path / 'other'
    spec.mkdir()
    text = (one_epoch / 'model.yaml').read_text().replace('classes: 11', 'classes: 7')
    (spec / 'model.yaml').write_text(text)
    (spec / 'best.weights.h5').write_bytes((one_epoch / 'best.weights.h5').read_bytes())
    with pytest.raises(CheckpointError, match='does not hold weights of toy'):
        trained.load(spec)


def test_starting_from_the_weights_of_a_run(tiny, one_epoch):
    session = prepare('segmentation', tiny(initial_weights=one_epoch))
    best = trained.load(one_epoch).model
    for expected, actual in zip(best.weights, session.model.network.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(actual), np.asarray(expected))
