"""A signal while an executable still imports: no traceback, and the status it should have."""

import os
import signal
import subprocess
import sys

import pytest
from rs_ml_perception.nodes.table import NODES

from rs_ml_perception import executables

SIGINT, SIGTERM = signal.SIGINT, signal.SIGTERM

SLOW_IMPORT = """
import sys, time

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name in ('rclpy', 'numpy'):
            print('importing', flush=True)
            for _ in range(600):
                time.sleep(0.1)

sys.meta_path.insert(0, Slow())
"""


@pytest.fixture
def interrupt(tmp_path):
    """Sends signals to an executable in the middle of its imports; returns (status, output)."""
    (tmp_path / 'sitecustomize.py').write_text(SLOW_IMPORT)
    path = os.pathsep.join([str(tmp_path), os.environ.get('PYTHONPATH', '')])
    started = []

    def run(command, *signals):
        process = subprocess.Popen(
            [sys.executable, '-m', *command],
            env={**os.environ, 'PYTHONPATH': path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == 'importing\n'
        for number in signals:
            process.send_signal(number)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output

    yield run
    for process in started:
        process.kill()


@pytest.mark.parametrize('signals', [[SIGINT], [SIGTERM], [SIGINT, SIGTERM]])
@pytest.mark.parametrize('name', ['detection_node', 'perception_graph', 'record_node'])
def test_a_node_ends_well(interrupt, name, signals):
    command = ['rs_ml_perception.executables', name, '--ros-args', '-r', '__ns:=/robot']
    assert interrupt(command, *signals) == (0, '')


@pytest.mark.parametrize(
    ('command', 'signals', 'status'),
    [
        (['rs_ml_perception.executables', 'rs-ml', 'models', 'list'], [SIGINT], 130),
        (['rs_ml_perception.executables', 'rs-ml', 'models', 'list'], [SIGTERM], -SIGTERM),
        (['rs_ml_perception.executables', 'rs-ml-plane-rms', 'a.png'], [SIGINT, SIGINT], 130),
        (['rs_ml_perception.demo'], [SIGINT], 130),
    ],
)
def test_a_command_is_interrupted(interrupt, command, signals, status):
    assert interrupt(command, *signals) == (status, '')


def test_every_node_has_its_executable():
    assert all(callable(getattr(executables, spec.executable)) for spec in NODES.values())
