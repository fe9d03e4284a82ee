"""Lens models against OpenCV, there and back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.distortion import check_lens, distort, undistort

XY = np.stack(np.meshgrid(np.linspace(-0.6, 0.6, 9), np.linspace(-0.45, 0.45, 7)), axis=-1)

# As a depth camera with a wide lens publishes it.
WIDE = (0.52, -2.5, 0.0007, -0.0002, 1.45, 0.4, -2.34, 1.38)
RATIONAL = (0.2, -0.5, 0.0003, -0.0002, 0.1, 0.1, -0.4, 0.1)
MODELS = {
    'plumb_bob': ('plumb_bob', (0.1, -0.05, 0.001, -0.0005, 0.02)),
    'rational of 5': ('rational_polynomial', RATIONAL[:5]),
    'rational of 8': ('rational_polynomial', RATIONAL),
    'rational of 8, wide': ('rational_polynomial', WIDE),
    'rational of 12': ('rational_polynomial', (*RATIONAL, 0.01, -0.002, 0.005, 0.001)),
    'rational of 14': (
        'rational_polynomial',
        (*RATIONAL, 0.01, -0.002, 0.005, 0.001, 0.03, -0.02),
    ),
}


@pytest.mark.parametrize(('model', 'coefficients'), MODELS.values(), ids=MODELS)
@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_as_opencv_projects_and_back(model, coefficients, dtype):
    rays = np.concatenate([XY, np.ones((*XY.shape[:2], 1))], axis=-1).reshape(-1, 1, 3)
    none = np.zeros(3)
    expected, _ = cv2.projectPoints(rays, none, none, np.eye(3), np.array(coefficients))
    observed = distort(XY.astype(dtype), model, coefficients)
    assert observed.dtype == dtype
    np.testing.assert_allclose(observed, expected.reshape(XY.shape), atol=1e-6)
    back = undistort(observed, model, coefficients)
    assert back.dtype == dtype
    np.testing.assert_allclose(back, XY, atol=2e-5)


@pytest.mark.parametrize(
    ('model', 'coefficients', 'message'),
    [
        ('', (), ''),
        ('anything', (0.0,) * 5, ''),
        ('plumb_bob', (*RATIONAL[:5], 0.0, 0.0, 0.0), ''),
        ('plumb_bob', RATIONAL, 'gives 8: is it rational_polynomial'),
        ('equidistant', (0.01, 0.001, 0.0, 0.0, 0.2), 'has 4 distortion coefficients'),
        ('rational_polynomial', (0.1,) * 15, 'gives 15'),
        ('mystery', (0.1,), "'mystery' with non-zero coefficients is not supported"),
        ('', (0.1,), 'is not supported'),
    ],
)
def test_a_lens_that_cannot_be_used_says_why(model, coefficients, message):
    camera = CameraModel(640, 480, 600.0, 600.0, 320.0, 240.0, model, coefficients)
    assert message in camera.lens_problem
    assert bool(camera.lens_problem) == bool(message)
    if message:
        with pytest.raises(InputError, match='distortion'):
            check_lens(model, coefficients)
