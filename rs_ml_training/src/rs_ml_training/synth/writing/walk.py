"""Frames of a recording: the camera moves slowly through a room with people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.synth.body import Outfit, Person, person
from rs_ml_training.synth.camera import COLOR_640, CameraPose, d435
from rs_ml_training.synth.families import FAMILIES
from rs_ml_training.synth.frame import Posture, SynthFrame
from rs_ml_training.synth.furnishing import Inhabitant
from rs_ml_training.synth.gbuffer import PosedCamera, camera_rays
from rs_ml_training.synth.materials import MaterialMaker
from rs_ml_training.synth.options import Side
from rs_ml_training.synth.ray_scene import RayScene
from rs_ml_training.synth.rooms import FloorPlan
from rs_ml_training.synth.truth import people_of
from rs_ml_training.synth.world import World
from rs_ml_training.synth.writing.data_set import SetOptions

_PREVIEW = COLOR_640.resized(160, 120)
_FIRST_INSTANCE = 10_000
_ELBOW_ROOM_M = 0.35
_STEPS_HZ = 0.9
"""Double steps a second."""
_LEAST_VISIBLE = (0.97, 0.75)
"""Of the standing and of the walking person."""

_SPEED = 0.12
"""Of the camera, to its right [m/s]."""

_TURN = 0.03
"""Of the camera, to its left [rad/s]."""

_SWAY_HZ, _SWAY_RAD, _SWAY_M = 0.4, 0.008, 0.008


@dataclass(frozen=True)
class Pedestrian:
    """A person who stands or walks straight on.

    Attributes:
        seed: of clothes and build.
        stature_m: height when upright.
        posture: standing or walking.
        outfit: the clothes.
        x: place on the floor at time 0 [m].
        y: place on the floor at time 0 [m].
        yaw_rad: heading.
        speed: along the heading [m/s].
    """

    seed: int
    stature_m: float
    posture: Posture
    outfit: Outfit
    x: float
    y: float
    yaw_rad: float
    speed: float = 0.0

    def place(self, time_s: float) -> tuple[float, float]:
        """On the floor [m]."""
        way = self.speed * time_s
        return self.x + way * np.cos(self.yaw_rad), self.y + way * np.sin(self.yaw_rad)

    def at(self, time_s: float, side: Side, instance: int) -> Inhabitant:
        """The body in the room."""
        x, y = self.place(time_s)
        parts = self._body(time_s, side).prop.placed(x, y, self.yaw_rad, instance=instance)
        return Inhabitant(self._body(time_s, side), x, y, instance, tuple(parts))

    def _body(self, time_s: float, side: Side) -> Person:
        # The same numbers in every frame: only the step differs.
        rng = np.random.default_rng([self.seed, 11])
        make = MaterialMaker(rng)
        step = (_STEPS_HZ * time_s) % 1
        return person(rng, make, self.stature_m, self.posture, self.outfit, step=step)


def with_pedestrians(world: World, pedestrians: Sequence[Pedestrian], time_s: float) -> World:
    """The world with these people instead of the drawn ones."""
    side = world.options.side
    people = tuple(p.at(time_s, side, _FIRST_INSTANCE + i) for i, p in enumerate(pedestrians))
    parts = [part for one in people for part in one.parts]
    scene = RayScene([*world.surroundings, *parts])
    return replace(world, scene=scene, inhabitants=people)


def staged(
    world: World, rng: np.random.Generator, duration_s: float, *, tries: int = 300
) -> tuple[CameraPose, tuple[Pedestrian, ...]]:
    """A camera before which one person stands in full view and another walks past.

    Args:
        world: a room without people.
        rng: source of places.
        duration_s: for how long both must be in view.
        tries: before giving up.

    Raises:
        ConfigError: the room has no such place.
    """
    for _ in range(tries):
        pose = _pose(world.plan, rng)
        pedestrians = _pedestrians(world, pose, rng, duration_s)
        times = (0.0, duration_s)
        if pedestrians and all(
            _all_in_view(with_pedestrians(world, pedestrians, t), pose) for t in times
        ):
            return pose, pedestrians
    raise ConfigError(f'room {world.seed} has no place for two people in view: another --seed')


def _pose(plan: FloorPlan, rng: np.random.Generator) -> CameraPose:
    x, y = plan.free_place(rng, 0.2, 0.2) or tuple(plan.outline.mean(axis=0))
    middle = plan.outline.mean(axis=0)
    yaw = np.arctan2(middle[1] - y, middle[0] - x) + rng.normal(0, 0.3)
    return CameraPose(
        height_m=float(rng.uniform(1.0, 1.4)),
        pitch_rad=float(rng.uniform(-0.16, -0.06)),
        roll_rad=float(rng.normal(0, 0.015)),
        yaw_rad=float(yaw),
        x_m=float(x),
        y_m=float(y),
    )


def _pedestrians(
    world: World, pose: CameraPose, rng: np.random.Generator, duration_s: float
) -> tuple[Pedestrian, ...]:
    """One person facing the camera and one crossing the view; none if there is no room."""
    outfits = FAMILIES[world.options.side].outfits
    standing, walking = (int(s) for s in rng.integers(1 << 30, size=2))
    left = rng.choice([-1.0, 1.0])
    x, y, away = _before(pose, rng.uniform(3.0, 4.2), left * rng.uniform(0.1, 0.3))
    turn = float(away + np.pi + rng.normal(0, 0.5))
    stature = float(rng.uniform(1.6, 1.9))
    found = [Pedestrian(standing, stature, Posture.STANDING, outfits[0], x, y, turn)]
    x, y, away = _before(pose, rng.uniform(2.6, 3.8), -left * rng.uniform(0.15, 0.4))
    turn = float(away + left * np.pi / 2 + rng.normal(0, 0.4))
    stature, outfit = float(rng.uniform(1.55, 1.85)), outfits[-1]
    speed = float(min(rng.uniform(0.8, 1.2), 1.5 / max(duration_s, 0.1)))
    found.append(Pedestrian(walking, stature, Posture.WALKING, outfit, x, y, turn, speed))
    times = np.linspace(0, duration_s, 4)
    places = [[passer.place(t) for t in times] for passer in found]
    is_free = all(
        world.plan.is_free(*place, _ELBOW_ROOM_M, _ELBOW_ROOM_M) for way in places for place in way
    )
    apart = min(np.hypot(*np.subtract(*pair)) for pair in zip(*places, strict=True))
    return tuple(found) if is_free and apart > 2 * _ELBOW_ROOM_M else ()


def _before(pose: CameraPose, range_m: float, bearing_rad: float) -> tuple[float, float, float]:
    """Place on the floor at a range, positive bearings to the left, and the heading there."""
    heading = pose.yaw_rad + bearing_rad
    x = pose.x_m + range_m * np.cos(heading)
    return float(x), float(pose.y_m + range_m * np.sin(heading)), float(heading)


def _all_in_view(world: World, pose: CameraPose) -> bool:
    sight = PosedCamera(_PREVIEW, pose.position, pose.world_from_camera)
    rays = camera_rays(_PREVIEW, pose.world_from_camera)
    faces = world.scene.cast(pose.position, rays).face.reshape(sight.shape)
    people = people_of(world.inhabitants, world.scene.instances_of(faces), sight)
    if len(people) < len(world.inhabitants):
        return False
    return not people.cut[0] and bool((people.visible_share >= _LEAST_VISIBLE).all())


def walk(options: SetOptions, rate_hz: float) -> Iterator[SynthFrame]:
    """Frames of one room; the same options and rate give the same ones.

    Args:
        options: `count` is the number of frames, `seed` that of the room.
        rate_hz: frames a second.

    Raises:
        ConfigError: the room has no place for two people in view.
    """
    from rs_ml_training.synth.exposure import expose
    from rs_ml_training.synth.options import WorldOptions
    from rs_ml_training.synth.world import draw_world
    from rs_ml_training.synth.writing.walk import staged, with_pedestrians

    room = WorldOptions(
        side=Side(options.side), room_m=(4.5, 7.0), people=(0, 0), emitter_share=1.0
    )
    world = draw_world(options.seed, room)
    stage = np.random.default_rng([options.seed, 1])
    start, pedestrians = staged(world, stage, (options.count - 1) / rate_hz)
    rig = d435(options.size, options.color_size)
    for number in range(options.count):
        time_s = number / rate_hz
        rng = np.random.default_rng([options.seed, 2, number])
        yield expose(with_pedestrians(world, pedestrians, time_s), moved(start, time_s), rig, rng)


def moved(start: CameraPose, time_s: float) -> CameraPose:
    """Where a hand that holds the camera has brought it."""
    way, sway = _SPEED * time_s, np.sin(2 * np.pi * _SWAY_HZ * time_s)
    return replace(
        start,
        x_m=start.x_m + way * np.sin(start.yaw_rad),
        y_m=start.y_m - way * np.cos(start.yaw_rad),
        yaw_rad=start.yaw_rad + _TURN * time_s,
        pitch_rad=start.pitch_rad + _SWAY_RAD * sway,
        height_m=start.height_m + _SWAY_M * sway,
    )
