"""Rendered views of one person in a known situation, for tests of heights.

The body is a mesh of the synthetic world, in a bare room with boxes around it; the camera stands
anywhere a robot's may. Truth is exact, depth has noise, holes and mixed pixels at edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.synth.body import Outfit, person
from rs_ml_training.synth.camera import (
    COLOR_640,
    COLOR_848,
    DEPTH_640,
    DEPTH_848,
    CameraPose,
    accelerometer_samples,
)
from rs_ml_training.synth.frame import PeopleTruth, Posture
from rs_ml_training.synth.furnishing import Inhabitant
from rs_ml_training.synth.gbuffer import PosedCamera, camera_rays
from rs_ml_training.synth.materials import MaterialMaker
from rs_ml_training.synth.mesh import Mesh
from rs_ml_training.synth.numerics import rotation_about_z
from rs_ml_training.synth.props import LABEL
from rs_ml_training.synth.ray_scene import Part, RayScene
from rs_ml_training.synth.solids import box
from rs_ml_training.synth.truth import people_of

CAMERAS = (DEPTH_848, DEPTH_640, COLOR_848, COLOR_640)
SEAT = 0.25
"""Height of a seat as a fraction of the sitter's stature."""
MAX_TRIES = 500


class Situation(Enum):
    """How the person of a view is seen."""

    STANDING = 'standing'
    SITTING = 'sitting'
    LYING = 'lying'
    TRUNCATED = 'truncated'
    FEET_HIDDEN = 'feet hidden'
    HEAD_HIDDEN = 'head hidden'


@dataclass(frozen=True, eq=False)
class PersonView:
    """One image of one person with its truth.

    Attributes:
        depth_mm: uint16 (H, W), with noise; 0 where invalid.
        camera: intrinsics.
        pose: of the camera.
        box_xyxy: float32 (4,), half-open box around the visible pixels.
        stature_m: of the person when upright.
        top_m: highest point of the body above the floor.
        accelerometer: float64 (20, 3), m/s2, axes of the optical frame.
    """

    depth_mm: np.ndarray
    camera: CameraModel
    pose: CameraPose
    box_xyxy: np.ndarray
    stature_m: float
    top_m: float
    accelerometer: np.ndarray


def person_view(seed: int, situation: Situation = Situation.STANDING) -> PersonView:
    """A view of a person in the situation; the same seed gives the same view."""
    rng = np.random.default_rng([seed, list(Situation).index(situation)])
    views = (_draw(rng, situation) for _ in range(MAX_TRIES))
    return next(view for view in views if view is not None)


