"""Worlds: a room with everything in it, its light, and the device that looks at it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.synth.camera import DEPTH_848, CameraPose
from rs_ml_training.synth.device import Device, draw_device
from rs_ml_training.synth.furnishing import Furnisher, Inhabitant, inhabit
from rs_ml_training.synth.gbuffer import camera_rays
from rs_ml_training.synth.lighting import Lamp, Lighting
from rs_ml_training.synth.materials import MaterialMaker
from rs_ml_training.synth.numerics import triple
from rs_ml_training.synth.options import Side, WorldOptions
from rs_ml_training.synth.patterns import PatternBank, pattern_bank
from rs_ml_training.synth.ray_scene import Part, RayScene
from rs_ml_training.synth.rooms import FloorPlan, draw_plan, shell

_NEAREST_M = 0.35
_TRIES = 30


@dataclass(frozen=True, eq=False)
class World:
    """A room for any number of exposures.

    Attributes:
        seed: of its random numbers.
        options: the same.
        scene: all meshes.
        surroundings: the parts of the scene that are not people.
        bank: patterns of its side.
        lighting: its light.
        plan: its floor.
        inhabitants: people, also those behind the camera.
        device: the camera.
        pose: where the camera stands unless it is moved.
    """

    seed: int
    options: WorldOptions
    scene: RayScene
    surroundings: tuple[Part, ...]
    bank: PatternBank
    lighting: Lighting
    plan: FloorPlan
    inhabitants: tuple[Inhabitant, ...]
    device: Device
    pose: CameraPose

    def other_pose(self, rng: np.random.Generator) -> CameraPose:
        """Another place to look from."""
        return draw_pose(rng, self.plan, self.scene, self.inhabitants, self.options)


def draw_world(seed: int, options: WorldOptions | None = None) -> World:
    """A world; the same seed and options give the same one.

    Args:
        seed: from 0 up; the same seed gives unrelated worlds on the two sides.
        options: ranges it is drawn from.

    Raises:
        ConfigError: the seed is negative.
    """
    options = options or WorldOptions()
    if seed < 0:
        raise ConfigError(f'the seed of a world must be 0 or more, got {seed}')
    rng = np.random.default_rng([list(Side).index(options.side), seed])
    make = MaterialMaker(rng)
    plan = draw_plan(rng, options.room_m, options.side)
    furnisher = Furnisher(rng, plan, make, options)
    furnisher.furnish()
    inhabitants = inhabit(rng, furnisher)
    surroundings = (*shell(rng, plan, make, options), *furnisher.parts)
    scene = RayScene([*surroundings, *(part for i in inhabitants for part in i.parts)])
    device = draw_device(rng, options)
    lighting = _draw_lighting(rng, plan, emitter=device.emitter)
    bank = pattern_bank(options.side)
    pose = draw_pose(rng, plan, scene, inhabitants, options)
    return World(
        seed, options, scene, surroundings, bank, lighting, plan, inhabitants, device, pose
    )


def _draw_lighting(rng: np.random.Generator, plan: FloorPlan, *, emitter: bool) -> Lighting:
    """One to three lamps below the ceiling, some of them without infrared."""
    lamps = []
    total, warm = rng.uniform(0.6, 3.0), np.array([1.0, rng.uniform(0.75, 1), rng.uniform(0.5, 1)])
    count = int(rng.choice([1, 2, 3], p=[0.45, 0.4, 0.15]))
    # LEDs emit almost no infrared; the projector is never off in their light.
    ir = float(rng.choice([0.02, 0.2, 1.0], p=[0.35, 0.35, 0.3])) * rng.uniform(0.3, 1.2)
    if not emitter:
        ir = max(ir, 0.2)
    for _ in range(count):
        x, y = plan.free_place(rng, 0.0, 0.0) or tuple(plan.outline.mean(axis=0))
        z = plan.height_m - rng.uniform(0.05, 0.8)
        power = total / count * rng.uniform(0.5, 1.5)
        color = triple(power * warm)
        lamps.append(Lamp((x, y, z), color, ir * power, float(rng.uniform(0.02, 0.25))))
    ambient = triple(rng.uniform(0.05, 0.4) * rng.uniform(0.85, 1.1, 3))
    return Lighting(tuple(lamps), ambient, float(rng.uniform(0.3, 1.3) * np.mean(ambient) * ir))


def draw_pose(
    rng: np.random.Generator,
    plan: FloorPlan,
    scene: RayScene,
    inhabitants: tuple[Inhabitant, ...],
    options: WorldOptions,
) -> CameraPose:
    """A camera with room before it, aimed at people or furniture; the last try if none has it."""
    targets = [(i.x, i.y, 0.5 * i.person.top_m) for i in inhabitants] * 2
    boxes = np.reshape(plan.taken, (-1, 4))
    targets += [(float((b[0] + b[2]) / 2), float((b[1] + b[3]) / 2), 0.4) for b in boxes]
    for _ in range(_TRIES):
        target = targets[rng.integers(len(targets))] if targets else None
        pose = _pose_towards(rng, plan, target, options)
        if _has_room(scene, pose):
            break
    return pose


def _pose_towards(
    rng: np.random.Generator,
    plan: FloorPlan,
    target: tuple[float, float, float] | None,
    options: WorldOptions,
) -> CameraPose:
    x, y = plan.free_place(rng, 0.15, 0.15) or tuple(plan.outline.mean(axis=0))
    height = float(rng.uniform(*options.camera_height_m))
    limit = np.radians(options.max_pitch_deg)
    if target is None or rng.random() < 0.15:
        middle = plan.outline.mean(axis=0) + rng.normal(0, 0.8, 2)
        target = (float(middle[0]), float(middle[1]), float(rng.uniform(0, 1.5)))
    away = max(np.hypot(target[0] - x, target[1] - y), 0.3)
    pitch = np.arctan2(target[2] - height, away) + rng.normal(0, 0.12)
    return CameraPose(
        height,
        float(np.clip(pitch, -limit, limit)),
        float(np.radians(rng.normal(0, options.roll_deg))),
        float(np.arctan2(target[1] - y, target[0] - x) + rng.normal(0, 0.25)),
        float(x),
        float(y),
    )


def _has_room(scene: RayScene, pose: CameraPose) -> bool:
    """Little is nearer than the camera can measure, and the view does not end at once."""
    camera = DEPTH_848.resized(32, 18)
    depth = scene.cast(pose.position, camera_rays(camera, pose.world_from_camera)).t
    return bool(np.mean(depth < _NEAREST_M) < 0.04 and np.median(depth) > 1.0)
