"""Pictures and recordings for the commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.recordings.frame_recorder import FrameRecorder
from rs_ml_perception.recordings.pictures import write_picture
from rs_ml_perception.recordings.writer import RecordingWriter

WIDTH, HEIGHT = 48, 36


@pytest.fixture
def models(data_file, monkeypatch) -> None:
    """Third-party models can be named."""
    monkeypatch.setenv('RS_ML_MODEL_PATH', str(data_file('models')))


@pytest.fixture
def write_pictures(tmp_path) -> Callable[..., Path]:
    """Call with file names relative to the test's folder; returns the folder."""

    def write(*names: str) -> Path:
        noise = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_picture(path, noise)
        return tmp_path

    return write


@pytest.fixture
def bag(tmp_path) -> Path:
    """Three frames with aligned depth."""
    camera = CameraModel(WIDTH, HEIGHT, 40.0, 40.0, 23.5, 17.5)
    path = tmp_path / 'kitchen'
    with RecordingWriter(path) as writer:
        recorder = FrameRecorder(writer)
        for number in range(3):
            recorder.write(
                Frame(
                    rgb=np.full((HEIGHT, WIDTH, 3), 50 * number, np.uint8),
                    depth=DepthImage(np.full((HEIGHT, WIDTH), 1500, np.uint16), 0.001),
                    camera=camera,
                    stamp_ns=1_700_000_000_000_000_000 + number * 33_000_000,
                )
            )
    return path


@pytest.fixture
def write_two_cameras(tmp_path) -> Callable[..., Path]:
    """Call with namespaces; returns a recording with one colour image of each camera."""

    def write(*cameras: str) -> Path:
        with RecordingWriter(tmp_path / 'cameras') as writer:
            for camera in cameras:
                frame = Frame(rgb=np.zeros((HEIGHT, WIDTH, 3), np.uint8), stamp_ns=10**18)
                FrameRecorder(writer, camera=camera).write(frame)
        return tmp_path / 'cameras'

    return write
