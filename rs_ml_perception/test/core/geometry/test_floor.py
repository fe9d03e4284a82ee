"""The floor in rendered-by-hand depth images: a plane, walls, a table, noise."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.floor import fit_floor
from rs_ml_perception.core.geometry.gravity import Up, UpMethod
from rs_ml_perception.core.geometry.projection import ray_planes
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage

CAMERA = CameraModel(320, 240, 200.0, 200.0, 159.5, 119.5)


def tilted_up(pitch_deg: float, roll_deg: float) -> np.ndarray:
    """Up in the optical frame of a camera that looks up by pitch and is turned by roll."""
    pitch, roll = np.radians([pitch_deg, roll_deg])
    level = np.array([0.0, -np.cos(pitch), np.sin(pitch)])
    c, s = np.cos(roll), np.sin(roll)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ level


def room(up: np.ndarray, camera_m: float, *, table: bool = False, noise: float = 0.01):
    """Floor camera_m below the camera, a wall across at 4 m, a table 0.75 m above the floor."""
    rays = np.stack([*ray_planes(CAMERA), np.ones((240, 320), np.float32)], axis=-1)
    down = -(rays @ up)
    with np.errstate(divide='ignore'):
        depth_m = np.where(down > 0, camera_m / down, np.inf)
        depth_m = np.minimum(depth_m, 4.0)
        if table:
            top_m = (camera_m - 0.75) / down
            points = rays * top_m[..., None]
            on_table = (top_m > 0) & (points[..., 2] < 2.5) & (np.abs(points[..., 0]) < 0.6)
            depth_m = np.where(on_table, top_m, depth_m)
    rng = np.random.default_rng(0)
    depth_m = depth_m * rng.normal(1.0, noise, depth_m.shape)
    depth_m[rng.random(depth_m.shape) < 0.1] = 0
    return DepthImage((1000 * depth_m).astype(np.uint16), 0.001)


@pytest.mark.parametrize('up', [None, Up(np.array([0.0, -1.0, 0.0]), UpMethod.IMU)])
def test_no_depth_no_floor(up):
    assert fit_floor(DepthImage(np.zeros((240, 320), np.uint16), 0.001), CAMERA, up) is None


@pytest.mark.parametrize('up', [None, Up(np.array([0.0, -1.0, 0.0]), UpMethod.IMU)])
def test_a_wall_is_no_floor(up):
    assert fit_floor(DepthImage(np.full((240, 320), 2000, np.uint16), 0.001), CAMERA, up) is None


@pytest.mark.parametrize('known', [True, False])
@pytest.mark.parametrize(
    ('pitch_deg', 'roll_deg', 'camera_m', 'table'),
    [
        (0, 0, 1.0, False),
        (-30, 0, 1.6, False),
        (-15, 10, 0.4, False),
        (10, -10, 1.2, False),
        (-10, 5, 1.3, True),
    ],
)
def test_floor_is_found(pitch_deg, roll_deg, camera_m, table, known):
    up = tilted_up(pitch_deg, roll_deg)
    given = Up(up, UpMethod.IMU) if known else None
    floor = fit_floor(room(up, camera_m, table=table), CAMERA, given)
    assert floor.offset_m == pytest.approx(camera_m, abs=0.02)
    assert np.degrees(np.arccos(min(1.0, floor.normal @ up))) < 1.0
    point_m = up * -camera_m + np.array([0.3, 0.0, 2.0])
    expected = float(point_m @ up + camera_m)
    assert floor.height_above(point_m) == pytest.approx(expected, abs=0.02)
    assert 0 < floor.stddev_at(point_m) < 0.02


def test_same_input_same_plane():
    depth = room(tilted_up(-10, 3), 1.0)
    first, second = fit_floor(depth, CAMERA), fit_floor(depth, CAMERA)
    np.testing.assert_array_equal(first.normal, second.normal)
    assert first.offset_m == second.offset_m


def test_slightly_wrong_gravity_is_corrected():
    up = tilted_up(-10, 0)
    floor = fit_floor(room(up, 1.0), CAMERA, Up(tilted_up(-9, 0.5), UpMethod.IMU))
    assert np.degrees(np.arccos(floor.normal @ up)) < 0.5


def test_moved_into_another_frame():
    floor = fit_floor(room(tilted_up(-10, 0), 1.0), CAMERA)
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    moved = RigidTransform(turn, np.array([0.1, 0.2, 0.3]))
    point_m = np.array([0.5, 0.6, 2.0])
    there = floor.moved(moved)
    assert there.height_above(moved.apply(point_m)) == pytest.approx(floor.height_above(point_m))
    assert there.as_up().method is UpMethod.FLOOR_PLANE


def test_size_must_fit_the_intrinsics():
    with pytest.raises(InputError, match='10x10'):
        fit_floor(DepthImage(np.zeros((10, 10), np.uint16), 0.001), CAMERA)
