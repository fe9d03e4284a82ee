"""Trainings from options to weights: files, resuming, and what ends one."""

from __future__ import annotations

import errno
import json

import numpy as np
import pytest
import yaml
from rs_ml_perception.core.errors import ConfigError, InputError, RsMlError
from rs_ml_training.errors import CheckpointError, DivergedError

keras = pytest.importorskip('keras')

from rs_ml_training.tasks.mono_depth import DepthTraining  # noqa: E402
from rs_ml_training.training import checkpoint  # noqa: E402
from rs_ml_training.training.epoch_end import EpochEnd, StopOnNan  # noqa: E402
from rs_ml_training.training.run_folder import read_history  # noqa: E402
from rs_ml_training.training.session import prepare, train  # noqa: E402

from rs_ml_training import trained  # noqa: E402


def _weights(folder) -> list[np.ndarray]:
    return [np.asarray(w) for w in trained.load(folder, weights='last.weights.h5').model.weights]


def test_a_run_folder_is_complete(tiny, run_folder, curves):
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
    same = {'epochs': 3, 'model_option': ('dropout=0.5',)}
    unbroken = train('segmentation', tiny(name='unbroken', **same))

    def stop(report) -> None:
        if report.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train('segmentation', tiny(**same), listener=stop)
    assert [p.name for p in (run_folder / 'checkpoint').iterdir()] == ['epoch-0001']
    train('segmentation', tiny(**same))
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


def test_weights_that_are_no_numbers_overwrite_nothing(tiny, one_epoch, monkeypatch):
    before = {p: p.stat().st_mtime_ns for p in one_epoch.rglob('*.h5')}

    def spoilt(self, epoch, logs=None):
        weight = self.network.weights[0]
        weight.assign(np.full(weight.shape, np.nan))

    monkeypatch.setattr(EpochEnd, 'on_epoch_begin', spoilt)
    monkeypatch.setattr(StopOnNan, 'on_train_batch_end', lambda *_, **__: None)
    with pytest.raises(DivergedError, match='is no number any more: lower --learning-rate'):
        train('segmentation', tiny(epochs=2))
    assert {p: p.stat().st_mtime_ns for p in one_epoch.rglob('*.h5')} == before


def test_best_weights_of_every_metric(tiny, run_folder):
    reports = []
    options = tiny(epochs=2, keep_best=('dice', 'iou_Road'), patience=1)
    train('segmentation', options, listener=lambda report: reports.append(report.metrics))
    assert (run_folder / 'best-dice.weights.h5').is_file()
    last = next((run_folder / 'checkpoint').iterdir())
    bests = json.loads((last / 'progress.json').read_text())['bests']
    assert bests['dice'] == pytest.approx(max(metrics['dice'] for metrics in reports))


def test_a_run_whose_patience_ended_is_not_trained_on(tiny, one_epoch):
    progress = one_epoch / 'checkpoint' / 'epoch-0001' / 'progress.json'
    progress.write_text(json.dumps(json.loads(progress.read_text()) | {'waited': 3}))
    train('segmentation', tiny(epochs=5, patience=3))
    assert len(read_history(one_epoch / 'history.csv')) == 1


def test_a_damaged_checkpoint(tiny, one_epoch):
    state = one_epoch / 'checkpoint' / 'epoch-0001' / 'optimizer.npz'
    state.write_bytes(b'PK' + state.read_bytes()[2:100])
    with pytest.raises(CheckpointError, match='does not fit this network and optimizer'):
        train('segmentation', tiny(epochs=2))


@pytest.mark.parametrize(
    'precision', ['mixed_float16', pytest.param('mixed_bfloat16', marks=pytest.mark.slow)]
)
def test_half_precision(tiny, precision):
    try:
        for epochs in (1, 2):
            options = tiny(epochs=epochs, precision=precision, learning_rate=0.03)
            folder = train('segmentation', options)
    finally:
        keras.config.set_dtype_policy('float32')
    rows = read_history(folder / 'history.csv')
    assert float(rows[1]['loss']) < float(rows[0]['loss'])


@pytest.mark.parametrize('loss', ['binary_cross_entropy', 'binary_focal', 'dice'])
def test_two_classes_on_one_channel(tiny, miniature, loss):
    data = (f'folder:{miniature("folder-binary")}',)
    options = tiny(data=data, validation_data=data, loss=loss, model_option=_CHANNELS[loss])
    session = prepare('segmentation', options)
    assert session.model.network.output['logits'].shape[-1] == 1
    assert len(session.spec.labels) == 2


_CHANNELS = {'dice': ('classes=1',), 'binary_focal': (), 'binary_cross_entropy': ()}


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
        ({'keep_best': ('d1',)}, "--keep-best 'd1' is none of"),
        ({'loss': 'binary_focal'}, 'separates two classes, the data have 11'),
        ({'model_option': ('classes=1',)}, 'separates two classes'),
        ({'model_option': ('classes=5',)}, 'classes=5, but the data have 11'),
        ({'loss': 'binary_focal', 'model_option': ('classes=11',)}, 'is not for classes=11'),
        ({'loss_option': ('gamma=2',)}, 'gamma: the options of this loss are class_weights, lab'),
        ({'loss_option': ('label_smoothing=much',)}, 'give a number'),
        ({'start_share': 1.5}, '--start-share is 0 to 1, got 1.5'),
        ({'start_share': 0.5}, 'random here: give --initial-weights'),
    ],
)
def test_wrong_options(tiny, run_folder, changes, message):
    with pytest.raises(ConfigError, match=message):
        train('segmentation', tiny(epochs=1, **changes))
    assert not list(run_folder.rglob('*.h5'))


def test_a_folder_without_backgrounds(tiny, tmp_path):
    with pytest.raises(InputError, match='to use as background'):
        train('segmentation', tiny(augment='industrial', textures=tmp_path / 'none'))


def test_data_that_cannot_serve_the_task(tiny):
    options = DepthTraining(data=tiny().data)
    with pytest.raises(ConfigError, match=r'depth needs depth_m, .* have only image, labels'):
        prepare('depth', options)


def test_a_full_disk_leaves_the_last_checkpoint(tiny, one_epoch, monkeypatch):

    def full(*_arguments, **_keywords):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(checkpoint.np, 'savez', full)
    with pytest.raises(RsMlError, match='the disk is full; what was there before is untouch'):
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


def test_metrics_belong_to_the_best_weights_at_their_size(one_epoch):
    size = trained.read_spec(one_epoch).input_size
    twice = tuple(2 * side for side in size)
    assert trained.load(one_epoch).spec.metrics
    assert trained.load(one_epoch, input_size=size).spec.metrics
    assert not trained.load(one_epoch, weights='last.weights.h5').spec.metrics
    assert not trained.load(one_epoch, input_size=twice).spec.metrics
