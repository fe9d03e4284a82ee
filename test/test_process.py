"""`rs-ml process`: every frame, and the same bytes from two fresh processes."""

import hashlib
import os
import subprocess
import sys

import pytest
from rs_ml_perception.recordings.open_recording import open_recording

pytest.importorskip('rclpy', reason='rclpy is not installed')
pytestmark = pytest.mark.ros


def process(data, out, *arguments):
    recording = data / 'recordings' / 'nyu_people'
    command = [sys.executable, '-m', 'rs_ml_perception.cli.main', 'process', str(recording)]
    environment = {**os.environ, 'RS_ML_MODEL_PATH': str(data / 'models')}
    return subprocess.run(
        [*command, '--out', str(out), *arguments], capture_output=True, text=True, env=environment
    )


def digest(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def test_two_processes_write_the_same_bytes(data, tmp_path):
    outs = [tmp_path / name / 'bag' for name in 'ab']
    for out in outs:
        out.parent.mkdir()
        done = process(data, out)
        assert done.returncode == 0, done.stderr
    assert digest(outs[0]) == digest(outs[1])
    with open_recording(outs[0]) as results:
        counts = {topic.name: topic.count for topic in results.topics}
    assert counts['/rs_ml/detection/detections'] == 14
    assert counts['/rs_ml/mono_depth/depth/camera_info'] == 14
    assert counts['/rs_ml/segmentation/regions'] == 14
    assert counts['/rs_ml/denoise/depth/image_rect_raw'] == 14
    assert '/rs_ml/detection/image_annotated' not in counts


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (['--nodes', 'height'], 'height needs detection'),
        (['--nodes', 'eyes'], "there is no node 'eyes'"),
        (['--params-file', '/no/such.yaml'], '/no/such.yaml cannot be read'),
    ],
)
def test_wrong_arguments(data, tmp_path, arguments, sentence):
    done = process(data, tmp_path / 'bag', *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert 'Traceback' not in done.stderr
