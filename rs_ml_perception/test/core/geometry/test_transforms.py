"""Frames over time: chains, interpolation, limits, and agreement with tf2 where it is."""

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.transforms import (
    MAX_SKEW_NS,
    RigidTransform,
    TransformTree,
    quaternion_xyzw,
)

SECOND_NS = 1_000_000_000


def turned(degrees, x_m=0.0):
    half = np.radians(degrees) / 2
    return RigidTransform.from_quaternion([0, 0, np.sin(half), np.cos(half)], [x_m, 0, 0])


def degrees_of(transform):
    return np.degrees(np.arctan2(transform.rotation[1, 0], transform.rotation[0, 0]))


@pytest.mark.parametrize(
    ('stamp_ns', 'degrees', 'x_m'),
    [
        (SECOND_NS, 0.0, 0.0),
        (SECOND_NS + SECOND_NS // 4, 22.5, 0.5),
        (2 * SECOND_NS, 90.0, 2.0),
        (SECOND_NS - MAX_SKEW_NS, 0.0, 0.0),
        (2 * SECOND_NS + MAX_SKEW_NS, 90.0, 2.0),
        (SECOND_NS - MAX_SKEW_NS - 1, None, None),
        (2 * SECOND_NS + MAX_SKEW_NS + 1, None, None),
    ],
)
def test_a_moving_frame_between_and_around_its_transforms(stamp_ns, degrees, x_m):
    tree = TransformTree()
    tree.add('map', 'base', SECOND_NS, turned(0.0))
    tree.add('map', 'base', 2 * SECOND_NS, turned(90.0, 2.0))
    found = tree.lookup('map', 'base', stamp_ns)
    if degrees is None:
        assert found is None
        return
    assert degrees_of(found) == pytest.approx(degrees)
    assert found.translation_m == pytest.approx([x_m, 0, 0])


def test_frames_that_are_not_connected():
    tree = TransformTree()
    assert tree.lookup('map', 'camera', 0) is None
    tree.set_static('map', 'base', RigidTransform.identity())
    tree.set_static('world', 'camera', RigidTransform.identity())
    assert tree.lookup('base', 'camera', 0) is None
    assert np.array_equal(tree.lookup('nowhere', 'nowhere', 0).rotation, np.eye(3))


def test_stamps_that_go_back_start_over():
    tree = TransformTree()
    tree.add('map', 'base', 9 * SECOND_NS, turned(10.0))
    tree.add('map', 'base', SECOND_NS, turned(20.0))
    assert tree.lookup('map', 'base', 9 * SECOND_NS) is None
    assert degrees_of(tree.lookup('map', 'base', SECOND_NS)) == pytest.approx(20.0)


def test_as_tf2_has_it():
    """A chain of a moving base, a moving head and a fixed camera, at random stamps."""
    tf2_ros = pytest.importorskip('tf2_ros', reason='tf2_ros is not installed')
    from geometry_msgs.msg import TransformStamped
    from rclpy.time import Time

    rng = np.random.default_rng(4)
    tree, buffer = TransformTree(), tf2_ros.Buffer()

    def add(parent, child, stamp_ns):
        q = rng.normal(size=4)
        transform = RigidTransform.from_quaternion(q, rng.normal(size=3))
        msg = TransformStamped(child_frame_id=child)
        msg.header.frame_id, msg.header.stamp = parent, Time(nanoseconds=stamp_ns).to_msg()
        t, r = msg.transform.translation, msg.transform.rotation
        t.x, t.y, t.z = transform.translation_m.tolist()
        r.x, r.y, r.z, r.w = quaternion_xyzw(transform.rotation)
        if child == 'camera':
            tree.set_static(parent, child, transform)
            buffer.set_transform_static(msg, 'test')
        else:
            tree.add(parent, child, stamp_ns, transform)
            buffer.set_transform(msg, 'test')

    add('head', 'camera', 0)
    for i in range(20):
        add('map', 'base', SECOND_NS + i * 50_000_000)
        add('base', 'head', SECOND_NS + i * 70_000_000)
    for stamp_ns in (SECOND_NS + rng.integers(0, 900_000_000, 50)).tolist():
        for target, source in (('map', 'camera'), ('camera', 'map'), ('head', 'base')):
            expected = buffer.lookup_transform(target, source, Time(nanoseconds=stamp_ns))
            found = tree.lookup(target, source, stamp_ns)
            t, r = expected.transform.translation, expected.transform.rotation
            assert found.translation_m == pytest.approx([t.x, t.y, t.z], abs=1e-6)
            q = np.array([r.x, r.y, r.z, r.w])
            assert abs(q @ quaternion_xyzw(found.rotation)) == pytest.approx(1.0, abs=1e-9)


HALF = np.sqrt(0.5)


def random_transform(seed):
    rng = np.random.default_rng(seed)
    return RigidTransform(cv2.Rodrigues(rng.normal(size=3))[0], rng.normal(size=3))


def matrix(transform):
    whole = np.eye(4)
    whole[:3, :3], whole[:3, 3] = transform.rotation, transform.translation_m
    return whole


@pytest.mark.parametrize('shape', [(0, 3), (3,), (5, 3), (2, 4, 3)])
def test_apply_keeps_the_shape(shape):
    points_m = np.random.default_rng(1).normal(size=shape)
    moved = random_transform(2).apply(points_m)
    assert moved.shape == shape
    whole = matrix(random_transform(2))
    np.testing.assert_allclose(moved, points_m @ whole[:3, :3].T + whole[:3, 3])


def test_identity_moves_nothing():
    points_m = np.array([[1.0, 2.0, -3.5], [np.nan] * 3])
    np.testing.assert_array_equal(RigidTransform.identity().apply(points_m), points_m)


@pytest.mark.parametrize('seed', range(5))
def test_product_and_inverse(seed):
    a, b = random_transform(seed), random_transform(seed + 100)
    np.testing.assert_allclose(matrix(a @ b), matrix(a) @ matrix(b), atol=1e-12)
    np.testing.assert_allclose(matrix(a @ a.inverse()), np.eye(4), atol=1e-12)


@pytest.mark.parametrize(
    ('xyzw', 'source', 'target'),
    [
        ((0, 0, 0, 1), (1, 2, 3), (1, 2, 3)),
        ((0, 0, HALF, HALF), (1, 0, 0), (0, 1, 0)),
        ((HALF, 0, 0, HALF), (0, 1, 0), (0, 0, 1)),
        ((0, HALF, 0, HALF), (0, 0, 1), (1, 0, 0)),
        ((0, 0, 2 * HALF, 2 * HALF), (1, 0, 0), (0, 1, 0)),
        # The optical frame in the camera's body frame (REP-103): z forward becomes x.
        ((-0.5, 0.5, -0.5, 0.5), (0, 0, 1), (1, 0, 0)),
    ],
)
def test_quaternions_are_in_ros_order(xyzw, source, target):
    transform = RigidTransform.from_quaternion(np.array(xyzw, float), np.zeros(3))
    np.testing.assert_allclose(transform.apply(np.array(source, float)), target, atol=1e-12)


@pytest.mark.parametrize('xyzw', [(0, 0, 0, 0), (np.nan, 0, 0, 1)])
def test_a_quaternion_without_length_is_rejected(xyzw):
    with pytest.raises(InputError, match='no rotation'):
        RigidTransform.from_quaternion(np.array(xyzw, float), np.zeros(3))


@pytest.mark.parametrize(
    ('rotation', 'translation_m'),
    [
        (2 * np.eye(3), np.zeros(3)),
        (np.diag([1, 1, -1]), np.zeros(3)),
        (np.full((3, 3), np.nan), np.zeros(3)),
        (np.eye(3), np.array([0, np.inf, 0])),
    ],
)
def test_other_matrices_are_not_rigid(rotation, translation_m):
    with pytest.raises(InputError, match='not a rigid transform'):
        RigidTransform(rotation, translation_m)


def test_a_product_that_overflows_is_no_transform():
    far = RigidTransform(np.eye(3), np.full(3, 1e308))
    with pytest.raises(InputError, match='not a rigid transform'):
        far @ far
