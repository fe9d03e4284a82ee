"""Rigid transforms against matrices."""

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.rigid import RigidTransform

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
def test_what_is_not_rigid_is_rejected(rotation, translation_m):
    with pytest.raises(InputError, match='not a rigid transform'):
        RigidTransform(rotation, translation_m)


def test_a_product_that_overflows_is_no_transform():
    far = RigidTransform(np.eye(3), np.full(3, 1e308))
    with pytest.raises(InputError, match='not a rigid transform'):
        far @ far
