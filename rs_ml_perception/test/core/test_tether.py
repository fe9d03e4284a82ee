"""Children end with whoever started them, also when that is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rs_ml_perception.core.tether import tethered

PATIENCE_SECS = 60.0

CHILD = """
import os, sys, time
open(sys.argv[1], 'w').write(f'{os.getpid()} {sys.argv[2:]} {__name__}')
time.sleep(600)
"""
PARENT = """
import subprocess, sys, time
from rs_ml_perception.core.tether import tethered
subprocess.Popen(tethered('child', sys.argv[1:]), start_new_session=True)
time.sleep(600)
"""
GRANDCHILD = """
import signal, sys, time
signal.signal(signal.SIGINT, getattr(signal, sys.argv[2]))
from rs_ml_perception.core.tether import interrupt_when_gone
interrupt_when_gone(int(sys.argv[1]))
print('watching', flush=True)
time.sleep(600)
"""


def until(condition):
    deadline = time.monotonic() + PATIENCE_SECS
    while not (found := condition()):
        assert time.monotonic() < deadline, 'waited in vain'
        time.sleep(0.02)
    return found


def is_running(pid: int) -> bool:
    """Whether the process runs and is not a zombie."""
    try:
        stat = Path(f'/proc/{pid}/stat').read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(')')[2].split()[0] != 'Z'


@pytest.mark.skipif(sys.platform != 'linux', reason='Linux tells of the death of a parent')
@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
def test_a_child_in_its_own_session_ends_with_its_parent(tmp_path, number):
    (tmp_path / 'child.py').write_text(CHILD)
    said = tmp_path / 'said'
    path = os.pathsep.join([str(tmp_path), os.environ.get('PYTHONPATH', '')])
    parent = subprocess.Popen(
        [sys.executable, '-c', PARENT, str(said), '--flag', 'x'],
        env={**os.environ, 'PYTHONPATH': path},
    )
    words = until(lambda: said.exists() and said.read_text())
    assert words.endswith("['--flag', 'x'] __main__"), 'as python -m runs it'
    child = int(words.split()[0])
    assert is_running(child)
    parent.send_signal(number)
    parent.wait(PATIENCE_SECS)
    until(lambda: not is_running(child))


def test_a_child_whose_parent_has_gone_before_does_not_begin():
    command = tethered('rs_ml_perception.core.tether', [])
    command[3] = '1'
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECS)
    assert done.returncode == 1
    assert 'is gone' in done.stderr


@pytest.mark.parametrize(
    ('handler', 'status', 'said'),
    [
        ('default_int_handler', {1, -signal.SIGINT}, 'KeyboardInterrupt'),
        ('SIG_IGN', {-signal.SIGTERM}, ''),  # as in the background of a shell
    ],
)
def test_the_end_of_an_ancestor_interrupts(handler, status, said):
    ancestor = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
    command = [sys.executable, '-c', GRANDCHILD, str(ancestor.pid), handler]
    watcher = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert watcher.stdout.readline() == 'watching\n'
    ancestor.kill()
    ancestor.wait()
    _, errors = watcher.communicate(timeout=PATIENCE_SECS)
    assert watcher.returncode in status
    assert said in errors
