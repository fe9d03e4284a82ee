"""`rs-ml process` handles every frame, and two processes write the same bytes."""

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


PARAMETERS = """
/**:
  ros__parameters:
    target_frame: map
    static_transforms: ['map camera_color_optical_frame 100 0 0 0 0 0 1']
/rs_ml/detection:
  ros__parameters: {depth_source: DEPTH}
/rs_ml/mono_depth:
  ros__parameters: {max_rate_hz: 0.001}
"""


@pytest.mark.parametrize('depth_source', ['aligned', 'none'])
def test_every_parameter_of_the_file_holds(data, tmp_path, depth_source):
    parameters = tmp_path / 'parameters.yaml'
    parameters.write_text(PARAMETERS.replace('DEPTH', depth_source))
    arguments = ('--nodes', 'detection,height,mono_depth', '--params-file', str(parameters))
    done = process(data, tmp_path / 'bag', *arguments)
    assert done.returncode == 0, done.stderr
    assert 'mono_depth: 13 superseded: max_rate_hz' in done.stdout
    assert 'height: 14 published' in done.stdout
    with open_recording(tmp_path / 'bag') as results:
        topics = '/rs_ml/detection/detections', '/rs_ml/height/heights'
        found, heights = (
            [results.decode(m) for m in results.messages([topic])] for topic in topics
        )
    assert {msg.position_frame_id for msg in (*found, *heights)} == {'map'}
    placed = [d.position.x for msg in found for d in msg.detections if d.has_position]
    assert bool(placed) == (depth_source == 'aligned')
    assert all(x > 90 for x in placed)
    assert any(h.detection.has_position for msg in heights for h in msg.heights)
