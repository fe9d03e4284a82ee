"""What is written down of a training."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

pytest.importorskip('keras')

from rs_ml_training.tasks.mono_depth import DepthTraining
from rs_ml_training.tasks.registry import TASKS
from rs_ml_training.training.spec import spec_of

CAMERA = CameraModel(128, 96, 200.0, 200.0, 63.5, 47.5)


class _OneSample(Reader):
    """Data of one picture with depth."""

    def __init__(self, reference_focal_px: float | None) -> None:
        self.reference_focal_px = reference_focal_px

    def __len__(self) -> int:
        return 1

    def name(self, index: int) -> str:
        return 'a'

    def read(self, index: int) -> Sample:
        maps = {'image': np.zeros((96, 128, 3), np.uint8), 'depth_m': np.ones((96, 128))}
        return Sample('a', intrinsics=CAMERA, focal_px=200.0, **maps)


@pytest.mark.parametrize(
    ('augment', 'reference_focal_px', 'fx', 'fx_at_twice_the_size'),
    [
        ('fastdepth', None, 100.0, 200.0),
        ('bts-nyu', None, 200.0, 200.0),
        ('bts-kitti', 300.0, 300.0, 300.0),
    ],
)
def test_camera_of_training(augment, reference_focal_px, fx, fx_at_twice_the_size):
    data = ('folder:x', 'folder:y')
    options = DepthTraining(data=data, input_size=(64, 32), augment=augment)
    spec = spec_of(TASKS['depth'], options, _OneSample(reference_focal_px), 'rs-ml-train')
    assert spec.data == 'folder'
    assert (spec.intrinsics.width, spec.intrinsics.height) == (64, 32)
    assert spec.intrinsics.fx == pytest.approx(fx)
    assert spec.camera_at((128, 64)).fx == pytest.approx(fx_at_twice_the_size)
