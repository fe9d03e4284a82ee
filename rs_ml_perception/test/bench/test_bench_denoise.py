"""What the benchmark needs to know of depth as a primary stream."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.bench import bare_models
from rs_ml_perception.bench.material import (
    COLOR,
    DEPTH,
    INFO,
    INFRA,
    RAW_DEPTH,
    RAW_INFO,
    load_depth_frames,
    load_moments,
)
from rs_ml_perception.bench.seeds_comparison import rows
from rs_ml_perception.core.camera import CameraModel
from rs_ml_perception.core.depth import DepthImage
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frame import Frame
from rs_ml_perception.core.rigid import RigidTransform
from rs_ml_perception.recordings.frame_recorder import FrameRecorder
from rs_ml_perception.recordings.writer import RecordingWriter

CAMERA = CameraModel(64, 48, 60.0, 60.0, 31.5, 23.5)
RGB, DEPTH_MM = np.zeros((48, 64, 3), np.uint8), np.full((48, 64), 2000, np.uint16)
MOVED = RigidTransform(np.eye(3), np.array([0.015, 0.0, 0.0]))
BASE, SENSOR = {COLOR, DEPTH, INFO}, {RAW_DEPTH, RAW_INFO, INFRA}


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


def test_without_depth_there_are_no_frames_to_denoise(tmp_path):
    with RecordingWriter(tmp_path / 'bag') as writer:
        FrameRecorder(writer).write(Frame(RGB, camera=CAMERA, stamp_ns=1))
    assert load_depth_frames(str(tmp_path / 'bag')) == []


def test_a_bare_denoiser_runs_once_a_window(filling_model, monkeypatch):
    monkeypatch.setattr(bare_models, 'default_model', lambda node: node)
    model = filling_model()
    model.precision = 'float32'
    monkeypatch.setattr(bare_models, 'load_model', lambda name: model)
    wide = Frame(depth=DepthImage(np.full((48, 100), 2000, np.uint16), 0.001))
    bare = bare_models.BareModels(['denoise'], [], [wide])
    bare.run(3)
    assert len(model.seen) == 3 * 3
    with pytest.raises(InputError, match='needs a recording with depth'):
        bare_models.BareModels(['denoise'], [], [])


def test_what_cannot_be_compared_is_told():
    part = {'seed_ms': 40.0, 'ours_ms': 4.0, 'times_as_fast': 10.0}
    note = {'note': 'none: the U-Net cannot be built'}
    result = {'detection + height': part, 'mono_depth': part, 'denoise': note}
    lines = {row.name: row for row in rows({**result, 'segmentation': note})}
    assert lines['denoise'].value == note['note']
    assert lines['denoise'].goal == ''
    assert lines['mono_depth'].verdict == 'ok'
