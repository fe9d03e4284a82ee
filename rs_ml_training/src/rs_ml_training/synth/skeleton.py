"""Joints of a body in many postures.

Lengths as fractions of the stature are those of Drillis and Contini, "Body segment parameters"
(1966), as reprinted in Winter, "Biomechanics and motor control of human movement". The body looks
along +x, its left is +y, z is up; all lengths are fractions of the stature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_training.synth.frame import Posture
from rs_ml_training.synth.numerics import rotation_about_y, rotation_about_z

HIP, THIGH, SHANK, SOLE = 0.530, 0.245, 0.246, 0.039
SHOULDER_UP, SHOULDER_SIDE, HIP_SIDE = 0.270, 0.113, 0.052
UPPER_ARM, FOREARM = 0.186, 0.152
SEAT_OVER_HIP = 0.062
"""Height of the hip joint above the seat."""
LIE_OVER_FLOOR = 0.072


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Where the joints are.

    Attributes:
        pelvis: (3,), between the joints of the hips.
        trunk: (3, 3), axes of the trunk in those of the body.
        head: (3, 3), axes of the head in those of the body.
        legs: hip, knee, ankle of the right and the left leg, (2, 3, 3).
        feet: heading of each foot, (2, 3, 3) rotations.
        arms: shoulder, elbow, wrist of the right and the left arm, (2, 3, 3).
    """

    pelvis: np.ndarray
    trunk: np.ndarray
    head: np.ndarray
    legs: np.ndarray
    feet: np.ndarray
    arms: np.ndarray


def posed(
    posture: Posture, rng: np.random.Generator, *, seat: float = 0.26, step: float | None = None
) -> Skeleton:
    """A body that stands, walks, sits, bends or lies; soles of standing people are at 0.

    Args:
        posture: of the body.
        rng: how exactly.
        seat: height of the seat as a fraction of the stature.
        step: where in two steps a walking body is, 0..1; None: one foot far ahead.
    """
    return {
        Posture.STANDING: _standing,
        Posture.WALKING: lambda rng: _walking(rng, step),
        Posture.SITTING: lambda rng: _sitting(rng, seat),
        Posture.BENT: _bent,
        Posture.LYING: _lying,
    }[posture](rng)


def _standing(rng: np.random.Generator) -> Skeleton:
    legs = [_leg(side, HIP, 0.0, 0.0) for side in (-1, 1)]
    feet = [rotation_about_z(side * rng.uniform(0, 0.4)) for side in (-1, 1)]
    turn = rotation_about_z(rng.normal(0, 0.1))
    head = turn @ rotation_about_z(rng.normal(0, 0.4))
    return _assembled(HIP, turn, head, legs, feet, _arms(rng))


def _walking(rng: np.random.Generator, step: float | None) -> Skeleton:
    stride, phase = rng.uniform(0.25, 0.5), rng.choice([-1, 1])
    if step is not None:
        phase = np.sin(2 * np.pi * step)
    hips = [phase * side * stride for side in (-1, 1)]
    bends = [rng.uniform(0.05, 0.15) if hip > 0 else rng.uniform(0.1, 0.6) for hip in hips]
    low = [
        _leg(side, 0.0, hip, bend) for side, hip, bend in zip((-1, 1), hips, bends, strict=True)
    ]
    pelvis = SOLE - min(leg[2, 2] for leg in low)
    legs = [leg + np.array([0, 0, pelvis]) for leg in low]
    feet = [rotation_about_y(-0.6 * min(hip, 0) + 0.3 * min(-hip, 0)) for hip in hips]
    trunk = rotation_about_y(rng.uniform(0.0, 0.12))
    arms = [
        _arm(side, -1.2 * hip, 0.12, rng.uniform(0.2, 0.8))
        for side, hip in zip((-1, 1), hips, strict=True)
    ]
    return _assembled(pelvis, trunk, _nod(rng, trunk), legs, feet, arms)


def _sitting(rng: np.random.Generator, seat: float) -> Skeleton:
    pelvis = seat + SEAT_OVER_HIP
    legs = []
    for side in (-1, 1):
        spread, reach = side * rng.uniform(-0.02, 0.1), rng.uniform(-0.12, 0.2)
        hip = np.array([0.0, side * HIP_SIDE, pelvis])
        rise = np.clip((SOLE + SHANK * np.cos(reach) - pelvis) / THIGH, -0.5, 0.8)
        flat = np.sqrt(1 - rise**2)
        knee = hip + THIGH * np.array([flat * np.cos(spread), flat * np.sin(spread), rise])
        ankle = knee + SHANK * np.array([np.sin(reach), 0, -np.cos(reach)])
        legs.append(np.stack([hip, knee, ankle]))
    feet = [rotation_about_z(side * rng.uniform(0, 0.3)) for side in (-1, 1)]
    trunk = rotation_about_y(rng.uniform(-0.35, 0.35))
    lap = [
        _arm(side, rng.uniform(0.1, 0.8), rng.uniform(0.05, 0.3), rng.uniform(0.7, 1.5))
        for side in (-1, 1)
    ]
    arms = lap if rng.random() < 0.75 else _arms(rng)
    return _assembled(pelvis, trunk, _nod(rng, trunk), legs, feet, arms)


