"""Estimated depth fitted to the measured depth of its frame."""

import math

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.inference.manifest import DepthSpec
from rs_ml_perception.inference.preprocess import InputSpec
from rs_ml_perception.tasks.depth_alignment import LOCAL, OFF, SCALE, SCALE_SHIFT
from rs_ml_perception.tasks.mono_depth import DepthEstimator, MonoDepthOptions

RGB = np.zeros((60, 80, 3), np.uint8)
CAMERA = CameraModel(80, 60, 70, 70, 39.5, 29.5)
STILL = RigidTransform(np.eye(3), np.array([1e-6, 0, 0]))
SECOND_NS = 1_000_000_000
RAMP = np.repeat(np.linspace(1.0, 4.0, 40, dtype=np.float32)[None], 30, 0)
MODES = (SCALE, SCALE_SHIFT, LOCAL)


def estimator(make, mode, estimate_m=RAMP, **input_spec):
    spec = InputSpec('x', size=(40, 30), **input_spec)
    model = make(
        {'depth': estimate_m[None, :, :, None]},
        task='mono_depth',
        decoder='depth',
        inputs=(spec,),
        depth=DepthSpec(range_m=(0.1, 10)),
    )
    return DepthEstimator(model, MonoDepthOptions(align_to_depth=mode, output_size='model'))


def frame(values_m=None, stamp_ns=0, **fields):
    """A frame whose depth is given at the resolution of the network."""
    depth = None
    if values_m is not None:
        depth = DepthImage(np.kron(values_m, np.ones((2, 2), np.float32)), 1.0)
    return Frame(RGB, depth, camera=CAMERA, stamp_ns=stamp_ns, **fields)


def cut(values_m, most_m):
    return np.where(values_m <= most_m, values_m, np.float32(np.nan))


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize(
    'given',
    [
        pytest.param(None, id='no frame'),
        pytest.param(frame(), id='no depth'),
        pytest.param(frame(np.zeros_like(RAMP)), id='nothing measured'),
        pytest.param(frame(RAMP, color_from_depth=STILL), id='depth camera unknown'),
        pytest.param(frame(np.full_like(RAMP, np.nan)), id='NaN'),
    ],
)
def test_without_depth_the_metres_of_the_network_stand(recorded_model, mode, given):
    found = estimator(recorded_model, mode)(RGB, CAMERA, given)
    np.testing.assert_array_equal(found.depth_m, RAMP)
    assert found.alignment.fit is None
    np.testing.assert_allclose(found.stddev_m(), 0.3 * RAMP, rtol=1e-5)
    assert all(map(math.isnan, found.alignment.readings().values()))


def test_off_ignores_depth(recorded_model):
    found = estimator(recorded_model, OFF)(RGB, CAMERA, frame(2 * RAMP))
    np.testing.assert_array_equal(found.depth_m, RAMP)
    with pytest.raises(InputError, match='align_to_depth'):
        found.stddev_m()


@pytest.mark.parametrize('mode', MODES)
def test_measured_metres(recorded_model, mode):
    found = estimator(recorded_model, mode)(RGB, CAMERA, frame(0.4 * RAMP))
    np.testing.assert_allclose(found.depth_m, 0.4 * RAMP, rtol=0.05)
    readings = found.alignment.readings()
    assert readings['align_scale'] == pytest.approx(0.4, rel=0.02)
    assert (readings['align_inlier_fraction'], readings['align_fit_age_secs']) == (1.0, 0.0)


def test_a_shift(recorded_model):
    found = estimator(recorded_model, SCALE_SHIFT)(RGB, CAMERA, frame(1.5 * RAMP - 0.5))
    np.testing.assert_allclose(found.depth_m, 1.5 * RAMP - 0.5, atol=0.1)


@pytest.mark.parametrize(('mode', 'beyond'), [(SCALE, 0.4), (SCALE_SHIFT, 0.4)])
def test_depth_beyond_the_range_is_scaled_too(recorded_model, mode, beyond):
    found = estimator(recorded_model, mode)(RGB, CAMERA, frame(cut(0.4 * RAMP, 0.8)))
    np.testing.assert_allclose(found.depth_m[:, -1], beyond * RAMP[:, -1], rtol=0.05)


