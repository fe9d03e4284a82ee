import numpy as np
import pytest
from rs_ml_training.synth.camera import D435_DEPTH_848, CameraPose
from rs_ml_training.synth.render import render
from rs_ml_training.synth.scene import Plane, Surface, SynthClass
from rs_ml_training.synth.stereo import (
    Light,
    StereoCamera,
    dot_pattern,
    infrared,
    matched,
    stereo_sample,
)

CAMERA = StereoCamera(D435_DEPTH_848.resized(424, 240))
WAVES = np.random.default_rng(0).normal(0, 60, (24, 4))


def wall_depth(distance_m: float, light: Light) -> np.ndarray:
    """What is measured of a white wall straight ahead."""
    rng, pose = np.random.default_rng(0), CameraPose(1.0)
    pattern, pictures = dot_pattern(rng, CAMERA.dots), []
    white = Surface(SynthClass.WALL, color=(1, 1, 1))
    for offset_m in (0.0, CAMERA.baseline_m):
        wall = Plane(np.array([distance_m, 0, 0]), np.array([-1.0, 0, 0]), white)
        view = render([wall], CAMERA.intrinsics, pose)
        pictures.append(infrared(view, CAMERA, pose, offset_m, light, pattern, rng))
    return matched(*pictures, CAMERA)


@pytest.mark.parametrize('disparity_px', [4, 7, 12, 18])
@pytest.mark.parametrize(
    'light',
    [
        Light(0.3, 3.0, 0.0, WAVES, 0.5, 80),
        Light(0.3, 0.0, 0.3, WAVES, 0.5, 80),
    ],
    ids=['dots', 'grain'],
)
def test_a_wall_is_measured_where_it_is(light, disparity_px):
    # Between whole disparities a matcher leans to the nearer one.
    focal_baseline = CAMERA.intrinsics.fx * CAMERA.baseline_m
    depth_m = wall_depth(focal_baseline / disparity_px, light)
    known = depth_m > 0
    assert known.mean() > 0.7
    error_px = focal_baseline / depth_m[known] - disparity_px
    assert abs(np.median(error_px)) < 0.05
    assert np.percentile(np.abs(error_px), 80) < 0.5


def test_a_plain_wall_in_the_dark_is_not_measured():
    depth_m = wall_depth(1.5, Light(0.3, 0.0, 0.0, WAVES, 0.3, 80))
    assert (depth_m > 0).mean() < 0.01


@pytest.fixture(scope='module')
def samples():
    return [stereo_sample(seed, CAMERA) for seed in range(3)]


def test_sample_is_what_a_camera_gives(samples):
    for sample in samples:
        assert sample.size == (424, 240)
        both = (sample.raw_depth_m > 0) & (sample.depth_m > 0)
        assert 0.2 < both.mean() < 1
        error_m = np.abs(sample.raw_depth_m - sample.depth_m)[both]
        assert 0 < np.median(error_m / sample.depth_m[both]) < 0.06
        assert sample.raw_depth_m.max() <= CAMERA.max_m
        assert (sample.raw_depth_m[sample.raw_depth_m > 0] >= CAMERA.min_m).all()
        assert sample.infrared.std() > 3
        assert not np.array_equal(sample.infrared, sample.extra['right'])


def test_the_same_seed_gives_the_same_sample(samples):
    again = stereo_sample(1, CAMERA)
    for name, array in samples[1].maps().items():
        np.testing.assert_array_equal(again.maps()[name], array)
    assert not np.array_equal(samples[0].depth_m, samples[1].depth_m)
