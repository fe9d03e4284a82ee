"""The demo refuses runs that would overwrite a recording."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.demo.main import main
from rs_ml_perception.recordings.frame_recorder import FrameRecorder
from rs_ml_perception.recordings.writer import RecordingWriter


@pytest.fixture
def bag(tmp_path):
    with RecordingWriter(tmp_path / 'results') as writer:
        FrameRecorder(writer).write(Frame(rgb=np.zeros((4, 6, 3), np.uint8), stamp_ns=1))
    return tmp_path / 'results'


@pytest.mark.parametrize(
    ('arguments', 'reason'),
    [
        (['--out', '{folder}'], 'holds the recording that is read'),
        (['--out', '{folder}/out', '--camera', '/left'], 'pass one of /camera/camera'),
    ],
)
def test_impossible_requests_are_refused_before_the_start(arguments, reason, bag, capsys):
    words = [word.format(folder=bag.parent) for word in arguments]
    before = {file.name: file.read_bytes() for file in bag.iterdir()}
    assert main(['--recording', str(bag), *words]) == 2
    assert reason in capsys.readouterr().err
    assert {file.name: file.read_bytes() for file in bag.iterdir()} == before
