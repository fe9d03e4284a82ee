"""Random rooms with people in known situations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from rs_ml_perception.core.camera import CameraModel

from rs_ml_training.synth.camera import CameraPose, accelerometer_samples
from rs_ml_training.synth.mannequin import SEAT_HEIGHT, Mannequin, Pose
from rs_ml_training.synth.render import (
    DepthNoise,
    Rendering,
    instance_mask,
    mask_box,
    measure_depth,
    render,
)
from rs_ml_training.synth.rig import COLOR_640, COLOR_848, DEPTH_640, DEPTH_848
from rs_ml_training.synth.scene import (
    Box,
    Capsule,
    Plane,
    Primitive,
    Surface,
    SynthClass,
    rotation_about_z,
)

CAMERAS = (DEPTH_848, DEPTH_640, COLOR_848, COLOR_640)


class Situation(Enum):
    """How the person of a view is seen."""

    STANDING = 'standing'
    SITTING = 'sitting'
    LYING = 'lying'
    TRUNCATED = 'truncated'
    FEET_HIDDEN = 'feet hidden'
    HEAD_HIDDEN = 'head hidden'


@dataclass(frozen=True)
class ViewRanges:
    """From what the views are drawn; defaults as people meet a robot.

    Attributes:
        stature_m: of the mannequin.
        distance_m: from the camera to the pelvis along the floor.
        camera_height_m: above the floor.
        max_pitch_deg, max_roll_deg: tilt of the camera either way.
    """

    stature_m: tuple[float, float] = (1.2, 2.0)
    distance_m: tuple[float, float] = (1.5, 5.0)
    camera_height_m: tuple[float, float] = (0.4, 1.6)
    max_pitch_deg: float = 30.0
    max_roll_deg: float = 10.0


@dataclass(frozen=True, eq=False)
class Person:
    """Truth about one person.

    Attributes:
        mannequin: the body.
        height_m: its highest point above the floor.
        box_xyxy: float32 (4,), half-open box around what is visible of it.
        visible_share: visible pixels of those it would have with nothing in front.
        touches_border: whether the image cuts it.
    """

    mannequin: Mannequin
    height_m: float
    box_xyxy: np.ndarray
    visible_share: float
    touches_border: bool


@dataclass(frozen=True, eq=False)
class PersonView:
    """One picture with people and all that is known about it.

    Attributes:
        rendering: exact images.
        depth_mm: uint16 (H, W), as a camera would measure it.
        camera, pose: the camera and where it stands.
        people: whoever is visible.
        accelerometer: float64 (20, 3), m/s2, axes of the optical frame.
    """

    rendering: Rendering
    depth_mm: np.ndarray
    camera: CameraModel
    pose: CameraPose
    people: tuple[Person, ...]
    accelerometer: np.ndarray

    @property
    def up_in_camera(self) -> np.ndarray:
        """Unit vector against gravity in the optical frame, float64 (3,)."""
        return self.pose.up_in_camera


def person_view(
    seed: int,
    situation: Situation = Situation.STANDING,
    *,
    ranges: ViewRanges | None = None,
    noise: DepthNoise | None = None,
    max_tries: int = 500,
) -> PersonView:
    """A random view in which the person is in the situation; the same seed gives the same view.

    Raises:
        ValueError: the ranges allow no such view within `max_tries` draws.
    """
    rng = np.random.default_rng([seed, list(Situation).index(situation)])
    ranges = ViewRanges() if ranges is None else ranges
    for _ in range(max_tries):
        view = _draw(rng, situation, ranges, noise)
        if view is not None:
            return view
    raise ValueError(f'no view with a person {situation.value} in {max_tries} draws from {ranges}')


def _draw(
    rng: np.random.Generator, situation: Situation, ranges: ViewRanges, noise: DepthNoise | None
) -> PersonView | None:
    camera = CAMERAS[rng.integers(len(CAMERAS))]
    person = _draw_person(rng, situation, ranges)
    pose = _draw_pose(rng, person, ranges)
    body = person.primitives()
    alone = instance_mask(body, camera, pose)
    cut = _touches_border(alone)
    if cut != (situation is Situation.TRUNCATED) or np.count_nonzero(alone) < 400:
        return None
    if situation is Situation.TRUNCATED and not _cut_above_or_below(alone):
        return None
    hider = _hider(rng, situation, person, pose)
    clutter = _clutter(rng, person)
    rendering = render([*_room(rng, person), *clutter, *hider, *body], camera, pose)
    visible = rendering.instance_ids == person.instance_id
    share = np.count_nonzero(visible) / np.count_nonzero(alone)
    if not _as_wanted(situation, share, visible, alone):
        return None
    truth = Person(person, person.top_m(), mask_box(visible), share, cut)
    depth_mm = measure_depth(rendering.depth_m, rng, noise)
    samples = accelerometer_samples(pose, rng)
    return PersonView(rendering, depth_mm, camera, pose, (truth,), samples)


def _draw_person(rng: np.random.Generator, situation: Situation, ranges: ViewRanges) -> Mannequin:
    distance, bearing = rng.uniform(*ranges.distance_m), np.radians(rng.uniform(-15, 15))
    pose = {Situation.SITTING: Pose.SITTING, Situation.LYING: Pose.LYING}.get(
        situation, Pose.STANDING
    )
    toward_camera = np.pi + bearing
    spread = np.pi / 2 if pose is Pose.SITTING else np.pi
    return Mannequin(
        stature_m=rng.uniform(*ranges.stature_m),
        pose=pose,
        x=distance * np.cos(bearing),
        y=distance * np.sin(bearing),
        yaw_rad=toward_camera + rng.uniform(-spread, spread),
        arm_angle_rad=rng.uniform(0.05, 0.5),
        stride=rng.uniform(0.0, 0.25),
        clothes=tuple(rng.uniform(0.1, 0.9, 3)),
    )


def _draw_pose(rng: np.random.Generator, person: Mannequin, ranges: ViewRanges) -> CameraPose:
    height_m = rng.uniform(*ranges.camera_height_m)
    # Half of the cameras are aimed at the body, the others look wherever their mount does.
    to_middle = np.arctan2(0.5 * person.top_m() - height_m, np.hypot(person.x, person.y))
    limit = np.radians(ranges.max_pitch_deg)
    pitch = rng.uniform(-limit, limit)
    if rng.random() < 0.5:
        pitch = np.clip(to_middle + rng.normal(0.0, 0.1), -limit, limit)
    roll = np.radians(rng.uniform(-ranges.max_roll_deg, ranges.max_roll_deg))
    return CameraPose(height_m, float(pitch), float(roll), float(rng.uniform(-0.1, 0.1)))


def _touches_border(mask: np.ndarray) -> bool:
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def _cut_above_or_below(mask: np.ndarray) -> bool:
    """Cut by the upper or lower border, with enough of the person left."""
    rows = np.flatnonzero(mask.any(axis=1))
    return bool((mask[0].any() or mask[-1].any()) and np.ptp(rows) > 100)


def _as_wanted(situation: Situation, share: float, visible: np.ndarray, alone: np.ndarray) -> bool:
    """Whether what is visible of the person fits the situation."""
    if np.count_nonzero(visible) < 400:
        return False
    rows, all_rows = (np.flatnonzero(mask.any(axis=1)) for mask in (visible, alone))
    hidden_above = (rows[0] - all_rows[0]) / len(all_rows)
    hidden_below = (all_rows[-1] - rows[-1]) / len(all_rows)
    if situation is Situation.FEET_HIDDEN:
        return hidden_below > 0.08 and hidden_above < 0.01
    if situation is Situation.HEAD_HIDDEN:
        return hidden_above > 0.08 and share > 0.3
    if situation is Situation.STANDING:
        return share > 0.98 and max(hidden_above, hidden_below) < 0.005
    return share > 0.6


def _room(rng: np.random.Generator, person: Mannequin) -> list[Primitive]:
    """Floor, the wall behind the person, two walls aside, now and then a ceiling."""
    floor = Surface(SynthClass.FLOOR, color=tuple(rng.uniform(0.3, 0.7, 3)))
    wall = Surface(SynthClass.WALL, color=tuple(rng.uniform(0.5, 0.95, 3)))
    back = np.array([person.x + rng.uniform(0.6, 3.0), 0.0, 0.0])
    turn = rotation_about_z(np.radians(rng.uniform(-20, 20)))
    planes = [
        Plane(np.zeros(3), np.array([0.0, 0.0, 1.0]), floor),
        Plane(back, turn @ np.array([-1.0, 0.0, 0.0]), wall),
        Plane(np.array([0.0, rng.uniform(1.8, 4.0), 0.0]), np.array([0.0, -1.0, 0.0]), wall),
        Plane(np.array([0.0, -rng.uniform(1.8, 4.0), 0.0]), np.array([0.0, 1.0, 0.0]), wall),
    ]
    if rng.random() < 0.7:
        ceiling = np.array([0.0, 0.0, rng.uniform(2.4, 3.0)])
        planes.append(Plane(ceiling, np.array([0.0, 0.0, -1.0]), wall))
    return planes


def _clutter(rng: np.random.Generator, person: Mannequin) -> list[Primitive]:
    """Boxes and poles around the person, some right beside it; the chair of who sits."""
    things = [_thing(rng, person) for _ in range(rng.integers(2, 7))]
    if person.pose is Pose.SITTING:
        things.append(_chair(person))
    return things


def _thing(rng: np.random.Generator, person: Mannequin) -> Primitive:
    angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.45, 1.8)
    x, y = person.x + away * np.cos(angle), person.y + away * np.sin(angle)
    surface = Surface(SynthClass.CLUTTER, color=tuple(rng.uniform(0.1, 0.9, 3)))
    if rng.random() < 0.25:
        top = rng.uniform(0.5, 2.2)
        return Capsule(
            np.array([x, y, 0.0]), np.array([x, y, top]), rng.uniform(0.02, 0.08), surface
        )
    half = np.array([*rng.uniform(0.08, 0.3, 2), rng.uniform(0.1, 0.9)])
    turn = rotation_about_z(rng.uniform(0, np.pi))
    return Box(np.array([x, y, half[2]]), half, turn, surface)


def _chair(person: Mannequin) -> Primitive:
    half_height = 0.5 * SEAT_HEIGHT * person.stature_m
    forward = rotation_about_z(person.yaw_rad) @ np.array([0.02, 0.0, 0.0])
    center = np.array([person.x, person.y, half_height - 0.005]) + forward
    half = np.array([0.2, 0.2, half_height - 0.005])
    surface = Surface(SynthClass.FURNITURE, color=(0.4, 0.25, 0.15))
    return Box(center, half, rotation_about_z(person.yaw_rad), surface)


def _hider(
    rng: np.random.Generator, situation: Situation, person: Mannequin, pose: CameraPose
) -> Sequence[Primitive]:
    """Something between the camera and the feet, or the head."""
    if situation not in (Situation.FEET_HIDDEN, Situation.HEAD_HIDDEN):
        return ()
    place = np.array([person.x, person.y, 0.0])
    toward = -place / np.linalg.norm(place)
    center = place + toward * rng.uniform(0.4, 0.8)
    half = np.array([0.12, rng.uniform(0.3, 0.6), rng.uniform(0.15, 0.5)])
    center[2] = half[2]
    if situation is Situation.HEAD_HIDDEN:
        half[2] = 0.2
        share = 1 - rng.uniform(0.4, 0.8) / np.linalg.norm(place)
        center[2] = pose.height_m + share * (0.95 * person.stature_m - pose.height_m)
    turn = rotation_about_z(np.arctan2(toward[1], toward[0]))
    return (Box(center, half, turn, Surface(SynthClass.FURNITURE, color=(0.5, 0.4, 0.3))),)
