"""Rooms with an upright person in full view, so that heights can be measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.synth.camera import COLOR_640, CameraPose
from rs_ml_training.synth.frame import PeopleTruth, Posture
from rs_ml_training.synth.furnishing import Inhabitant
from rs_ml_training.synth.gbuffer import PosedCamera, camera_rays
from rs_ml_training.synth.options import Side, WorldOptions
from rs_ml_training.synth.truth import people_of
from rs_ml_training.synth.world import World, draw_world

FARTHEST_M = 5.0
"""Along the floor, of the person in full view."""

_PREVIEW = COLOR_640.resized(160, 120)
_MARGIN_PX = 2
"""Of the preview, between the body and the border."""
_LEAST_VISIBLE = 0.97
_POSES, _ROOMS = 40, 50
_SEEDS_APART = 1_000_000_000


def upright_world(seed: int, side: Side) -> World:
    """A room as others are, but people stand or walk, and the camera has one of them in full view.

    Room and camera are accepted by visibility alone: the body is uncut, at
    least 97 % visible and at most 5 m away. A room that has no such view gives way to another one.

    Args:
        seed: the same one gives the same room and camera.
        side: of the world.

    Raises:
        ConfigError: no room of many had such a view.
    """
    options = WorldOptions(
        side=side, people=(1, 3), postures=((Posture.STANDING, 0.4), (Posture.WALKING, 0.2))
    )
    for attempt in range(_ROOMS):
        world = draw_world(seed + attempt * _SEEDS_APART, options)
        pose = _pose(world, np.random.default_rng([world.seed, 3]))
        if pose is not None:
            return replace(world, pose=pose)
    raise ConfigError(f'seed {seed} gives no room with an upright person in view: another --seed')


def _pose(world: World, rng: np.random.Generator) -> CameraPose | None:
    if not world.inhabitants:
        return None
    poses = (world.other_pose(rng) for _ in range(_POSES))
    return next((pose for pose in poses if _shows_person(world, pose)), None)


def _shows_person(world: World, pose: CameraPose) -> bool:
    near = [one for one in world.inhabitants if _range_m(one, pose) <= FARTHEST_M]
    sight = PosedCamera(_PREVIEW, pose.position, pose.world_from_camera)
    rays = camera_rays(_PREVIEW, pose.world_from_camera)
    faces = world.scene.cast(pose.position, rays).face.reshape(sight.shape)
    return bool(_in_full_view(people_of(near, world.scene.instances_of(faces), sight)).any())


def _range_m(one: Inhabitant, pose: CameraPose) -> float:
    return float(np.hypot(one.x - pose.x_m, one.y - pose.y_m))


def _in_full_view(people: PeopleTruth) -> np.ndarray:
    """Bool (N,)."""
    least, most = people.boxes_px[:, :2], people.boxes_px[:, 2:]
    size = np.array([_PREVIEW.width, _PREVIEW.height])
    is_inside = (least >= _MARGIN_PX).all(axis=1) & (most <= size - _MARGIN_PX).all(axis=1)
    return is_inside & ~people.cut & (people.visible_share >= _LEAST_VISIBLE)
