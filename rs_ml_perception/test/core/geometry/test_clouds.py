"""Points, normals, edges and files of clouds."""

from __future__ import annotations

import numpy as np
from rs_ml_perception.core.geometry import clouds
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.projection import camera_rays

CAMERA = CameraModel(16, 12, 20.0, 20.0, 7.5, 5.5)
DEPTH_M = np.tile(np.linspace(1, 4, 16, dtype=np.float32), (12, 1))
IMAGE = np.full((12, 16, 3), 99, np.uint8)


def test_normals_of_planes_face_the_camera() -> None:
    wall = clouds.normals_of(clouds.points_of(np.full((12, 16), 2.0), CAMERA))
    np.testing.assert_allclose(
        wall[1:-1, 1:-1], np.broadcast_to([0, 0, -1], (10, 14, 3)), atol=1e-6
    )
    assert np.isnan(wall[0]).all()
    rays = camera_rays(CAMERA)
    floor_m = np.where(rays[..., 1] > 0.01, 1.5 / np.maximum(rays[..., 1], 0.01), 0)
    floor = clouds.normals_of(clouds.points_of(floor_m, CAMERA))
    known = np.isfinite(floor).all(axis=2)
    assert known.sum() > 40
    np.testing.assert_allclose(
        floor[known], np.broadcast_to([0, -1, 0], floor[known].shape), atol=1e-5
    )


def test_points_of_a_panorama_lie_on_its_sphere() -> None:
    points = clouds.points_of(np.full((32, 64), 3.0), None)
    np.testing.assert_allclose(np.linalg.norm(points, axis=2), 3.0, rtol=1e-6)
    assert points[16, 32, 2] > 2.9  # the middle is ahead
    assert points[0, 10, 1] < -2.9  # the first row is up
    assert points[16, 48, 0] > 2.9  # three quarters across is to the right
    normals = clouds.normals_of(points)
    inner = np.isfinite(normals).all(axis=2)
    assert (-(normals[inner] * points[inner]).sum(axis=1) / 3 > 0.99).all()


def _vertices(data: bytes) -> np.ndarray:
    header, _, body = data.partition(b'end_header\n')
    count = int(header.split(b'element vertex ')[1].split()[0])
    vertices = np.frombuffer(body, [('xyz', '<f4', 3), ('rgb', 'u1', 3)])
    assert len(vertices) == count
    return vertices


def test_cloud_holds_known_points() -> None:
    depth_m = DEPTH_M.copy()
    depth_m[0], depth_m[1] = 0, np.nan
    vertices = _vertices(clouds.ply_bytes(clouds.points_of(depth_m, CAMERA), IMAGE))
    assert len(vertices) == 10 * 16
    assert (vertices['rgb'] == 99).all()
    np.testing.assert_allclose(vertices['xyz'][:, 2], np.tile(DEPTH_M[0], 10), rtol=1e-6)
    nothing = clouds.points_of(np.zeros((12, 16)), CAMERA)
    assert len(_vertices(clouds.ply_bytes(nothing, IMAGE))) == 0


def test_edges_are_where_depth_jumps() -> None:
    depth_m = np.full((12, 16), 1.0, np.float32)
    depth_m[:, 8:] = 3.0
    edge = clouds.is_edge(depth_m)
    assert edge[:, 7:9].all()
    assert not edge[:, :7].any()
    assert not edge[:, 9:].any()
    assert not clouds.is_edge(np.zeros((4, 4))).any()


def test_smeared_edges_are_found_and_slopes_are_none() -> None:
    smeared = np.interp(np.arange(24), [8, 16], [1.0, 2.0]).astype(np.float32)
    slope = np.linspace(2.0, 2.4, 24).astype(np.float32)
    assert clouds.is_edge(np.tile(smeared, (5, 1)))[:, 9:15].all()
    assert not clouds.is_edge(np.tile(slope, (5, 1))).any()
