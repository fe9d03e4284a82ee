"""Depth fused from posed frames."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.data.fusion import PosedDepth, fuse_depth

CAMERA = CameraModel(32, 24, 30.0, 30.0, 16.0, 12.0)
WALL_M = 2.0


def pose(x_m=0.0, z_m=0.0):
    moved = np.eye(4)
    moved[0, 3], moved[2, 3] = x_m, z_m
    return moved


def wall(x_m=0.0, z_m=0.0, noise_m=0.0, seed=0):
    """The wall z = 2 m as a camera at (x, 0, z) sees it."""
    noise = np.random.default_rng(seed).normal(0, noise_m, (24, 32)) if noise_m else 0.0
    depth_m = np.full((24, 32), WALL_M - z_m) + noise
    return PosedDepth(depth_m.astype(np.float32), pose(x_m, z_m))


WALLS = [wall(0.02 * i, 0.01 * i) for i in range(8)]
BLANK = [PosedDepth(np.zeros((24, 32), np.float32), pose())] * 8


@pytest.mark.parametrize(
    'frames', [[], WALLS[:5], [PosedDepth(np.zeros((24, 32), np.float32), pose())] * 8]
)
def test_too_few_frames_give_nothing(frames):
    assert not fuse_depth(frames, CAMERA, pose()).any()


@pytest.mark.parametrize('z_m', [0.0, 0.1, -0.3])
@pytest.mark.parametrize('step_px', [1, 3])
def test_a_wall_from_any_view(z_m, step_px):
    fused_m = fuse_depth(WALLS, CAMERA, pose(z_m=z_m), step_px=step_px)
    known = fused_m > 0
    assert known[::step_px, ::step_px].mean() > 0.6
    assert known.sum() == known[::step_px, ::step_px].sum()
    np.testing.assert_allclose(fused_m[known], WALL_M - z_m, atol=2e-3)


def test_noise_averages_out():
    frames = [wall(0.01 * i, noise_m=0.01, seed=i) for i in range(16)]
    fused_m = fuse_depth(frames, CAMERA, pose())
    assert np.std(fused_m[fused_m > 0]) < 0.006


def test_the_nearer_of_two_surfaces_counts_and_free_space_removes_a_ghost():
    frames = [wall(0.02 * i) for i in range(8)]
    for frame in frames:
        frame.depth_m[:, :10] = 1.0
    frames[0].depth_m[12, 20] = 1.2
    fused_m = fuse_depth(frames, CAMERA, pose())
    np.testing.assert_allclose(fused_m[:, 3:6], 1.0, atol=0.01)
    assert fused_m[12, 20] == pytest.approx(WALL_M, abs=0.01)


def test_frames_of_another_size_are_refused():
    other = PosedDepth(np.ones((4, 4), np.float32), pose())
    with pytest.raises(InputError, match='4x4 is not of the camera, which is 32x24'):
        fuse_depth([other], CAMERA, pose())
