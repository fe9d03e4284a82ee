"""The offline run loses damaged frames only, and never its source."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rs_ml_perception.cli.main import main
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.nodes.offline import run_offline
from rs_ml_perception.recordings.frame_recorder import FrameRecorder
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.recordings.writer import RecordingWriter
from rs_ml_perception.tasks.blur import Blurrer
from rs_ml_perception.tasks.options import ModelOptions

pytestmark = pytest.mark.ros

START_NS, PERIOD_NS = 1_700_000_000_000_000_000, 100_000_000
DEPTH = '/rs_ml/denoise/depth/image_rect_raw'


@pytest.fixture
def model(filling_model, monkeypatch):
    model = filling_model()
    monkeypatch.setattr(ModelOptions, 'load', lambda _: model)
    return model


@pytest.fixture
def bag(tmp_path):
    """Three depth images each of two cameras, the second one sees nearer."""
    with RecordingWriter(tmp_path / 'bag') as writer:
        for camera, millimetres in (('/front', 2000), ('/rear', 1000)):
            recorder = FrameRecorder(writer, camera=camera)
            for number in range(3):
                depth = DepthImage(np.full((48, 64), millimetres, np.uint16), 0.001)
                recorder.write(Frame(depth=depth, stamp_ns=START_NS + number * PERIOD_NS))
    return tmp_path / 'bag'


def depth_values(path):
    with open_recording(path) as results:
        images = [results.decode(m) for m in results.messages([DEPTH])]
    return [int(image.data.view(np.uint16)[0]) for image in images]


@pytest.mark.parametrize(('camera', 'millimetres'), [('', 2000), ('/rear', 1000)])
def test_the_camera_is_chosen(model, bag, camera, millimetres, tmp_path):
    with open_recording(bag, camera) as recording:
        run_offline(recording, ['denoise'], tmp_path / 'out')
    assert depth_values(tmp_path / 'out') == 3 * [millimetres]


def test_an_exception_costs_one_frame(model, bag, tmp_path, monkeypatch):
    numbers = iter(range(3))
    own = type(model).__call__

    def call(self, inputs):
        if next(numbers) == 1:
            raise ZeroDivisionError('unforeseen')
        return own(self, inputs)

    monkeypatch.setattr(type(model), '__call__', call)
    with open_recording(bag) as recording:
        counts = run_offline(recording, ['denoise'], tmp_path / 'out').counts
    assert counts == {
        ('denoise', 'published'): 2,
        ('denoise', 'failed: unexpected ZeroDivisionError: unforeseen'): 1,
    }
    assert len(depth_values(tmp_path / 'out')) == 2


def test_frames_before_damage_keep_their_results(model, bag, tmp_path, capsys):
    metadata = bag / 'metadata.yaml'
    metadata.write_text(metadata.read_text().replace('message_count: 3\n', 'message_count: 4\n'))
    out = tmp_path / 'out'
    status = main(['process', str(bag), '--out', str(out), '--nodes', 'denoise'])
    said = capsys.readouterr()
    assert status == 1
    assert 'it is incomplete' in said.err
    assert 'camera /front is used; --camera chooses another: /rear' in said.err
    assert 'denoise: 3 published' in said.out
    assert len(depth_values(out)) == 3


@pytest.mark.parametrize('source', ['bag', 'bag/bag.mcap', 'link', 'link/bag.mcap'])
@pytest.mark.parametrize('out', ['bag', 'link', 'bag/.', '.'])
def test_the_source_is_never_overwritten(source, out, bag, tmp_path):
    (tmp_path / 'link').symlink_to(bag)
    before = {file.name: file.read_bytes() for file in bag.iterdir()}
    arguments = [str(tmp_path / source), '--out', str(tmp_path / out), '--overwrite']
    assert main(['process', *arguments, '--nodes', 'denoise']) == 2
    with open_recording(tmp_path / source) as recording, pytest.raises(ConfigError, match='holds'):
        run_offline(recording, ['denoise'], tmp_path / out, overwrite=True)
    assert {file.name: file.read_bytes() for file in bag.iterdir()} == before


def test_frames_that_cannot_be_blurred_are_dropped_and_counted(tmp_path, monkeypatch):
    class Broken:
        def __call__(self, rgb):
            raise InputError('people are not blurred')

        def close(self):
            pass

    monkeypatch.setattr(Blurrer, 'load', lambda options: Broken())
    with RecordingWriter(tmp_path / 'bag') as writer:
        recorder = FrameRecorder(writer)
        recorder.write(Frame(rgb=np.zeros((48, 64, 3), np.uint8), stamp_ns=START_NS))
    with open_recording(tmp_path / 'bag') as recording:
        run = run_offline(recording, ['detection'], tmp_path / 'out', with_pictures=True)
    assert run.counts == {('detection', 'rejected: people are not blurred'): 1}
