"""Message sets of recordings with depth, bare models, and missing predecessors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')

from rs_ml_perception.core.errors import InputError, ModelError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.inference.manifest import DepthSpec, ModelManifest
from rs_ml_perception.inference.preprocess import InputSpec
from rs_ml_perception.recordings.frame_recorder import FrameRecorder
from rs_ml_perception.recordings.message_types import message_types
from rs_ml_perception.recordings.messages import IMAGE
from rs_ml_perception.recordings.open_recording import shipped_recording
from rs_ml_perception.recordings.writer import RecordingWriter

from benchmarks.speed import graph_rate, predecessor_speed
from benchmarks.speed.predecessor_speed import rows
from benchmarks.speed.recorded_input import (
    COLOR,
    DEPTH,
    INFO,
    INFRA,
    RAW_DEPTH,
    RAW_INFO,
    load_depth_frames,
    load_frames,
    load_message_sets,
)
from benchmarks.speed.sections import SpeedOptions

CAMERA = CameraModel(64, 48, 60.0, 60.0, 31.5, 23.5)
RGB, DEPTH_MM = np.zeros((48, 64, 3), np.uint8), np.full((48, 64), 2000, np.uint16)
MOVED = RigidTransform(np.eye(3), np.array([0.15, 0.0, 0.0]))
SENSOR_DEPTH = {RAW_DEPTH, RAW_INFO}
BASE, SENSOR = {COLOR, DEPTH, INFO}, SENSOR_DEPTH | {INFRA}


def deserialised(messages, role):
    return message_types().deserialize_cdr(messages[role], IMAGE)


def record(path, *, sensor, shift_ns=0):
    """Two frames of colour and aligned depth, with sensor depth and infrared."""
    depth = DepthImage(DEPTH_MM, 0.001)
    with RecordingWriter(path) as writer:
        recorder = FrameRecorder(writer)
        for number in range(2):
            ns = 10**18 + number * 10**8
            recorder.write(Frame(RGB, depth, camera=CAMERA, stamp_ns=ns))
            if sensor:
                raw = Frame(
                    depth=depth,
                    infrared=np.full((48, 64), 7, np.uint8),
                    depth_camera=CAMERA,
                    color_from_depth=MOVED,
                    stamp_ns=ns + shift_ns,
                )
                recorder.write(raw)
    return str(path)


@pytest.mark.parametrize(
    ('sensor', 'shift_ns', 'expected'),
    [(False, 0, BASE), (True, 0, BASE | SENSOR), (True, 1000, BASE)],
)
def test_messages_of_one_stamp_are_a_set(tmp_path, sensor, shift_ns, expected):
    path = record(tmp_path / 'bag', sensor=sensor, shift_ns=shift_ns)
    sets = load_message_sets(path)
    assert [set(messages) for messages in sets] == [expected, expected]
    frames = load_depth_frames(path)
    assert [frame.infrared is not None for frame in frames] == [sensor, sensor]


@pytest.mark.parametrize('has_infrared', [True, False])
def test_sensor_depth_is_aligned(tmp_path, has_infrared):
    frame = Frame(
        RGB,
        DepthImage(DEPTH_MM, 0.001),
        infrared=np.full((48, 64), 7, np.uint8) if has_infrared else None,
        camera=CAMERA,
        depth_camera=CAMERA,
        color_from_depth=MOVED,
        stamp_ns=10**18,
    )
    with RecordingWriter(tmp_path / 'bag') as writer:
        FrameRecorder(writer).write(frame)
    path = str(tmp_path / 'bag')
    (messages,) = load_message_sets(path)
    assert set(messages) == BASE | (SENSOR if has_infrared else SENSOR_DEPTH)
    assert all(frame.depth_is_aligned for frame in load_frames(path))
    images = {role: deserialised(messages, role) for role in (COLOR, DEPTH, RAW_DEPTH)}
    assert [message.encoding for message in images.values()] == ['rgb8', '16UC1', '16UC1']
    values = {role: images[role].data.view(np.uint16) for role in (DEPTH, RAW_DEPTH)}
    assert (values[RAW_DEPTH] == 2000).all()
    assert set(values[DEPTH]) == {0, 2000}  # at one side colour sees past the depth image


def test_the_shipped_recording_is_decoded():
    sets = load_message_sets(str(shipped_recording()))
    assert {frozenset(messages) for messages in sets} == {frozenset(BASE | SENSOR)}
    assert len(sets) == 14
    assert deserialised(sets[0], INFRA).encoding == 'mono8'


def test_an_unusable_recording_is_rejected_with_the_reason(tmp_path):
    with RecordingWriter(tmp_path / 'bag') as writer:
        FrameRecorder(writer).write(Frame(RGB, camera=CAMERA, stamp_ns=1))
    with pytest.raises(InputError, match='needs colour with camera_info, and depth'):
        load_message_sets(str(tmp_path / 'bag'))


def test_without_depth_there_are_no_frames_to_denoise(tmp_path):
    with RecordingWriter(tmp_path / 'bag') as writer:
        FrameRecorder(writer).write(Frame(RGB, camera=CAMERA, stamp_ns=1))
    assert load_depth_frames(str(tmp_path / 'bag')) == []


class CountingModel:
    """A denoiser of 64x48 windows that returns its input.

    Attributes:
        calls: so far.
    """

    title, backend_name, precision, input_size = 'counting 1', 'none', 'float32', (64, 48)

    def __init__(self) -> None:
        size = self.input_size
        inputs = (
            InputSpec('raw_depth', size, dtype='float32', color='GRAY'),
            InputSpec('infrared', size, color='GRAY'),
        )
        self.manifest = ModelManifest(
            Path(), 'counting', '1', 'denoise', 'depth', (), inputs, {'depth': 'depth'},
            LabelMap({}), depth=DepthSpec(1.0, (0.1, 10.0)),
        )  # fmt: skip
        self.calls = 0

    def __call__(self, inputs):
        self.calls += 1
        return {'depth': inputs['raw_depth']}

    def warm_up(self) -> float:
        return 0.0

    def close(self) -> None:
        pass


def test_a_bare_denoiser_runs_once_a_window(monkeypatch):
    monkeypatch.setattr(graph_rate, 'default_model', lambda node: node)
    model = CountingModel()
    monkeypatch.setattr(graph_rate, 'load_model', lambda name, threads: model)
    wide = Frame(depth=DepthImage(np.full((48, 100), 2000, np.uint16), 0.001))
    bare = graph_rate.BareModels(['denoise'], [], [wide])
    bare.run(3)
    assert model.calls == 3 * 3
    with pytest.raises(InputError, match='needs a recording with depth'):
        graph_rate.BareModels(['denoise'], [], [])


@pytest.mark.parametrize('error', [InputError, ModelError])
def test_a_missing_model_of_a_predecessor_is_named(monkeypatch, error):
    def missing():
        raise error('graph.pb is not there')

    for name in ('_frozen_graph', '_keras_model'):
        monkeypatch.setattr(predecessor_speed, name, missing)
    monkeypatch.setattr(predecessor_speed, 'load_frames', lambda _: [])
    monkeypatch.setattr(predecessor_speed, 'load_depth_frames', lambda _: [])
    lines = rows(predecessor_speed.measure(SpeedOptions('bag'), Path()))
    assert [line.value for line in lines[:3]] == [
        'none: graph.pb is not there',
        'none: the recording holds no depth',
        'none: graph.pb is not there',
    ]


def test_missing_comparisons_give_a_note():
    part = {'predecessor_ms': 40.0, 'ours_ms': 4.0, 'times_as_fast': 10.0}
    note = {'note': 'none: the U-Net cannot be built'}
    result = {'detection + height': part, 'mono_depth': part, 'denoise': note}
    lines = {row.name: row for row in rows({**result, 'segmentation': note})}
    assert lines['denoise'].value == note['note']
    assert lines['denoise'].goal == ''
    assert lines['mono_depth'].verdict == 'ok'
