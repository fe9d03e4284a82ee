"""Several devices and several processes take the course of one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
from rs_ml_perception.core.errors import ConfigError

pytest.importorskip('keras')
from rs_ml_training.data.sequence import SampleSequence
from rs_ml_training.tasks.options import TrainOptions
from rs_ml_training.training.devices import spread
from rs_ml_training.training.run_folder import read_history

_LOGICAL_CPUS = (
    'import tensorflow as tf;'
    "cpu, = tf.config.list_physical_devices('CPU');"
    'two = [tf.config.LogicalDeviceConfiguration()] * 2;'
    'tf.config.set_logical_device_configuration(cpu, two);'
)
_MAIN = 'import sys; from rs_ml_training.cli.train import main; sys.exit(main(sys.argv[1:]))'


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (TrainOptions(devices=99), '--devices 99, but there are 1'),
        (TrainOptions(processes=2, coordinator='x:1'), 'needs KERAS_BACKEND=jax'),
    ],
)
def test_missing_devices_are_named(options, message):
    if os.environ.get('KERAS_BACKEND', 'tensorflow') != 'tensorflow':
        pytest.skip('messages of the tensorflow backend')
    with pytest.raises(ConfigError, match=message):
        spread(options)


def test_processes_share_every_batch(miniature):
    from rs_ml_training.data.formats import open_data

    reader = open_data(f'camvid:{miniature("camvid") / "train"}')

    def numbers(shard):
        batches = SampleSequence(
            reader, lambda s, rng: ({'x': s.image[:1, :1]}, {}), 4, shuffle=True, shard=shard
        )
        return [tuple(x.ravel()) for i in range(len(batches)) for x in batches[i][0]['x']]

    whole, first, second = (numbers(shard) for shard in ((0, 1), (0, 2), (1, 2)))
    assert sorted(first + second) == sorted(whole)
    assert first == whole[::2]


def test_a_batch_that_does_not_divide(miniature):
    from rs_ml_training.data.formats import open_data

    reader = open_data(f'camvid:{miniature("camvid") / "train"}')
    with pytest.raises(ConfigError, match='a batch of 3 does not divide among 2 processes'):
        SampleSequence(reader, lambda s, rng: ({}, {}), 3, shuffle=True, shard=(0, 2))


@pytest.fixture
def losses(miniature, tmp_path):
    """Starts trainings of two epochs and returns the losses of the one called `name`."""
    data = miniature('camvid')

    def run(name: str, backend: str, *extra: tuple[str, ...], before='', flags='') -> list[float]:
        command = [sys.executable, '-c', before + _MAIN, 'segmentation', '--data']
        command += [f'camvid:{data}', '--model', 'unet-small', '--input-size', '32x32']
        command += ['--model-option', 'base=1', 'dropout=0.0', '--batch-size', '4']
        command += ['--epochs', '2', '--runs', str(tmp_path), '--name', name]
        environment = {**os.environ, 'KERAS_BACKEND': backend, 'XLA_FLAGS': flags}
        started = [subprocess.Popen([*command, *e], env=environment) for e in extra or ((),)]
        assert [process.wait(timeout=280) for process in started] == [0] * len(started)
        return [float(row['loss']) for row in read_history(tmp_path / name / 'history.csv')]

    return run


@pytest.mark.slow
def test_two_processes_and_two_devices_of_jax(losses):
    pytest.importorskip('jax')
    with socket.socket() as free:
        free.bind(('localhost', 0))
        coordinator = f'localhost:{free.getsockname()[1]}'
    two = ('--processes', '2', '--coordinator', coordinator, '--process-index')
    one = losses('one', 'jax')
    assert losses('two', 'jax', (*two, '0'), (*two, '1')) == pytest.approx(one, rel=1e-3)
    flags = '--xla_force_host_platform_device_count=2'
    assert losses('devices', 'jax', flags=flags) == pytest.approx(one, rel=1e-3)


@pytest.mark.slow
def test_two_devices_of_tensorflow(losses):
    pytest.importorskip('tensorflow')
    found = losses('mirrored', 'tensorflow', ('--devices', '2'), before=_LOGICAL_CPUS)
    # Batch normalisation sees half a batch on each device, so the course is only similar.
    assert found == pytest.approx(losses('one', 'tensorflow'), rel=0.05)
