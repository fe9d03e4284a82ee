"""Registration of depth to colour on pictures that can be followed by hand."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.box_points import box_points
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.registration import register_depth
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage

CAMERA = CameraModel(64, 48, 100.0, 100.0, 31.5, 23.5)
FINER = CameraModel(128, 96, 200.0, 200.0, 63.5, 47.5)


def shifted(x_m: float, y_m: float = 0.0, z_m: float = 0.0) -> RigidTransform:
    return RigidTransform(np.eye(3), np.array([x_m, y_m, z_m]))


def plain(value: int, dtype=np.uint16) -> DepthImage:
    metres_per_unit = 0.001 if dtype is np.uint16 else 1.0
    return DepthImage(np.full((48, 64), value, dtype), metres_per_unit)


@pytest.mark.parametrize('value', [0, 65535])
def test_nothing_seen(value):
    registered = register_depth(plain(value), CAMERA, CAMERA, shifted(0.05))
    assert not registered.values.any()


def test_nothing_seen_float_is_nan():
    registered = register_depth(plain(np.nan, np.float32), CAMERA, CAMERA, shifted(0.05))
    assert np.isnan(registered.values).all()


def test_all_behind_the_colour_camera():
    registered = register_depth(plain(1000), CAMERA, CAMERA, shifted(0.0, 0.0, -2.0))
    assert not registered.values.any()


def test_same_position_same_image():
    values = np.random.default_rng(0).integers(500, 5000, (48, 64)).astype(np.uint16)
    registered = register_depth(DepthImage(values, 0.001), CAMERA, CAMERA, shifted(0.0))
    np.testing.assert_array_equal(registered.values, values)


@pytest.mark.parametrize('dtype', [np.uint16, np.float32])
def test_shift_moves_near_pixels_farther(dtype):
    depth = plain(1000 if dtype is np.uint16 else 1.0, dtype)
    near = 500 if dtype is np.uint16 else 0.5
    depth.values[20:30, 20:30] = near
    registered = register_depth(depth, CAMERA, CAMERA, shifted(0.05)).values
    assert registered.dtype == dtype
    rows, columns = np.nonzero(registered == near)
    assert (rows.min(), rows.max()) == (20, 29)
    assert (columns.min(), columns.max()) == (30, 39)  # 0.05 m * 100 px / 0.5 m
    assert not (registered[:, :5] > 0).any()  # 5 px for the wall, seen by nobody


def test_finer_colour_leaves_no_gaps():
    registered = register_depth(plain(2000), CAMERA, FINER, shifted(0.0))
    assert (registered.values == 2000).all()


def test_values_of_the_least_depth_win():
    values = np.full((48, 64), 3000, np.uint16)
    values[:, ::2] = 1500
    coarse = CameraModel(32, 24, 50.0, 50.0, 15.5, 11.5)
    registered = register_depth(DepthImage(values, 0.001), CAMERA, coarse, shifted(0.0))
    assert set(np.unique(registered.values)) <= {0, 1500}


def test_size_must_fit_the_intrinsics():
    with pytest.raises(InputError, match='64x48'):
        register_depth(plain(1000), FINER, FINER, shifted(0.0))


def frame(unaligned: bool) -> Frame:
    values = np.full((48, 64), 2000, np.uint16)
    values[10:30, 20:40] = 1000
    moved = {'depth_camera': CAMERA, 'color_from_depth': shifted(0.02)} if unaligned else {}
    return Frame(depth=DepthImage(values, 0.001), camera=CAMERA, **moved)


@pytest.mark.parametrize('unaligned', [False, True])
@pytest.mark.parametrize('box', [[5, 5, 5, 20], [-50, 0, -1, 20], [70, 50, 90, 60]])
def test_box_without_pixels(unaligned, box):
    assert not np.isfinite(box_points(frame(unaligned), np.array(box)).depth_m).any()


def test_box_of_aligned_depth():
    box = box_points(frame(unaligned=False), np.array([20, 10, 40, 30]))
    assert box.points_m.shape == (20, 20, 3)
    np.testing.assert_allclose(box.points_m[0, 0], [-0.115, -0.135, 1.0], atol=1e-6)


def test_box_is_clipped_to_the_image():
    assert box_points(frame(unaligned=False), np.array([-9, -9, 10, 5])).points_m.shape == (
        5,
        10,
        3,
    )


def test_box_of_unaligned_depth_agrees_with_colour():
    # The near square appears 2 px farther right in colour.
    points_m = box_points(frame(unaligned=True), np.array([22, 10, 42, 30])).points_m
    near = points_m[points_m[..., 2] == 1.0]
    assert len(near) == 400
    assert near[:, 0].min() == pytest.approx(-0.115 + 0.02)
    seen = np.isfinite(points_m[..., 2])
    u = points_m[seen][:, 0] / points_m[seen][:, 2] * 100 + 31.5
    assert u.min() >= 21.5
    assert u.max() < 41.5


def test_large_boxes_are_sampled():
    box = box_points(frame(unaligned=False), np.array([0, 0, 64, 48]), max_samples=800)
    assert box.step == 2
    assert box.points_m.shape == (24, 32, 3)


def test_missing_parts_are_named():
    with pytest.raises(InputError, match='depth'):
        box_points(Frame(camera=CAMERA), np.array([0, 0, 5, 5]))
    lacking = Frame(depth=plain(1000), camera=CAMERA, color_from_depth=shifted(0.0))
    with pytest.raises(InputError, match='camera_info'):
        box_points(lacking, np.array([0, 0, 5, 5]))
