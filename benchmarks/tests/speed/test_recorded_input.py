"""Frames and messages in memory: stamps, sizes, topics."""

import os
import struct

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.images.depth import DepthImage

from benchmarks.speed import recorded_input
from benchmarks.speed.recorded_input import (
    COLOR,
    DATA_VARIABLE,
    DEPTH,
    INFO,
    MODEL_VARIABLE,
    Size,
    default_recording,
    load_frames,
    load_message_sets,
    resized,
    restamp,
)


@pytest.mark.parametrize('order', ['<', '>'])
def test_only_the_stamp_changes(order):
    flag = 1 if order == '<' else 0
    before = bytes([0, flag, 0, 0]) + struct.pack(f'{order}iI', 5, 6) + b'rest'
    after = restamp(before, 7_000_000_008)
    assert after == bytes([0, flag, 0, 0]) + struct.pack(f'{order}iI', 7, 8) + b'rest'


def test_depth_and_camera_of_a_resized_frame():
    rgb = np.zeros((4, 6, 3), np.uint8)
    depth = DepthImage(np.arange(24, dtype=np.uint16).reshape(4, 6), 0.001)
    camera = CameraModel(6, 4, 5.0, 5.0, 2.5, 1.5)
    frame = resized(Frame(rgb, depth, camera=camera), Size(12, 8))
    assert frame.rgb.shape == (8, 12, 3)
    assert (frame.depth.width, frame.depth.height) == (12, 8)
    assert set(np.unique(frame.depth.values)) == set(range(24))  # no mixture of distances
    assert (frame.camera.width, frame.camera.fx) == (12, 10.0)


def test_a_frame_without_depth_can_be_resized():
    frame = resized(Frame(np.zeros((4, 6, 3), np.uint8)), Size(3, 2))
    assert frame.rgb.shape == (2, 3, 3)
    assert frame.depth is None
    assert frame.camera is None


def test_without_data_it_is_the_shipped_recording(tmp_path, monkeypatch):
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.setattr(recorded_input, 'shipped_recording', lambda: tmp_path)
    assert default_recording() == str(tmp_path)


def test_models_of_the_data_folder_become_available(monkeypatch, tmp_path):
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    monkeypatch.setenv(MODEL_VARIABLE, 'mine')  # restored afterwards
    assert default_recording() == str(tmp_path / 'recordings' / 'nyu_people')
    assert os.environ[MODEL_VARIABLE] == 'mine'
    del os.environ[MODEL_VARIABLE]
    default_recording()
    assert os.environ[MODEL_VARIABLE] == str(tmp_path / 'models')


def test_a_missing_recording_is_named(tmp_path):
    with pytest.raises(InputError, match='does not exist'):
        load_frames(str(tmp_path / 'none'))


def test_sets_hold_the_messages_of_the_driver(recording):
    sets = load_message_sets(recording)
    assert len(sets) == len(load_frames(recording))
    assert all(set(messages) == {COLOR, DEPTH, INFO} for messages in sets)
