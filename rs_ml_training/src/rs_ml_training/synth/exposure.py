"""One exposure of a world: every image of the device, and the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rs_ml_perception.core.geometry.registration import register_depth
from rs_ml_perception.core.images.depth import DepthImage

from rs_ml_training.data.encodings import decode, encode
from rs_ml_training.synth.camera import CameraPose, Rig, accelerometer_samples, d435
from rs_ml_training.synth.frame import SynthFrame
from rs_ml_training.synth.gbuffer import PosedCamera, RenderedImage, first_hits, render
from rs_ml_training.synth.imager import developed
from rs_ml_training.synth.lighting import cast_shadows
from rs_ml_training.synth.matcher import match
from rs_ml_training.synth.numerics import rotation_about_x, rotation_about_y, rotation_about_z
from rs_ml_training.synth.options import WorldOptions
from rs_ml_training.synth.projector import Projector
from rs_ml_training.synth.radiance import LitScene
from rs_ml_training.synth.truth import boxes_of, people_of
from rs_ml_training.synth.world import World, draw_world

FARTHEST_M = 20.0
"""Depth that is still written down as truth."""


def draw_frame(
    seed: int, options: WorldOptions | None = None, size: tuple[int, int] = (848, 480)
) -> SynthFrame:
    """A frame of a new world; the same seed, options and size give the same bytes.

    Args:
        seed: from 0 up.
        options: ranges the world is drawn from.
        size: (width, height) of all images [px].
    """
    world = draw_world(seed, options)
    return expose(world, world.pose, d435(size), np.random.default_rng([seed, 1]))


def expose(world: World, pose: CameraPose, rig: Rig, rng: np.random.Generator) -> SynthFrame:
    """Take a frame from a pose.

    Args:
        world: the scene.
        pose: of the left imager.
        rig: its cameras.
        rng: of the noise; a second exposure of a camera at rest differs in noise only.
    """
    left, right, color = _sights(world, pose, rig)
    hits = [first_hits(world.scene, sight) for sight in (left, right, color)]
    shadows = cast_shadows(world.scene, left, hits[0], world.lighting)
    lit = LitScene(world.scene, world.bank, world.lighting, shadows)
    projector = _projector(world, pose, rig)
    infrared = [
        render(world.scene, world.bank, sight, met, lambda view: lit.infrared(view, projector))
        for sight, met in zip((left, right), hits[:2], strict=True)
    ]
    pictures = _infrared(world, infrared, rng)
    raw_depth_m = match(*pictures, rig, world.device.matcher)
    seen = render(world.scene, world.bank, color, hits[2], lit.color)
    labels = world.scene.labels_of(seen.face)
    instances = world.scene.instances_of(seen.face)
    return SynthFrame(
        seed=world.seed,
        left=pictures[0],
        right=pictures[1],
        depth_m=_depth_of(infrared[0]),
        raw_depth_m=raw_depth_m,
        color=_color(world, seen, rng),
        color_depth_m=_depth_of(seen),
        aligned_depth_m=aligned_depth_of(raw_depth_m, rig),
        labels=labels,
        people=people_of(world.inhabitants, instances, color),
        boxes=boxes_of(labels, instances),
        rig=rig,
        pose=pose,
        accelerometer=accelerometer_samples(pose, rng),
        emitter=world.device.emitter,
    )


def _sights(
    world: World, pose: CameraPose, rig: Rig
) -> tuple[PosedCamera, PosedCamera, PosedCamera]:
    """The left and the right imager and the colour camera."""
    turn, place = pose.world_from_camera, pose.position
    right_turn = turn @ _small_rotation(world.device.misalignment_rad)
    extrinsics = rig.color_from_depth
    back = extrinsics.rotation.T
    return (
        PosedCamera(rig.depth, place, turn),
        PosedCamera(rig.depth, place + turn @ [rig.baseline_m, 0, 0], right_turn),
        PosedCamera(rig.color, place - turn @ back @ extrinsics.translation_m, turn @ back),
    )


def _projector(world: World, pose: CameraPose, rig: Rig) -> Projector | None:
    if not world.device.emitter:
        return None
    turn = pose.world_from_camera
    position = pose.position + turn @ [rig.projector_m, 0, 0]
    return Projector(position, turn, world.device.power, world.device.pattern)


def _infrared(
    world: World, seen: Sequence[RenderedImage], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Both imagers get the exposure that suits the left one."""
    imagers = world.device.left, world.device.right
    gain = imagers[0].gain(seen[0].light)
    left, right = (
        np.rint(imager.expose(picture.light[..., 0], gain, rng)).astype(np.uint8)
        for imager, picture in zip(imagers, seen, strict=True)
    )
    return left, right


def _color(world: World, seen: RenderedImage, rng: np.random.Generator) -> np.ndarray:
    device = world.device
    linear = device.color.expose(seen.light, device.color.gain(seen.light), rng)
    return developed(linear, np.array(device.white_balance), device.saturation)


def aligned_depth_of(raw_depth_m: np.ndarray, rig: Rig) -> np.ndarray:
    """Depth as the colour camera would see it, float32, whole millimetres [m], 0: none."""
    depth = DepthImage(encode(raw_depth_m, 'mm'), 0.001)
    aligned = register_depth(depth, rig.depth, rig.color, rig.color_from_depth)
    return decode(aligned.values, 'mm')


def _depth_of(seen: RenderedImage) -> np.ndarray:
    """Exact depth, 0 where nothing is within range, float32."""
    return np.where(seen.t < FARTHEST_M, seen.t, np.float32(0))


def _small_rotation(angles_rad: tuple[float, float, float]) -> np.ndarray:
    """About x, y and z of the optical frame, float64 (3, 3)."""
    x, y, z = angles_rad
    return rotation_about_z(z) @ rotation_about_y(y) @ rotation_about_x(x)
