"""The offline run takes depth as the denoise node does: every image, in order of stamps."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.nodes.offline import run_offline
from rs_ml_perception.recordings.frame_recorder import FrameRecorder
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.recordings.writer import RecordingWriter
from rs_ml_perception.tasks.options import ModelOptions

pytestmark = pytest.mark.ros

START_NS, PERIOD_NS = 1_700_000_000_000_000_000, 100_000_000
CAMERA = CameraModel(64, 48, 60.0, 60.0, 31.5, 23.5)


@pytest.fixture
def model(filling_model, monkeypatch):
    model = filling_model()
    monkeypatch.setattr(ModelOptions, 'load', lambda _: model)
    return model


def record(path, **fields):
    with RecordingWriter(path) as writer:
        recorder = FrameRecorder(writer)
        for number in range(3):
            recorder.write(Frame(camera=CAMERA, stamp_ns=START_NS + number * PERIOD_NS, **fields))
    return path


@pytest.mark.parametrize(
    ('infrared', 'params', 'published', 'rejected'),
    [
        (True, '', 3, ''),
        (False, '', 3, ''),
        (False, 'infrared: require', 0, 'infrared is set to require'),
        (True, 'output_encoding: 32FC1', 3, ''),
    ],
)
def test_every_depth_image(model, tmp_path, infrared, params, published, rejected):
    depth = DepthImage(np.full((48, 64), 2000, np.uint16), 0.001)
    fields = {'infrared': np.full((48, 64), 5, np.uint8)} if infrared else {}
    path = record(tmp_path / 'in', depth=depth, **fields)
    file = tmp_path / 'params.yaml'
    file.write_text(f'/**/denoise:\n  ros__parameters: {{{params}}}\n')
    with open_recording(path) as recording:
        counts = run_offline(
            recording, ['denoise'], tmp_path / 'out', params_file=str(file)
        ).counts
    assert counts['denoise', 'published'] == published
    assert sum(rejected in what for _, what in counts) == (1 if rejected else len(counts))
    if not published:
        return
    with open_recording(tmp_path / 'out') as results:
        found = [
            results.decode(m) for m in results.messages(['/rs_ml/denoise/depth/image_rect_raw'])
        ]
        info = results.first('/rs_ml/denoise/depth/camera_info')
    assert [m.header.stamp.nanosec for m in found] == [0, 100_000_000, 200_000_000]
    assert {m.encoding for m in found} == {'32FC1' if '32FC1' in params else '16UC1'}
    assert list(info.k) == CAMERA.matrix.ravel().tolist()
    assert model.seen[0]['infrared'].any() == infrared


def test_a_recording_without_depth_is_rejected(model, tmp_path):
    path = record(tmp_path / 'in', rgb=np.zeros((48, 64, 3), np.uint8))
    with open_recording(path) as recording:
        counts = run_offline(recording, ['denoise'], tmp_path / 'out').counts
    assert counts == {('denoise', 'rejected: the recording has no depth images'): 1}
