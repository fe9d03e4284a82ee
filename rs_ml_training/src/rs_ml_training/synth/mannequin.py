"""Bodies of known height from ellipsoids and capsules.

Lengths of the segments as shares of the stature are those of Drillis and Contini, "Body segment
parameters" (1966), as reprinted in Winter, "Biomechanics and motor control of human movement".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from rs_ml_training.synth.scene import (
    Capsule,
    Ellipsoid,
    Primitive,
    Surface,
    SynthClass,
    rotation_about_y,
    rotation_about_z,
)

SKIN = (0.85, 0.65, 0.52)
SEAT_HEIGHT = 0.25
"""Height of a chair's seat as a share of the sitter's stature."""

_HIP, _KNEE, _ANKLE, _SHOULDER = 0.53, 0.285, 0.045, 0.79
_HIP_SIDE, _SHOULDER_SIDE = 0.05, 0.115
_FOOT_RADIUS, _HEEL, _FOOT = 0.022, -0.025, 0.12
_BACK = 0.065
_THIGH = _HIP - _KNEE


class Pose(Enum):
    """What a body does."""

    STANDING = 'standing'
    SITTING = 'sitting'
    LYING = 'lying'


@dataclass(frozen=True)
class Mannequin:
    """One person.

    Attributes:
        stature_m: height when standing upright.
        pose: what the body does.
        x, y: place on the floor (of the pelvis), metres.
        yaw_rad: heading, 0 looks along +x.
        arm_angle_rad: how far the arms are spread from the trunk.
        stride: distance between the feet of who stands along the heading, as a share of the
            stature.
        instance_id: id in the instance mask.
        clothes: RGB in 0..1.
    """

    stature_m: float
    pose: Pose = Pose.STANDING
    x: float = 0.0
    y: float = 0.0
    yaw_rad: float = 0.0
    arm_angle_rad: float = 0.15
    stride: float = 0.0
    instance_id: int = 1
    clothes: tuple[float, float, float] = (0.2, 0.3, 0.6)

    def __post_init__(self) -> None:
        if not 0.3 <= self.stature_m <= 2.6:
            raise ValueError(f'stature_m must be within 0.3 to 2.6 m, got {self.stature_m}')

    def primitives(self) -> list[Primitive]:
        """The body in world coordinates, its lowest point on the floor."""
        body = self._body()
        turn = rotation_about_z(self.yaw_rad)
        place = np.array([self.x, self.y, 0.0])
        return [part.moved(turn, place) for part in body]

    def top_m(self) -> float:
        """Height of the highest point of the body above the floor."""
        return {
            Pose.STANDING: self.stature_m,
            Pose.SITTING: self.stature_m * (1.0 - self._sitting_drop()),
            Pose.LYING: self.stature_m * (_BACK + _HEEL + _FOOT + _FOOT_RADIUS),
        }[self.pose]

    def _surface(self, color: tuple[float, float, float]) -> Surface:
        return Surface(SynthClass.PERSON, self.instance_id, color)

    @staticmethod
    def _sitting_drop() -> float:
        """How much lower the trunk is than in standing: the pelvis rests on the seat."""
        return _HIP - 0.07 - SEAT_HEIGHT

    def _body(self) -> list[Primitive]:
        if self.pose is Pose.SITTING:
            drop = np.array([0.0, 0.0, -self._sitting_drop() * self.stature_m])
            trunk = [part.moved(np.eye(3), drop) for part in self._trunk()]
            return trunk + self._sitting_legs()
        if self.pose is Pose.STANDING:
            return self._trunk() + self._standing_legs(self.stride)
        body = self._trunk() + self._standing_legs(0.0)
        # On the back: the body's forward becomes up, its up points against the heading.
        flat = rotation_about_y(-np.pi / 2)
        raise_to_floor = np.array([0.5, 0.0, _BACK]) * self.stature_m
        return [part.moved(flat, raise_to_floor) for part in body]

    def _trunk(self) -> list[Primitive]:
        """Head, neck, torso and arms of a body that stands."""
        s, skin, cloth = self.stature_m, self._surface(SKIN), self._surface(self.clothes)
        shoulders = [np.array([0.0, side * 0.075, _SHOULDER - 0.01]) * s for side in (-1, 1)]
        neck = np.array([[0.0, 0.0, 0.80], [0.0, 0.0, 0.88]]) * s
        ellipsoids = [
            ((0.0, 0.0, 0.935), (0.055, 0.043, 0.065), skin),
            ((0.0, 0.0, 0.68), (0.065, 0.095, 0.145), cloth),
            ((0.0, 0.0, 0.53), (0.065, 0.092, 0.07), cloth),
        ]
        parts: list[Primitive] = [
            Ellipsoid(np.array(center) * s, np.array(radii) * s, surface=surface)
            for center, radii, surface in ellipsoids
        ]
        parts.append(Capsule(neck[0], neck[1], 0.033 * s, skin))
        parts.append(Capsule(shoulders[0], shoulders[1], 0.045 * s, cloth))
        for side in (-1, 1):
            parts.extend(self._arm(side))
        return parts

    def _arm(self, side: int) -> list[Primitive]:
        s, angle = self.stature_m, self.arm_angle_rad
        hang = np.array([0.06, side * np.sin(angle), -np.cos(angle)])
        shoulder = np.array([0.0, side * _SHOULDER_SIDE, _SHOULDER])
        elbow = shoulder + 0.186 * hang
        wrist = elbow + 0.20 * hang
        return [
            Capsule(shoulder * s, elbow * s, 0.027 * s, self._surface(self.clothes)),
            Capsule(elbow * s, wrist * s, 0.021 * s, self._surface(SKIN)),
        ]

    def _standing_legs(self, stride: float) -> list[Primitive]:
        parts: list[Primitive] = []
        for side in (-1, 1):
            hip = np.array([0.0, side * _HIP_SIDE, _HIP - 0.02])
            ankle = np.array([side * 0.5 * stride, side * _HIP_SIDE, _ANKLE])
            knee = 0.5 * (hip + ankle) + np.array([0.01, 0.0, 0.0])
            parts.extend(self._leg(hip, knee, ankle))
        return parts

    def _sitting_legs(self) -> list[Primitive]:
        parts: list[Primitive] = []
        for side in (-1, 1):
            hip = np.array([0.0, side * _HIP_SIDE, SEAT_HEIGHT + 0.047])
            knee = hip + np.array([_THIGH, side * 0.02, 0.0])
            ankle = np.array([knee[0] + 0.01, knee[1], _ANKLE])
            parts.extend(self._leg(hip, knee, ankle))
        return parts

    def _leg(self, hip: np.ndarray, knee: np.ndarray, ankle: np.ndarray) -> list[Primitive]:
        s, cloth = self.stature_m, self._surface(self.clothes)
        heel = np.array([ankle[0] + _HEEL, ankle[1], _FOOT_RADIUS])
        toe = heel + np.array([_FOOT, 0.0, 0.0])
        return [
            Capsule(hip * s, knee * s, 0.046 * s, cloth),
            Capsule(knee * s, ankle * s, 0.032 * s, cloth),
            Capsule(heel * s, toe * s, _FOOT_RADIUS * s, self._surface((0.1, 0.1, 0.1))),
        ]
