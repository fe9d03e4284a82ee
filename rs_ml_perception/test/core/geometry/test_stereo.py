"""Expected noise by camera type."""

from __future__ import annotations

import pytest
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.stereo import STEREO_CAMERAS, noise_growth_per_m


def camera(fx, width=848, height=480):
    return CameraModel(width, height, fx, fx, width / 2, height / 2)


@pytest.mark.parametrize(
    ('camera_type', 'fx', 'focal_baseline_px_m'),
    [
        ('auto', None, 421.5 * 0.05),
        ('auto', 425.0, 425 * 0.05),
        ('auto', 610.0, 610 * 0.055),
        ('d435', 610.0, 610 * 0.05),
        ('d415', None, 421.5 * 1.45 * 0.055),
        ('d455', 425.0, 425 * 0.095),
        ('d405', 425.0, 425 * 0.018),
    ],
)
def test_noise_is_disparity_noise_over_focal_length_and_baseline(
    camera_type, fx, focal_baseline_px_m
):
    model = None if fx is None else camera(fx)
    growth_per_m = noise_growth_per_m(camera_type, (848, 480), model)
    assert growth_per_m == pytest.approx(0.08 / focal_baseline_px_m)


@pytest.mark.parametrize(
    ('camera_type', 'size', 'range_m', 'stddev_mm'),
    [('kinect', (640, 480), 5.0, (35, 50)), ('d435', (848, 480), 2.0, (10, 20))],
)
def test_published_noise(camera_type, size, range_m, stddev_mm):
    """Khoshelham and Elberink: 4 cm at 5 m; Intel: below 1 % of a D435's range at 2 m."""
    low, high = stddev_mm
    assert low < 1000 * noise_growth_per_m(camera_type, size) * range_m**2 < high


def test_a_longer_baseline_is_less_noisy():
    growths = [noise_growth_per_m(name, (848, 480), camera(425.0)) for name in STEREO_CAMERAS]
    baselines = [kind.baseline_m for kind in STEREO_CAMERAS.values()]
    assert [g * b for g, b in zip(growths, baselines, strict=True)] == pytest.approx(
        [0.08 / 425] * len(growths)
    )
