"""Scale and shift between estimated and measured depth."""

import numpy as np
import pytest
from rs_ml_perception.core.geometry.depth_field import fit_field
from rs_ml_perception.core.geometry.depth_fit import FitOverTime, fit_depth

SHAPE = (30, 40)
SECOND_NS = 1_000_000_000
RAMP = np.linspace(1.0, 4.0, 1200, dtype=np.float32).reshape(SHAPE)
NAN = np.full(SHAPE, np.nan, np.float32)


def measured(scale=1.0, shift_m=0.0, noise=0.02, outliers=0.0, known=1.0):
    """Depth of the ramp as a camera measures it."""
    rng = np.random.default_rng(0)
    depth_m = (scale * RAMP + shift_m) * (1 + noise * rng.standard_normal(SHAPE))
    wrong = rng.random(SHAPE) < outliers
    depth_m[wrong] = rng.uniform(0.2, 8.0, np.count_nonzero(wrong))
    depth_m[rng.random(SHAPE) >= known] = np.nan
    return depth_m.astype(np.float32)


@pytest.mark.parametrize('with_shift', [False, True])
@pytest.mark.parametrize(
    'depth_m',
    [
        pytest.param(NAN, id='empty'),
        pytest.param(np.zeros(SHAPE, np.float32), id='zeros'),
        pytest.param(measured(known=0.01), id='too few'),
        pytest.param(measured(outliers=1.0), id='another scene'),
    ],
)
def test_no_fit(depth_m, with_shift):
    assert fit_depth(RAMP, depth_m, with_shift=with_shift) is None


def test_an_estimate_without_numbers_gives_no_fit():
    assert fit_depth(NAN, RAMP, with_shift=True) is None


@pytest.mark.parametrize(
    ('truth', 'with_shift', 'more'),
    [
        pytest.param((0.5, 0.0), False, {}, id='scale'),
        pytest.param((1.5, -0.4), True, {}, id='scale and shift'),
        pytest.param((0.5, 0.0), False, {'outliers': 0.4}, id='scale, 40 % outliers'),
        pytest.param((1.5, -0.4), True, {'outliers': 0.4}, id='scale and shift, 40 % outliers'),
        pytest.param((1.5, -0.4), True, {'known': 0.3}, id='NaN'),
    ],
)
def test_fit(truth, with_shift, more):
    fit = fit_depth(RAMP, measured(*truth, **more), with_shift=with_shift)
    assert (fit.scale, fit.shift_m) == pytest.approx(truth, abs=0.05)
    assert fit.residual == pytest.approx(0.02, abs=0.03)
    assert fit.inlier_fraction == pytest.approx(1 - more.get('outliers', 0.0), abs=0.06)
    depth_m = RAMP.copy()
    fit.apply_to(depth_m)
    np.testing.assert_allclose(depth_m, truth[0] * RAMP + truth[1], rtol=0.05)


def test_fitted_depth_stays_positive():
    fit = fit_depth(RAMP, measured(1.5, -1.2), with_shift=True)
    near_m = np.array([0.01, 0.1], np.float32)
    fit.apply_to(near_m)
    assert np.all(near_m > 0)


def test_far_measurements_count_by_their_noise():
    depth_m = np.where(RAMP > 2.0, 1.3 * RAMP, RAMP)
    fit, noisy = (fit_depth(RAMP, depth_m, with_shift=False, noise_growth_per_m=g) for g in (0, 1))
    assert abs(noisy.scale - 1) < abs(fit.scale - 1)


def frames(fits, *given):
    """The fits of frames (seconds, measured depth or None)."""
    return [
        fits(int(secs * SECOND_NS), RAMP, depth_m, with_shift=False) for secs, depth_m in given
    ]


def test_frames_without_depth_keep_the_last_fit_for_a_time():
    fits = FitOverTime(hold_secs=2.0)
    first, held, gone = frames(fits, (10, measured(2.0)), (11.5, None), (12.5, NAN))
    assert (first.scale, held.scale, gone) == (pytest.approx(2, abs=0.02), first.scale, None)
    assert held.covariance[0, 0] > first.covariance[0, 0]
    assert np.isnan(fits.age_secs)


def test_an_older_stamp_forgets():
    assert frames(FitOverTime(9.0), (10, measured(2.0)), (9, None), (10.5, None))[1:] == [None] * 2


def test_frames_without_stamp_stand_alone():
    assert frames(FitOverTime(9.0), (0, measured(2.0)), (0, None))[1] is None


@pytest.mark.parametrize(('known', 'count'), [(1.0, 2), (0.05, 6)], ids=['much', 'little'])
def test_a_jump_of_the_scale_is_followed(known, count):
    rows = [(1 + i / 30, measured(1.0)) for i in range(5)]
    rows += [(2 + i / 30, measured(2.0, known=known)) for i in range(count)]
    *_, last = frames(FitOverTime(2.0), *rows)
    assert last.scale == pytest.approx(2.0, abs=0.1)


def test_little_depth_leans_on_the_frames_before():
    alone = fit_depth(RAMP, measured(1.2, known=0.05, noise=0.2), with_shift=False)
    fits = FitOverTime(2.0)
    *_, leaning = frames(fits, (1, measured(1.0)), (1.03, measured(1.2, known=0.05, noise=0.2)))
    assert 1.0 < leaning.scale < alone.scale


@pytest.mark.parametrize('estimated_m', [RAMP, NAN], ids=['measured', 'estimated'])
def test_an_empty_field_corrects_nothing(estimated_m):
    field = fit_field(estimated_m, NAN)
    assert not field.log_factor.any()
    assert np.isnan(field.residual)


def test_a_field_follows_factors_that_vary_and_fills_holes():
    factor = np.linspace(0.7, 1.3, 40, dtype=np.float32)
    depth_m = RAMP * factor
    depth_m[10:14, 18:22] = np.nan
    field = fit_field(RAMP, depth_m)
    np.testing.assert_allclose(
        np.exp(field.log_factor)[2:-2, 2:-2], factor[None, 2:-2].repeat(26, 0), rtol=0.06
    )
    assert field.residual < 0.03


def test_a_field_fades_far_from_measurements():
    depth_m = 1.3 * RAMP
    depth_m[:, 12:] = np.nan
    log_factor = fit_field(RAMP, depth_m).log_factor
    assert log_factor[15, 5] == pytest.approx(np.log(1.3), abs=0.02)
    assert np.all(np.abs(log_factor[:, 30:]) < 0.01)
