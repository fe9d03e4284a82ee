"""One exposure of a world: every picture of the device, and what is true about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_training.synth.camera import CameraPose, accelerometer_samples
from rs_ml_training.synth.frame import SynthFrame
from rs_ml_training.synth.imager import developed
from rs_ml_training.synth.lighting import cast_shadows
from rs_ml_training.synth.matcher import match
from rs_ml_training.synth.options import WorldOptions
from rs_ml_training.synth.projector import Projector
from rs_ml_training.synth.radiance import LitScene
from rs_ml_training.synth.registration import registered
from rs_ml_training.synth.rig import Rig, d435
from rs_ml_training.synth.scene import rotation_about_y, rotation_about_z
from rs_ml_training.synth.truth import boxes_of, people_of
from rs_ml_training.synth.view import View, camera_rays, look
from rs_ml_training.synth.world import World, draw_world

FARTHEST_M = 20.0
"""Depth that is still written down as truth."""


def draw_frame(
    seed: int, options: WorldOptions | None = None, size: tuple[int, int] = (848, 480)
) -> SynthFrame:
    """A frame of a world of its own; the same seed, options and size give the same bytes.

    Args:
        seed: from 0 up.
        options: from what the world is drawn.
        size: (width, height) of all images [px].
    """
    world = draw_world(seed, options)
    return expose(world, world.pose, d435(size), np.random.default_rng([seed, 1]))


def expose(world: World, pose: CameraPose, rig: Rig, rng: np.random.Generator) -> SynthFrame:
    """What the device sees from a pose.

    Args:
        world: what there is.
        pose: of the left imager.
        rig: its cameras.
        rng: of the noise; a second exposure of a camera at rest differs in noise only.
    """
    views = _Views.of(world, pose, rig)
    left, right = _infrared(world, pose, rig, views, rng)
    raw_depth_m = match(left, right, rig, world.device.matcher)
    shape = rig.color.height, rig.color.width
    faces = views.color.hits.face
    labels = world.scene.labels_of(faces).reshape(shape)
    instances = world.scene.instances_of(faces).reshape(shape)
    return SynthFrame(
        seed=world.seed,
        left=left,
        right=right,
        depth_m=_depth_of(views.left, (rig.depth.height, rig.depth.width)),
        raw_depth_m=raw_depth_m,
        color=_color(world, views, rig, rng),
        color_depth_m=_depth_of(views.color, shape),
        aligned_depth_m=registered(raw_depth_m, rig),
        labels=labels,
        people=people_of(world.inhabitants, instances, views.color, rig.color),
        boxes=boxes_of(labels, instances),
        rig=rig,
        pose=pose,
        accelerometer=accelerometer_samples(pose, rng),
        emitter=world.device.emitter,
    )


@dataclass(frozen=True, eq=False)
class _Views:
    """What the three cameras see, and the light on it."""

    left: View
    right: View
    color: View
    lit: LitScene

    @classmethod
    def of(cls, world: World, pose: CameraPose, rig: Rig) -> _Views:
        turn = pose.world_from_camera
        right_turn = turn @ _small_rotation(world.device.misalignment_rad)
        color_turn = turn @ rig.color_from_depth[:3, :3].T
        from_left = -rig.color_from_depth[:3, :3].T @ rig.color_from_depth[:3, 3]
        places = [
            (rig.depth, pose.position, turn),
            (rig.depth, pose.position + turn @ [rig.baseline_m, 0, 0], right_turn),
            (rig.color, pose.position + turn @ from_left, color_turn),
        ]
        left, right, color = (
            look(world.scene, world.bank, origin, camera_rays(camera, axes), 1 / camera.fx)
            for camera, origin, axes in places
        )
        shadows = cast_shadows(world.scene, left, rig.depth, pose.position, turn, world.lighting)
        lit = LitScene(world.scene, world.bank, world.lighting, shadows)
        return cls(left, right, color, lit)


def _infrared(
    world: World, pose: CameraPose, rig: Rig, views: _Views, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    device, turn = world.device, pose.world_from_camera
    projector = None
    if device.emitter:
        position = pose.position + turn @ [rig.projector_m, 0, 0]
        projector = Projector(position, turn, device.power, device.pattern)
    shape = rig.depth.height, rig.depth.width
    lights = [
        views.lit.infrared(view, projector).reshape(shape) for view in (views.left, views.right)
    ]
    # Both imagers are exposed alike, as the left one needs it.
    gain = device.left.gain(lights[0])
    imagers = device.left, device.right
    pictures = [
        np.rint(imager.expose(light, gain, rng)).astype(np.uint8)
        for imager, light in zip(imagers, lights, strict=True)
    ]
    return pictures[0], pictures[1]


def _color(world: World, views: _Views, rig: Rig, rng: np.random.Generator) -> np.ndarray:
    device = world.device
    light = views.lit.color(views.color).reshape(rig.color.height, rig.color.width, 3)
    linear = device.color.expose(light, device.color.gain(light), rng)
    return developed(linear, np.array(device.white_balance), device.saturation)


def _depth_of(view: View, shape: tuple[int, int]) -> np.ndarray:
    """Exact depth, 0 where nothing is within range, float32."""
    depth_m = np.where(view.hits.t < FARTHEST_M, view.hits.t, 0)
    return depth_m.reshape(shape).astype(np.float32)


def _small_rotation(angles_rad: tuple[float, float, float]) -> np.ndarray:
    """About x, y and z of the optical frame, float64 (3, 3)."""
    x, y, z = angles_rad
    c, s = np.cos(x), np.sin(x)
    about_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return rotation_about_z(z) @ rotation_about_y(y) @ about_x
