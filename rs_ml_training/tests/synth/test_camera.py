"""Cameras: which way is up, what their accelerometer reads, what they see of a level floor."""

import numpy as np
import pytest
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.synth.camera import STANDARD_GRAVITY, CameraPose, accelerometer_samples
from rs_ml_training.synth.gbuffer import camera_rays
from rs_ml_training.synth.materials import MaterialMaker
from rs_ml_training.synth.ray_scene import Part, RayScene
from rs_ml_training.synth.solids import box
from rs_ml_training.synth.truth import mask_box

CAMERA = CameraModel(160, 120, 100.0, 100.0, 79.5, 59.5)


@pytest.mark.parametrize(
    ('pose', 'up'),
    [
        (CameraPose(1.0), [0, -1, 0]),
        (CameraPose(1.0, pitch_rad=np.pi / 2), [0, 0, 1]),
        (CameraPose(1.0, roll_rad=np.pi / 2), [-1, 0, 0]),
        (CameraPose(1.0, yaw_rad=1.0), [0, -1, 0]),
    ],
)
def test_tilt_and_accelerometer_agree(pose, up):
    np.testing.assert_allclose(pose.up_in_camera, up, atol=1e-12)
    samples = accelerometer_samples(pose, np.random.default_rng(0), bias=0.0)
    np.testing.assert_allclose(samples.mean(axis=0), np.array(up) * STANDARD_GRAVITY, atol=0.05)


def test_a_level_floor_has_the_depth_of_geometry():
    pytest.importorskip('embreex')
    wood = MaterialMaker(np.random.default_rng(0)).wood()
    floor = RayScene([Part(box((1e4, 1e4, 0.1), (0.0, 0.0, -0.05)), wood, 0)])
    pose = CameraPose(1.5)
    hits = floor.cast(pose.position, camera_rays(CAMERA, pose.world_from_camera))
    depth_m = hits.t.reshape(120, 160)
    y = (np.arange(120) - 59.5) / 100.0
    below = y > 0
    expected = np.broadcast_to((1.5 / y[below])[:, None], (below.sum(), 160))
    np.testing.assert_allclose(depth_m[below], expected, rtol=1e-4)
    assert np.isinf(depth_m[~below]).all()


@pytest.mark.parametrize(
    ('pixels', 'expected'),
    [([], None), ([(2, 3)], [3, 2, 4, 3]), ([(0, 1), (3, 0)], [0, 0, 2, 4])],
)
def test_box_of_a_mask(pixels, expected):
    mask = np.zeros((4, 5), bool)
    for row, column in pixels:
        mask[row, column] = True
    found = mask_box(mask)
    assert (found is None) if expected is None else (found.tolist() == expected)
