"""The growth of outlines by a driver's alignment is recognised and undone."""

from dataclasses import replace

import numpy as np
import pytest
from rs_ml_perception.core.frames.aligned_depth import without_overlap
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.registration import register_depth
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage

DEPTH_CAMERA = CameraModel(424, 240, 210.0, 210.0, 211.5, 119.5)
CAMERA = CameraModel(424, 240, 305.0, 305.0, 211.5, 119.5)
ASIDE = RigidTransform(np.eye(3), np.array([0.015, 0.0, 0.0]))
WALL_MM, NOISE_MM = 3000, 60
MAN = np.s_[100:140, 200:220]


def noisy_wall(dtype=np.uint16) -> DepthImage:
    rng = np.random.default_rng(0)
    values = rng.normal(WALL_MM, NOISE_MM, (240, 424))
    return DepthImage(np.rint(values).astype(dtype), 0.001)


def aligned(depth: DepthImage) -> DepthImage:
    return register_depth(depth, DEPTH_CAMERA, CAMERA, ASIDE)


def frame(depth: DepthImage) -> Frame:
    return Frame(depth=depth, camera=CAMERA)


def smooth() -> DepthImage:
    v, u = np.mgrid[:240, :424]
    return DepthImage((2000 + 300 * np.sin(u / 9) * np.cos(v / 7)).astype(np.uint16), 0.001)


@pytest.mark.parametrize('dtype', [np.uint16, np.float32])
@pytest.mark.parametrize(
    ('make', 'is_wide'),
    [
        (lambda: DepthImage(np.zeros((240, 424), np.uint16), 0.001), False),
        (lambda: aligned(noisy_wall()), True),
        (noisy_wall, False),
        (smooth, False),
    ],
    ids=['no depth', 'aligned', 'noise of its own', 'ripples'],
)
def test_depth_aligned_by_a_driver_is_recognised(make, is_wide, dtype):
    depth = make()
    values = depth.values.astype(dtype)
    if dtype is np.float32:
        values[values == 0] = np.nan
    seen = frame(replace(depth, values=values))
    assert (without_overlap(seen) is not seen) == is_wide


@pytest.mark.parametrize(
    'untouched',
    [
        Frame(depth=noisy_wall(), camera=CAMERA),
        Frame(
            depth=aligned(noisy_wall()),
            camera=CAMERA,
            depth_camera=DEPTH_CAMERA,
            color_from_depth=ASIDE,
        ),
    ],
    ids=['noise of its own', 'not aligned'],
)
def test_other_depth_stays_as_it_is(untouched):
    assert without_overlap(untouched) is untouched


def test_the_nearest_of_neighbours_no_longer_wins():
    before = aligned(noisy_wall())
    after = without_overlap(frame(before)).depth
    assert np.nanmedian(before.depth_m) < 0.001 * (WALL_MM - 0.4 * NOISE_MM)
    assert np.nanmedian(after.depth_m) == pytest.approx(0.001 * WALL_MM, abs=3e-4 * NOISE_MM)


def test_outlines_are_where_they_were():
    scene = noisy_wall()
    scene.values[MAN] = 1500
    found = without_overlap(frame(aligned(scene)))
    rows, columns = np.nonzero(found.depth.depth_m < 2.0)
    camera, scale = found.depth_camera, CAMERA.fy / DEPTH_CAMERA.fy
    shift = CAMERA.fx * ASIDE.translation_m[0] / 1.5
    seen_v = np.array([rows.min(), rows.max() + 1]) - 0.5 - camera.cy
    seen_u = np.array([columns.min(), columns.max() + 1]) - 0.5 - camera.cx - shift
    v, u = np.array([100, 140]) - 0.5 - 119.5, np.array([200, 220]) - 0.5 - 211.5
    np.testing.assert_allclose(seen_v, v * scale, atol=0.6)
    np.testing.assert_allclose(seen_u, u * scale, atol=0.6)


def test_where_nothing_is_seen_stays_empty():
    scene = noisy_wall()
    scene.values[:, 200:] = 0
    found = without_overlap(frame(aligned(scene)))
    assert found.color_from_depth is not None
    assert np.isnan(found.depth.depth_m[:, 230:400]).all()
    assert found.depth.values.dtype == np.uint16
