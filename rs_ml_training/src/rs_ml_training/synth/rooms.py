"""Random rooms for a camera that looks at furniture, clutter and now and then a person."""

from __future__ import annotations

import numpy as np

from rs_ml_training.synth.camera import CameraPose
from rs_ml_training.synth.mannequin import Mannequin, Pose
from rs_ml_training.synth.scene import (
    Box,
    Capsule,
    Ellipsoid,
    Plane,
    Primitive,
    Surface,
    SynthClass,
    rotation_about_y,
    rotation_about_z,
)

PERSON_SHARE = 0.5


def random_room(rng: np.random.Generator) -> tuple[list[Primitive], CameraPose]:
    """A room and a camera in it.

    Returns:
        Everything that can be seen, and where the camera stands.
    """
    pose = CameraPose(
        height_m=rng.uniform(0.3, 1.7),
        pitch_rad=np.radians(rng.uniform(-30, 10)),
        roll_rad=np.radians(rng.normal(0, 4)),
        yaw_rad=np.radians(rng.uniform(-20, 20)),
    )
    depth_m = rng.uniform(1.5, 7.0)
    things = [_thing(rng, depth_m) for _ in range(rng.integers(3, 14))]
    if rng.random() < PERSON_SHARE:
        things += _person(rng, depth_m).primitives()
    return [*_walls(rng, depth_m), *things], pose


def _walls(rng: np.random.Generator, depth_m: float) -> list[Primitive]:
    floor, wall = (
        Surface(kind, color=_color(rng)) for kind in (SynthClass.FLOOR, SynthClass.WALL)
    )
    turn = rotation_about_z(np.radians(rng.uniform(-25, 25)))
    aside_m = rng.uniform(1.2, 4.0, 2)
    return [
        Plane(np.zeros(3), np.array([0.0, 0.0, 1.0]), floor),
        Plane(np.array([depth_m, 0.0, 0.0]), turn @ np.array([-1.0, 0.0, 0.0]), wall),
        Plane(np.array([0.0, aside_m[0], 0.0]), np.array([0.0, -1.0, 0.0]), wall),
        Plane(np.array([0.0, -aside_m[1], 0.0]), np.array([0.0, 1.0, 0.0]), wall),
        Plane(np.array([0.0, 0.0, rng.uniform(2.3, 3.2)]), np.array([0.0, 0.0, -1.0]), wall),
    ]


def _thing(rng: np.random.Generator, depth_m: float) -> Primitive:
    """A box, pole or ball somewhere before the wall, standing or floating."""
    distance = rng.uniform(0.5, depth_m)
    x, y = distance, distance * rng.uniform(-0.9, 0.9)
    z = rng.uniform(0.0, 1.8) if rng.random() < 0.5 else 0.0
    surface = Surface(SynthClass.CLUTTER, color=_color(rng))
    kind = rng.integers(3)
    if kind == 0:
        half = rng.uniform(0.03, 0.35, 3)
        turn = rotation_about_z(rng.uniform(0, np.pi)) @ rotation_about_y(rng.normal(0, 0.3))
        return Box(np.array([x, y, z + half[2]]), half, turn, surface)
    if kind == 1:
        tip = np.array([x, y, z]) + rng.normal(0, 0.3, 3) + [0, 0, rng.uniform(0.3, 1.2)]
        return Capsule(np.array([x, y, z]), tip, rng.uniform(0.008, 0.08), surface)
    radii = rng.uniform(0.04, 0.3, 3)
    return Ellipsoid(np.array([x, y, z + radii[2]]), radii, np.eye(3), surface)


def _person(rng: np.random.Generator, depth_m: float) -> Mannequin:
    distance = rng.uniform(0.8, max(depth_m - 0.4, 1.0))
    return Mannequin(
        stature_m=rng.uniform(1.2, 2.0),
        pose=Pose.SITTING if rng.random() < 0.3 else Pose.STANDING,
        x=distance,
        y=distance * rng.uniform(-0.5, 0.5),
        yaw_rad=rng.uniform(0, 2 * np.pi),
        arm_angle_rad=rng.uniform(0.05, 0.9),
        stride=rng.uniform(0.0, 0.3),
        clothes=_color(rng),
    )


def _color(rng: np.random.Generator) -> tuple[float, float, float]:
    """Of low saturation; one in seven swallows almost all light, as black screens do."""
    gray = rng.uniform(0.05, 0.95) if rng.random() < 6 / 7 else rng.uniform(0.005, 0.03)
    return tuple(np.clip(gray * rng.normal(1, 0.2, 3), 0.005, 1))
