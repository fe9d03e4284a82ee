"""Depth of several cameras brought to one focal length."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.data.mix import FocalRescaled
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

CAMERA = CameraModel(4, 2, 200.0, 210.0, 1.5, 0.5)


class _Rooms(Reader):
    """One room."""

    license = 'MIT'

    def __init__(self, **maps) -> None:
        self._maps = maps

    def __len__(self) -> int:
        return 1

    def read(self, index: int) -> Sample:
        return Sample(self.name(index), 'house', **self._maps)

    def name(self, index: int) -> str:
        return 'room'


@pytest.mark.parametrize(('focal_px', 'ratio'), [(200.0, 1.0), (100.0, 0.5), (300.0, 1.5)])
def test_depth_and_camera(focal_px, ratio):
    depth_m = np.array([[0, 1, 2, 4]], np.float32)
    rooms = _Rooms(depth_m=depth_m, intrinsics=CAMERA, focal_px=200.0)
    reader = FocalRescaled(rooms, focal_px)
    sample = reader.read(0)
    np.testing.assert_allclose(sample.depth_m, depth_m * ratio)
    camera = sample.intrinsics
    assert (camera.fx, camera.fy, sample.focal_px) == (focal_px, 210 * ratio, focal_px)
    assert (camera.cx, camera.cy) == (CAMERA.cx, CAMERA.cy)
    assert sample.raw_depth_m is None
    assert (len(reader), reader.name(0), reader.license) == (1, 'room', 'MIT')


def test_without_depth():
    assert FocalRescaled(_Rooms(intrinsics=CAMERA), 100.0).read(0).depth_m is None


def test_without_a_camera():
    with pytest.raises(InputError, match='room has no intrinsics'):
        FocalRescaled(_Rooms(), 100.0).read(0)


@pytest.mark.parametrize(
    ('focal_px', 'reference'), [(0.0, None), (-1.0, None), ('far', None), (100.0, 700.0)]
)
def test_senseless(focal_px, reference):
    rooms = _Rooms()
    rooms.reference_focal_px = reference
    with pytest.raises(ConfigError, match=str(focal_px)):
        FocalRescaled(rooms, focal_px)