def _bent(rng: np.random.Generator) -> Skeleton:
    crouching = rng.random() < 0.4
    bend = rng.uniform(1.6, 2.3) if crouching else rng.uniform(0.0, 0.5)
    hip = 0.55 * bend
    low = [_leg(side, 0.0, hip + rng.normal(0, 0.05), bend) for side in (-1, 1)]
    pelvis = SOLE - min(leg[2, 2] for leg in low)
    legs = [leg + np.array([0, 0, pelvis]) for leg in low]
    lean = rng.uniform(0.2, 0.7) if crouching else rng.uniform(0.6, 1.6)
    trunk = rotation_about_y(lean)
    arms = [
        _arm(side, lean + rng.uniform(-0.3, 0.7), 0.1, rng.uniform(0.0, 0.6)) for side in (-1, 1)
    ]
    head = rotation_about_y(lean * rng.uniform(0.4, 1.0)) @ rotation_about_z(rng.normal(0, 0.3))
    # A bending person moves the hips back: the feet stay below the weight.
    feet = [np.eye(3)] * 2
    return _assembled(pelvis, trunk, head, legs, feet, arms)


def _lying(rng: np.random.Generator) -> Skeleton:
    """On the back, the head towards -x."""
    flat = rotation_about_y(-np.pi / 2)
    upright = [
        _leg(side, 0.0, h := rng.uniform(0, 0.5) * (rng.random() < 0.4), 2 * h) for side in (-1, 1)
    ]
    legs = [leg @ flat.T + [0, 0, LIE_OVER_FLOOR] for leg in upright]
    feet = [flat @ rotation_about_z(side * rng.uniform(0.2, 0.7)) for side in (-1, 1)]
    arms = [
        _arm(side, rng.uniform(-0.1, 0.3), rng.uniform(0.1, 0.9), rng.uniform(0, 0.4))
        for side in (-1, 1)
    ]
    head = flat @ rotation_about_z(rng.normal(0, 0.5))
    return _assembled(LIE_OVER_FLOOR, flat, head, legs, feet, arms)


def _nod(rng: np.random.Generator, trunk: np.ndarray) -> np.ndarray:
    """A head nearly upright above a trunk that leans a little."""
    lean = np.arctan2(trunk[0, 2], trunk[2, 2])
    nod = rotation_about_y(0.3 * lean + rng.uniform(-0.1, 0.35))
    return rotation_about_z(rng.normal(0, 0.5)) @ nod


def _leg(side: int, pelvis: float, forward: float, bend: float) -> np.ndarray:
    """Hip, knee, ankle (3, 3); `forward` lifts the thigh, `bend` the shank backwards [rad]."""
    hip = np.array([0.0, side * HIP_SIDE, pelvis])
    knee = hip + THIGH * np.array([np.sin(forward), 0.0, -np.cos(forward)])
    back = forward - bend
    ankle = knee + SHANK * np.array([np.sin(back), 0.0, -np.cos(back)])
    return np.stack([hip, knee, ankle])


def _arm(side: int, forward: float, aside: float, bend: float) -> np.ndarray:
    """Shoulder, elbow, wrist (3, 3) in the axes of the trunk, from the pelvis."""
    shoulder = np.array([0.0, side * SHOULDER_SIDE, SHOULDER_UP])
    flat = np.cos(aside)
    upper = np.array([np.sin(forward) * flat, side * np.sin(aside), -np.cos(forward) * flat])
    ahead = forward + bend
    lower = np.array([np.sin(ahead), side * np.sin(aside) * np.cos(bend), -np.cos(ahead)])
    lower[1] -= side * 0.3 * np.sin(bend)
    elbow = shoulder + UPPER_ARM * upper
    return np.stack([shoulder, elbow, elbow + FOREARM * lower / np.linalg.norm(lower)])


def _arms(rng: np.random.Generator) -> list[np.ndarray]:
    """Hanging, folded, on the hips, carrying, pointing; never above the head."""
    kind = rng.choice(['hang', 'fold', 'hips', 'carry', 'point'], p=[0.45, 0.12, 0.1, 0.2, 0.13])
    if kind == 'fold':
        return [_arm(side, 0.35, 0.15, 1.75) for side in (-1, 1)]
    if kind == 'hips':
        return [_arm(side, -0.3, 0.75, 1.2) for side in (-1, 1)]
    if kind == 'carry':
        return [_arm(s, rng.uniform(0, 0.5), 0.15, rng.uniform(0.9, 1.8)) for s in (-1, 1)]
    arms = [
        _arm(s, rng.normal(0, 0.12), rng.uniform(0.06, 0.3), rng.uniform(0, 0.5)) for s in (-1, 1)
    ]
    if kind == 'point':
        side = int(rng.integers(2))
        arms[side] = _arm(
            2 * side - 1, rng.uniform(0.6, 1.5), rng.uniform(0, 0.5), rng.uniform(0, 0.5)
        )
    return arms


def _assembled(
    pelvis: float,
    trunk: np.ndarray,
    head: np.ndarray,
    legs: list[np.ndarray],
    feet: list[np.ndarray],
    arms: list[np.ndarray],
) -> Skeleton:
    place = np.array([0.0, 0.0, pelvis])
    hung = np.stack([arm @ trunk.T + place for arm in arms])
    return Skeleton(place, trunk, head, np.stack(legs), np.stack(feet), hung)