def _draw(rng: np.random.Generator, situation: Situation) -> PersonView | None:
    camera = CAMERAS[rng.integers(len(CAMERAS))]
    someone = _someone(rng, situation)
    pose = _pose(rng, someone)
    boxes = [*_room(rng, someone), *_clutter(rng, someone), *_hider(rng, someone, situation, pose)]
    preview = camera.resized(camera.width // 4, camera.height // 4)
    unhidden, _ = _seen(someone, [], PosedCamera(preview, pose.position, pose.world_from_camera))
    if not len(unhidden) or not _is_framed(unhidden, preview, situation):
        return None
    people, _ = _seen(someone, boxes, PosedCamera(preview, pose.position, pose.world_from_camera))
    if not len(people) or not _is_visible(people, unhidden, situation):
        return None
    people, depth_m = _seen(
        someone, boxes, PosedCamera(camera, pose.position, pose.world_from_camera)
    )
    if not _is_framed(people, camera, situation):
        return None
    return PersonView(
        _measured_mm(depth_m, rng),
        camera,
        pose,
        people.boxes_px[0],
        someone.person.stature_m,
        someone.person.top_m,
        accelerometer_samples(pose, rng),
    )


def _someone(rng: np.random.Generator, situation: Situation) -> Inhabitant:
    stature_m = rng.uniform(1.2, 2.0)
    postures = {Situation.SITTING: Posture.SITTING, Situation.LYING: Posture.LYING}
    posture = postures.get(situation, Posture.STANDING)
    seat_m = SEAT * stature_m if posture is Posture.SITTING else 0.0
    outfit = list(Outfit)[rng.integers(len(Outfit))]
    body = person(rng, MaterialMaker(rng), stature_m, posture, outfit, seat_m=seat_m)
    distance_m, bearing_rad = rng.uniform(1.5, 5.0), np.radians(rng.uniform(-15, 15))
    spread_rad = np.pi / 2 if posture is Posture.SITTING else np.pi
    x, y = distance_m * np.cos(bearing_rad), distance_m * np.sin(bearing_rad)
    yaw_rad = np.pi + bearing_rad + rng.uniform(-spread_rad, spread_rad)
    return Inhabitant(body, x, y, 1, tuple(body.prop.placed(x, y, yaw_rad, instance=1)))


def _pose(rng: np.random.Generator, someone: Inhabitant) -> CameraPose:
    """Half of the cameras are aimed at the body, the others look wherever their mount does."""
    height_m = rng.uniform(0.4, 1.6)
    limit = np.radians(30)
    pitch = rng.uniform(-limit, limit)
    if rng.random() < 0.5:
        rise_m = 0.5 * someone.person.top_m - height_m
        to_middle = np.arctan2(rise_m, np.hypot(someone.x, someone.y))
        pitch = np.clip(to_middle + rng.normal(0.0, 0.1), -limit, limit)
    roll = np.radians(rng.uniform(-10, 10))
    return CameraPose(height_m, float(pitch), float(roll), float(rng.uniform(-0.1, 0.1)))


def _seen(
    someone: Inhabitant, boxes: list[Mesh], sight: PosedCamera
) -> tuple[PeopleTruth, np.ndarray]:
    """Truth about the person, and exact depth, float32 (H, W), infinite where nothing is."""
    material = MaterialMaker(np.random.default_rng(0)).wood()
    others = [Part(mesh, material, LABEL['furniture']) for mesh in boxes]
    scene = RayScene([*someone.parts, *others])
    hits = scene.cast(sight.position, camera_rays(sight.camera, sight.world_from_camera))
    instances = scene.instances_of(hits.face).reshape(sight.shape)
    return people_of([someone], instances, sight), hits.t.reshape(sight.shape)


def _is_framed(people: PeopleTruth, camera: CameraModel, situation: Situation) -> bool:
    """Whether the border cuts the body above or below if it should, and nowhere else."""
    if situation is not Situation.TRUNCATED:
        return not people.cut[0]
    _, top, _, bottom = people.boxes_px[0]
    return (top <= 0 or bottom >= camera.height) and bottom - top > 0.2 * camera.height


def _is_visible(people: PeopleTruth, unhidden: PeopleTruth, situation: Situation) -> bool:
    """Whether obstacles hide of the person what the situation says."""
    (_, top, _, bottom), (_, first, _, last) = people.boxes_px[0], unhidden.boxes_px[0]
    hidden_above, hidden_below = np.array([top - first, last - bottom]) / (last - first)
    fraction = people.visible_share[0]
    if situation is Situation.FEET_HIDDEN:
        return hidden_below > 0.08 and hidden_above < 0.01
    if situation is Situation.HEAD_HIDDEN:
        return hidden_above > 0.08 and fraction > 0.3
    if situation is Situation.STANDING:
        return fraction > 0.98 and max(hidden_above, hidden_below) < 0.005
    return fraction > 0.6


def _room(rng: np.random.Generator, someone: Inhabitant) -> list[Mesh]:
    """Floor, the wall behind the person, two side walls, and often a ceiling."""
    turn = rotation_about_z(np.radians(rng.uniform(-20, 20)))
    back = someone.x + rng.uniform(0.6, 3.0)
    walls = [
        box((30.0, 30.0, 0.1), (0.0, 0.0, -0.05)),
        box((0.1, 30.0, 30.0)).moved(turn, (back + 0.05, 0.0, 0.0)),
        box((30.0, 0.1, 30.0), (0.0, rng.uniform(1.8, 4.0), 0.0)),
        box((30.0, 0.1, 30.0), (0.0, -rng.uniform(1.8, 4.0), 0.0)),
    ]
    if rng.random() < 0.7:
        walls.append(box((30.0, 30.0, 0.1), (0.0, 0.0, rng.uniform(2.4, 3.0) + 0.05)))
    return walls


def _clutter(rng: np.random.Generator, someone: Inhabitant) -> list[Mesh]:
    """Boxes and poles around the person, some close to it; the stool of a seated one."""
    things = []
    for _ in range(rng.integers(2, 7)):
        angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.45, 1.8)
        place = (someone.x + away * np.cos(angle), someone.y + away * np.sin(angle), 0.0)
        size = np.array([*rng.uniform(0.16, 0.6, 2), rng.uniform(0.2, 1.8)])
        if rng.random() < 0.25:
            size = np.array([*rng.uniform(0.04, 0.16, 2), rng.uniform(0.5, 2.2)])
        thing = box(size, (0.0, 0.0, 0.5 * size[2]))
        things.append(thing.moved(rotation_about_z(rng.uniform(0, np.pi)), place))
    if someone.person.posture is Posture.SITTING:
        top_m = SEAT * someone.person.stature_m - 0.01
        things.append(box((0.4, 0.4, 0.06), (someone.x, someone.y, top_m - 0.03)))
        things.append(box((0.06, 0.06, top_m), (someone.x, someone.y, 0.5 * top_m)))
    return things


def _hider(
    rng: np.random.Generator, someone: Inhabitant, situation: Situation, pose: CameraPose
) -> list[Mesh]:
    """A box between the camera and the feet, or the head."""
    if situation not in (Situation.FEET_HIDDEN, Situation.HEAD_HIDDEN):
        return []
    distance_m, bearing_rad = np.hypot(someone.x, someone.y), np.arctan2(someone.y, someone.x)
    near_m = distance_m - rng.uniform(0.4, 0.8)
    size = np.array([0.24, rng.uniform(0.6, 1.2), rng.uniform(0.3, 1.0)])
    z = 0.5 * size[2]
    if situation is Situation.HEAD_HIDDEN:
        size[2] = 0.4
        head_m = 0.95 * someone.person.stature_m
        z = pose.height_m + near_m / distance_m * (head_m - pose.height_m)
    return [box(size, (near_m, 0.0, z)).moved(rotation_about_z(bearing_rad), (0.0, 0.0, 0.0))]


def _measured_mm(depth_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Depth with 1 % noise, mixed pixels at edges and 10 % holes, half of them in patches."""
    shape = depth_m.shape
    neighbour = np.concatenate([depth_m[:, :1], depth_m[:, :-1]], axis=1)
    mixes = (np.abs(depth_m - neighbour) > 0.1) & (rng.random(shape) < 0.3)
    weight = np.where(mixes, rng.random(shape), 1.0)
    measured = weight * depth_m + (1.0 - weight) * neighbour
    measured *= 1.0 + rng.normal(0.0, 0.01, shape)
    patches = np.kron(rng.random((shape[0] // 4, shape[1] // 4)) < 0.05, np.ones((4, 4), bool))
    holes = patches | (rng.random(shape) < 0.05)
    invalid = holes | (measured < 0.25) | (measured > 10.0)
    return np.where(invalid, 0, np.rint(1000.0 * np.minimum(measured, 60.0))).astype(np.uint16)
