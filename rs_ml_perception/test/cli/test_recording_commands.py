"""rs-ml recording: nodes and settings for a recording."""

from __future__ import annotations

import sys

import pytest
from rs_ml_perception.cli.command import report
from rs_ml_perception.cli.main import main
from rs_ml_perception.launching.recording_plan import RecordingPlan
from rs_ml_perception.recordings.open_recording import shipped_recording


@pytest.fixture
def recording() -> str:
    return str(shipped_recording())


def test_the_launch_file_reads_the_json(recording, capsys):
    assert main(['recording', recording, '--json', '--nodes', 'height,denoise']) == 0
    plan = RecordingPlan.from_json(capsys.readouterr().out)
    assert plan.nodes == ('height', 'denoise')
    assert 'camera_link camera_color_frame' in ' '.join(plan.shared['static_transforms'])
    assert plan.remappings['color/image_raw'] == '/camera/camera/color/image_raw'
    assert plan.frame_id == 'camera_color_optical_frame'


def test_for_people_it_is_a_list(recording, capsys):
    assert main(['recording', recording, '--nodes', 'detection']) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == f'{recording}, images in camera_color_optical_frame'
    assert second == '  detection: depth_source raw'


@pytest.mark.parametrize(
    ('words', 'sentence'),
    [
        (['/nowhere'], 'recording /nowhere does not exist'),
        (['/nowhere', '--nodes', 'hight'], "there is no node 'hight'"),
    ],
)
def test_errors_are_one_line(capsys, words, sentence):
    assert main(['recording', *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f'rs-ml: {sentence}')


def test_a_missing_module_is_named_with_the_python_that_lacks_it(capsys):
    assert report('rs-ml', ModuleNotFoundError('no', name='rosbags')) == 1
    assert capsys.readouterr().err == f'rs-ml: {sys.executable} has no module rosbags\n'