def test_a_local_factor_fades_toward_the_network_beyond_the_range(recorded_model):
    found = estimator(recorded_model, LOCAL)(RGB, CAMERA, frame(cut(0.4 * RAMP, 0.8)))
    factor = found.depth_m[15] / RAMP[15]
    assert factor[:8] == pytest.approx(0.4, rel=0.1)
    assert np.all(np.diff(factor[10:]) > -0.005)
    assert 0.6 < factor[-1] < 1.0


def test_depth_that_is_not_aligned_is_moved(recorded_model):
    wide = CameraModel(160, 120, 140, 140, 79.5, 59.5)
    depth = DepthImage(np.full((120, 160), 1.5, np.float32), 1.0)
    given = Frame(RGB, depth, camera=CAMERA, depth_camera=wide, color_from_depth=STILL)
    found = estimator(recorded_model, LOCAL, np.full_like(RAMP, 3.0))(RGB, CAMERA, given)
    np.testing.assert_allclose(found.depth_m[3:-3, 3:-3], 1.5, rtol=0.05)


def test_aligned_depth_of_another_size_is_rejected(recorded_model):
    given = Frame(RGB, DepthImage(RAMP, 1.0), camera=CAMERA)
    with pytest.raises(InputError, match='40x30, its image 80x60'):
        estimator(recorded_model, SCALE)(RGB, CAMERA, given)


def test_clamped_estimates_say_nothing(recorded_model):
    clamped = np.where(RAMP < 3, np.float32(0.01), RAMP)
    found = estimator(recorded_model, SCALE, clamped)(RGB, CAMERA, frame(0.5 * RAMP))
    assert found.alignment.fit.scale == pytest.approx(0.5, rel=0.02)


def test_a_letterboxed_network(recorded_model):
    estimate_m = np.full((30, 40), 2.0, np.float32)
    make = estimator(recorded_model, LOCAL, estimate_m, resize='letterbox')
    wide = np.zeros((30, 80, 3), np.uint8)
    given = Frame(wide, DepthImage(np.full((30, 80), 1.0, np.float32), 1.0))
    found = make(wide, None, given)
    assert found.depth_m.shape == found.stddev_m().shape == (15, 40)
    np.testing.assert_allclose(found.depth_m, 1.0, rtol=0.05)


def test_the_standard_deviation_grows_away_from_measured_depth(recorded_model):
    values_m = RAMP.copy()
    values_m[:, 20:] = 0
    found = estimator(recorded_model, SCALE)(RGB, CAMERA, frame(values_m))
    relative = found.stddev_m() / found.depth_m
    assert relative[15, 5] < 0.05
    assert relative[15, 35] == pytest.approx(0.3, rel=0.02)


def test_the_fit_is_kept_held_and_reset(recorded_model):
    depths = estimator(recorded_model, SCALE)
    rows = [(0.5 * RAMP, 1), (None, 2), (None, 9)]
    found = [depths(RGB, CAMERA, frame(d, secs * SECOND_NS)) for d, secs in rows]
    ages = [one.alignment.age_secs for one in found]
    assert ages[:2] == [0, 1]
    assert math.isnan(ages[2])
    np.testing.assert_allclose(found[1].depth_m, 0.5 * RAMP, rtol=0.02)
    assert np.all(found[1].stddev_m() > 0.3 * found[1].depth_m)
    depths(RGB, CAMERA, frame(0.5 * RAMP, 10 * SECOND_NS))
    depths.reset()
    assert depths(RGB, CAMERA, frame(None, 11 * SECOND_NS)).alignment.fit is None


@pytest.mark.parametrize('mode', MODES)
def test_a_held_fit_gives_the_same_metres_without_depth(recorded_model, mode):
    depths = estimator(recorded_model, mode)
    rows = [(0.8 * RAMP, 1), (None, 2)]
    found = [depths(RGB, CAMERA, frame(d, secs * SECOND_NS)).depth_m for d, secs in rows]
    np.testing.assert_allclose(found[1], found[0], rtol=0.05)


def test_a_fit_does_not_outlive_a_change_of_the_focal_length(recorded_model):
    depths = estimator(recorded_model, SCALE)
    depths(RGB, CAMERA, frame(0.5 * RAMP, SECOND_NS))
    depths._factor = 2.0
    found = depths(RGB, CAMERA, frame(None, 2 * SECOND_NS))
    np.testing.assert_array_equal(found.depth_m, RAMP)
