"""What the benchmark needs to know of depth as a primary stream."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
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

from benchmarks.speed import bare_models, seeds_comparison
from benchmarks.speed.material import (
    COLOR,
    DEPTH,
    INFO,
    INFRA,
    RAW_DEPTH,
    RAW_INFO,
    load_depth_frames,
    load_frames,
    load_moments,
)
from benchmarks.speed.options import BenchOptions
from benchmarks.speed.seeds_comparison import rows

CAMERA = CameraModel(64, 48, 60.0, 60.0, 31.5, 23.5)
RGB, DEPTH_MM = np.zeros((48, 64, 3), np.uint8), np.full((48, 64), 2000, np.uint16)
MOVED = RigidTransform(np.eye(3), np.array([0.15, 0.0, 0.0]))
SENSOR_DEPTH = {RAW_DEPTH, RAW_INFO}
BASE, SENSOR = {COLOR, DEPTH, INFO}, SENSOR_DEPTH | {INFRA}


def deserialised(moment, role):
    return message_types().deserialize_cdr(moment[role], IMAGE)


def record(path, *, sensor, shift_ns=0):
    """Two frames of colour and aligned depth, with what the sensor sees beside them."""
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
def test_moments_hold_what_shares_their_stamp(tmp_path, sensor, shift_ns, expected):
    path = record(tmp_path / 'bag', sensor=sensor, shift_ns=shift_ns)
    moments = load_moments(path)
    assert [set(moment) for moment in moments] == [expected, expected]
    frames = load_depth_frames(path)
    assert [frame.infrared is not None for frame in frames] == [sensor, sensor]


@pytest.mark.parametrize('has_infrared', [True, False])
def test_depth_as_the_sensor_sees_it_is_aligned(tmp_path, has_infrared):
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
    (moment,) = load_moments(path)
    assert set(moment) == BASE | (SENSOR if has_infrared else SENSOR_DEPTH)
    assert all(frame.depth_is_aligned for frame in load_frames(path))
    messages = {role: deserialised(moment, role) for role in (COLOR, DEPTH, RAW_DEPTH)}
    assert [message.encoding for message in messages.values()] == ['rgb8', '16UC1', '16UC1']
    values = {role: messages[role].data.view(np.uint16) for role in (DEPTH, RAW_DEPTH)}
    assert (values[RAW_DEPTH] == 2000).all()
    assert set(values[DEPTH]) == {0, 2000}  # at one side colour sees past the depth image


def test_what_ships_is_unpacked():
    moments = load_moments(str(shipped_recording()))
    assert {frozenset(moment) for moment in moments} == {frozenset(BASE | SENSOR)}
    assert len(moments) == 14
    assert deserialised(moments[0], INFRA).encoding == 'mono8'


def test_a_recording_that_cannot_be_fed_is_told_what_it_lacks(tmp_path):
    with RecordingWriter(tmp_path / 'bag') as writer:
        FrameRecorder(writer).write(Frame(RGB, camera=CAMERA, stamp_ns=1))
    with pytest.raises(InputError, match='needs colour with camera_info, and depth'):
        load_moments(str(tmp_path / 'bag'))


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
    monkeypatch.setattr(bare_models, 'default_model', lambda node: node)
    model = CountingModel()
    monkeypatch.setattr(bare_models, 'load_model', lambda name: model)
    wide = Frame(depth=DepthImage(np.full((48, 100), 2000, np.uint16), 0.001))
    bare = bare_models.BareModels(['denoise'], [], [wide])
    bare.run(3)
    assert model.calls == 3 * 3
    with pytest.raises(InputError, match='needs a recording with depth'):
        bare_models.BareModels(['denoise'], [], [])


@pytest.mark.parametrize('error', [InputError, ModelError])
def test_a_model_of_the_seeds_that_is_missing_is_named(monkeypatch, error):
    def missing():
        raise error('seed.pb is not there')

    for name in ('_frozen_graph', '_keras_model'):
        monkeypatch.setattr(seeds_comparison, name, missing)
    monkeypatch.setattr(seeds_comparison, 'load_frames', lambda _: [])
    monkeypatch.setattr(seeds_comparison, 'load_depth_frames', lambda _: [])
    lines = rows(seeds_comparison.measure(BenchOptions('bag'), Path()))
    assert [line.value for line in lines[:3]] == [
        'none: seed.pb is not there',
        'none: the recording holds no depth',
        'none: seed.pb is not there',
    ]


def test_what_cannot_be_compared_is_told():
    part = {'seed_ms': 40.0, 'ours_ms': 4.0, 'times_as_fast': 10.0}
    note = {'note': 'none: the U-Net cannot be built'}
    result = {'detection + height': part, 'mono_depth': part, 'denoise': note}
    lines = {row.name: row for row in rows({**result, 'segmentation': note})}
    assert lines['denoise'].value == note['note']
    assert lines['denoise'].goal == ''
    assert lines['mono_depth'].verdict == 'ok'
