"""Intrinsics that follow resizing and cropping."""

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel

CAMERA = CameraModel(width=640, height=480, fx=600.0, fy=610.0, cx=320.5, cy=238.0)
POINT_M = np.array([0.21, -0.13, 1.7])


def pixel_of(camera, point_m=POINT_M):
    u, v, w = camera.matrix @ point_m
    return np.array([u / w, v / w])


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'width': 0}, 'positive, got 0x480'),
        ({'height': -1}, 'positive, got 640x-1'),
        ({'fx': 0.0}, 'fx=0.0'),
        ({'fy': -600.0}, 'fy=-600.0'),
        ({'cx': float('nan')}, 'finite'),
        ({'fx': float('inf')}, 'finite'),
        ({'distortion': (0.1, float('nan'))}, 'finite'),
        ({'fx': 1e-300}, 'no camera has fx=1e-300'),
        ({'cx': 1e300}, r'cx=1e\+300'),
        ({'cy': -1e8}, r'cy=-1e\+08'),
        ({'distortion': (1e300,)}, 'no camera'),
    ],
)
def test_bad_intrinsics_are_rejected(changes, message):
    fields = {'width': 640, 'height': 480, 'fx': 600.0, 'fy': 600.0, 'cx': 320.0, 'cy': 240.0}
    with pytest.raises(InputError, match=message):
        CameraModel(**{**fields, **changes})


@pytest.mark.parametrize(
    ('distortion', 'expected'), [((), False), ((0.0,) * 5, False), ((0.0, 0.01), True)]
)
def test_is_distorted(distortion, expected):
    camera = CameraModel(640, 480, 600.0, 600.0, 320.0, 240.0, 'plumb_bob', distortion)
    assert camera.is_distorted is expected


@pytest.mark.parametrize('size', [(640, 480), (320, 240), (1280, 960), (224, 224), (640, 360)])
def test_resizing_moves_pixels_as_opencv_does(size):
    width, height = size
    u, v = pixel_of(CAMERA)
    # Pixel centres at integers: OpenCV maps u to (u + 0.5) * scale - 0.5.
    expected = [(u + 0.5) * width / 640 - 0.5, (v + 0.5) * height / 480 - 0.5]
    np.testing.assert_allclose(pixel_of(CAMERA.resized(width, height)), expected)


def test_resizing_agrees_with_a_resized_image():
    picture = np.zeros((480, 640), np.float32)
    u, v = (round(float(n)) for n in pixel_of(CAMERA))
    point_m = np.linalg.inv(CAMERA.matrix) @ [u, v, 1]
    cv2.circle(picture, (u, v), 12, 1.0, cv2.FILLED)
    small = cv2.resize(picture, (320, 240), interpolation=cv2.INTER_AREA)
    rows, columns = np.indices(small.shape)
    centroid = [(columns * small).sum() / small.sum(), (rows * small).sum() / small.sum()]
    np.testing.assert_allclose(pixel_of(CAMERA.resized(320, 240), point_m), centroid, atol=0.02)


def test_resizing_there_and_back():
    back = CAMERA.resized(213, 97).resized(640, 480)
    np.testing.assert_allclose(back.matrix, CAMERA.matrix)


@pytest.mark.parametrize('corner', [(0, 0), (100, 60), (-10, -20)])
def test_cropping_shifts_pixels(corner):
    cropped = CAMERA.cropped(*corner, 200, 150)
    assert (cropped.width, cropped.height) == (200, 150)
    np.testing.assert_allclose(pixel_of(cropped), pixel_of(CAMERA) - corner)


def test_distortion_travels_along():
    camera = CameraModel(640, 480, 600.0, 600.0, 320.0, 240.0, 'plumb_bob', (0.1, 0.0))
    for derived in (camera.resized(320, 240), camera.cropped(1, 2, 30, 40)):
        assert derived.distortion_model == 'plumb_bob'
        assert derived.distortion == (0.1, 0.0)


def test_cameras_can_be_compared_and_hashed():
    assert CAMERA.cropped(0, 0, 640, 480) == CAMERA
    assert len({CAMERA, CAMERA.resized(640, 480), CAMERA.resized(320, 240)}) == 2
