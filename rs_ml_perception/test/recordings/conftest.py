"""Recordings to test with: small ones made on the spot, real ones where they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.recordings.frame_recorder import FrameRecorder
from rs_ml_perception.recordings.writer import RecordingWriter

WIDTH, HEIGHT = 32, 24
START_NS = 1_700_000_000_000_000_000
PERIOD_NS = 100_000_000


@pytest.fixture
def make_frame() -> Callable[..., Frame]:
    """Call with a number, and fields to change: colour and aligned depth tell the number."""

    def make(number: int, **changes: object) -> Frame:
        camera = CameraModel(WIDTH, HEIGHT, 30.0, 31.0, 15.5, 11.5)
        fields = {
            'rgb': np.full((HEIGHT, WIDTH, 3), (number, 100, 200), np.uint8),
            'depth': DepthImage(np.full((HEIGHT, WIDTH), 1000 + number, np.uint16), 0.001),
            'camera': camera,
            'stamp_ns': START_NS + number * PERIOD_NS,
        }
        return Frame(**{**fields, **changes})

    return make


@pytest.fixture
def write_recording(tmp_path: Path) -> Callable[..., Path]:
    """Call with frames; returns the path of the recording."""

    def write(frames: Sequence[Frame], *, storage: str = 'mcap', name: str = 'bag') -> Path:
        path = tmp_path / name
        with RecordingWriter(path, storage=storage) as writer:
            recorder = FrameRecorder(writer)
            for frame in frames:
                recorder.write(frame)
        return path

    return write
