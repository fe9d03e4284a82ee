"""The generator of rendered people: its truth must be true."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / 'rs_ml_training' / 'src'))

from rs_ml_perception.core.camera import CameraModel
from rs_ml_training.synth.camera import STANDARD_GRAVITY, CameraPose, accelerometer_samples
from rs_ml_training.synth.mannequin import Mannequin, Pose
from rs_ml_training.synth.people import Situation, ViewRanges, person_view
from rs_ml_training.synth.render import (
    DepthNoise,
    mask_box,
    measure_depth,
    render,
)
from rs_ml_training.synth.scene import (
    Box,
    Capsule,
    Ellipsoid,
    Plane,
    rotation_about_z,
)

CAMERA = CameraModel(160, 120, 100.0, 100.0, 79.5, 59.5)
AHEAD = np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
CENTER = np.array([3.0, 0.0, 0.0])
ALONG_X, ALONG_Y = np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]])


@pytest.mark.parametrize(
    ('primitive', 'first'),
    [
        (Plane(CENTER, np.array([-1.0, 0.0, 0.0])), [3.0, np.inf, 3.0]),
        (Ellipsoid(CENTER, np.array([0.5, 1.0, 1.0])), [2.5, np.inf, np.inf]),
        (Capsule(CENTER - ALONG_Y, CENTER + ALONG_Y, 0.25), [2.75, np.inf, np.inf]),
        (Capsule(CENTER, CENTER + ALONG_X, 0.25), [2.75, np.inf, np.inf]),
        (Box(CENTER, np.array([1.0, 0.5, 0.5])), [2.0, np.inf, np.inf]),
        (Box(CENTER, np.ones(3), rotation_about_z(np.pi / 4)), [3 - 2**0.5, np.inf]),
    ],
)
def test_rays_meet_primitives(primitive, first):
    directions = AHEAD[: len(first)]
    np.testing.assert_allclose(primitive.intersect(np.zeros(3), directions), first)


@pytest.mark.parametrize(
    'primitive',
    [
        Ellipsoid(CENTER, np.array([0.5, 0.3, 0.8]), rotation_about_z(0.4)),
        Capsule(CENTER - ALONG_Y * 0.1, CENTER + np.array([0.2, 0.4, 0.6]), 0.2),
        Box(CENTER, np.array([0.4, 0.2, 0.6]), rotation_about_z(0.7)),
    ],
)
def test_normals_face_the_ray_and_moving_moves(primitive):
    directions = CENTER + np.random.default_rng(0).normal(0, 0.1, (200, 3))
    t = primitive.intersect(np.zeros(3), directions)
    hit = np.isfinite(t)
    assert hit.sum() > 50
    normals = primitive.normals(directions[hit] * t[hit, None])
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0)
    assert ((normals * directions[hit]).sum(axis=1) < 1e-9).all()
    turn, shift = rotation_about_z(1.1), np.array([0.1, -0.2, 0.3])
    moved = primitive.moved(turn, shift)
    np.testing.assert_allclose(moved.intersect(shift, directions @ turn.T), t)


def extent_along_z(part: Ellipsoid | Capsule) -> tuple[float, float]:
    if isinstance(part, Capsule):
        ends = part.start[2], part.end[2]
        return min(ends) - part.radius, max(ends) + part.radius
    half = np.linalg.norm(part.rotation[2] * part.radii)
    return part.center[2] - half, part.center[2] + half


@pytest.mark.parametrize('pose', list(Pose))
@pytest.mark.parametrize('stature_m', [1.2, 2.0])
def test_a_body_is_as_high_as_it_says_and_rests_on_the_floor(pose, stature_m):
    body = Mannequin(stature_m, pose, x=4.0, yaw_rad=0.7, stride=0.2)
    low, high = np.transpose([extent_along_z(part) for part in body.primitives()])
    assert low.min() == pytest.approx(0.0, abs=0.005 * stature_m)
    assert high.max() == pytest.approx(body.top_m(), abs=1e-9)


def test_level_floor_has_the_depth_of_geometry():
    floor = Plane(np.zeros(3), np.array([0.0, 0.0, 1.0]))
    rendering = render([floor], CAMERA, CameraPose(1.5))
    y = (np.arange(120) - 59.5) / 100.0
    below = y > 0
    expected = np.broadcast_to((1.5 / y[below])[:, None], (below.sum(), 160))
    np.testing.assert_allclose(rendering.depth_m[below], expected)
    assert np.isinf(rendering.depth_m[~below]).all()
    assert (rendering.class_ids[~below] == 255).all()


@pytest.mark.parametrize(
    ('pose', 'up'),
    [
        (CameraPose(1.0), [0, -1, 0]),
        (CameraPose(1.0, pitch_rad=np.pi / 2), [0, 0, 1]),
        (CameraPose(1.0, roll_rad=np.pi / 2), [-1, 0, 0]),
        (CameraPose(1.0, yaw_rad=1.0), [0, -1, 0]),
    ],
)
def test_tilt_and_accelerometer_agree(pose, up):
    np.testing.assert_allclose(pose.up_in_camera, up, atol=1e-12)
    samples = accelerometer_samples(pose, np.random.default_rng(0), bias=0.0)
    np.testing.assert_allclose(samples.mean(axis=0), np.array(up) * STANDARD_GRAVITY, atol=0.05)


def test_noise_and_holes_are_those_asked_for():
    depth_mm = measure_depth(np.full((480, 640), 3.0), np.random.default_rng(0))
    valid = depth_mm > 0
    assert np.mean(~valid) == pytest.approx(0.10, abs=0.01)
    assert depth_mm[valid].std() / 3000 == pytest.approx(0.01, rel=0.05)
    exact = DepthNoise(relative_stddev=0.0, hole_share=0.0, edge_share=0.0)
    assert (measure_depth(np.full((4, 4), 3.0), np.random.default_rng(0), exact) == 3000).all()
    assert not measure_depth(np.full((4, 4), np.inf), np.random.default_rng(0)).any()


@pytest.mark.parametrize('situation', list(Situation))
def test_views_are_what_they_say(situation):
    for seed in (100, 101):
        view = person_view(seed, situation)
        (person,) = view.people
        mask = view.rendering.instance_ids == person.mannequin.instance_id
        np.testing.assert_array_equal(mask_box(mask), person.box_xyxy)
        assert person.touches_border == (situation is Situation.TRUNCATED)
        if situation is Situation.STANDING:
            assert person.visible_share > 0.98
            assert person.height_m == person.mannequin.stature_m
        assert abs(np.degrees(view.pose.pitch_rad)) <= 30
        assert abs(np.degrees(view.pose.roll_rad)) <= 10


def test_empty_mask_has_no_box():
    assert mask_box(np.zeros((4, 4), bool)) is None


def test_impossible_ranges_are_named():
    with pytest.raises(ValueError, match='no view'):
        person_view(0, ranges=ViewRanges(distance_m=(0.3, 0.4)), max_tries=5)


def test_stature_is_checked():
    with pytest.raises(ValueError, match=r'0\.1'):
        Mannequin(0.1)
