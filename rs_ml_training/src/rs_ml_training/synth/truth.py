"""Truth about a frame: boxes and people of its colour image, also as values for JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from rs_ml_perception.core.geometry.camera import CameraModel

from rs_ml_training.synth.frame import BOXED_CLASSES, BoxTruth, PeopleTruth, SynthFrame
from rs_ml_training.synth.furnishing import Inhabitant
from rs_ml_training.synth.gbuffer import PosedCamera, camera_rays
from rs_ml_training.synth.props import LABEL
from rs_ml_training.synth.ray_scene import RayScene

_DIGITS = 4


def mask_box(mask: np.ndarray) -> np.ndarray | None:
    """Least half-open box [x_min, y_min, x_max, y_max] around a mask, float32; None if empty."""
    if not mask.any():
        return None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)


def boxes_of(labels: np.ndarray, instances: np.ndarray) -> BoxTruth:
    """Boxes around the visible pixels of every boxed prop.

    Args:
        labels: uint8 (H, W), class ids.
        instances: int32 (H, W), 0: none.
    """
    found = []
    for class_id, name in enumerate(BOXED_CLASSES):
        of_class = np.where(labels == LABEL[name], instances, 0)
        for instance in np.unique(of_class[of_class > 0]):
            mask = of_class == instance
            found.append((mask_box(mask), class_id, np.count_nonzero(mask)))
    return BoxTruth(
        np.array([f[0] for f in found], np.float32).reshape(-1, 4),
        np.array([f[1] for f in found], np.int64),
        np.array([f[2] for f in found], np.int64),
    )


def people_of(
    inhabitants: Sequence[Inhabitant], instances: np.ndarray, sight: PosedCamera
) -> PeopleTruth:
    """The visible people, in the order of the inhabitants.

    Args:
        inhabitants: all people of the room.
        instances: int32 (H, W).
        sight: the colour camera.
    """
    seen = []
    for one in inhabitants:
        mask = instances == one.instance
        if mask.any():
            alone = _alone(one, sight)
            share = int(np.count_nonzero(mask)) / max(int(np.count_nonzero(alone)), 1)
            border = alone[0].any() or alone[-1].any() or alone[:, 0].any() or alone[:, -1].any()
            seen.append((one.person, mask_box(mask), min(share, 1.0), bool(border)))
    return PeopleTruth(
        np.array([s[1] for s in seen], np.float32).reshape(-1, 4),
        np.array([s[0].stature_m for s in seen], np.float32),
        np.array([s[0].top_m for s in seen], np.float32),
        tuple(s[0].posture for s in seen),
        np.array([s[2] for s in seen], np.float32),
        np.array([s[3] for s in seen], bool),
    )


def _alone(one: Inhabitant, sight: PosedCamera) -> np.ndarray:
    """Where the body would be seen with nothing in front of it, bool (H, W)."""
    mask = np.zeros(sight.shape, bool)
    vertices = np.concatenate([part.mesh.vertices for part in one.parts])
    rows, columns = _window((vertices - sight.position) @ sight.world_from_camera, sight.camera)
    rays = camera_rays(sight.camera, sight.world_from_camera, rows, columns)
    if rays.size:
        face = RayScene(one.parts).cast(sight.position, rays).face
        mask[rows, columns] = (face >= 0).reshape(mask[rows, columns].shape)
    return mask


def _window(points: np.ndarray, camera: CameraModel) -> tuple[slice, slice]:
    """Rows and columns outside which none of the points (N, 3) of the camera's frame appear."""
    x, y, z = points.T
    if (z <= 0.05).any():
        return slice(None), slice(None)
    u, v = x / z * camera.fx + camera.cx, y / z * camera.fy + camera.cy
    (left, right), (top, bottom) = (
        np.clip([np.floor(a.min()) - 1, np.ceil(a.max()) + 2], 0, size).astype(int)
        for a, size in ((u, camera.width), (v, camera.height))
    )
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def truth_record(frame: SynthFrame, name: str) -> dict[str, Any]:
    """Camera and people of a frame.

    Returns:
        `image` (name), `scene`, `emitter`; `camera` with `height_m`, `pitch_deg` (positive looks
        up), `roll_deg` (positive turns the camera clockwise as seen from behind it) and
        `up_in_camera`; `accelerometer` [[x, y, z], ...] in m/s2, optical axes; `people` with `box`
        [x_min, y_min, x_max, y_max] of the visible pixels of the colour image, half-open,
        `stature_m` when upright, `top_m` above the floor, `posture`, `visible_share`, `cut`.
    """
    pose = frame.pose
    return {
        'image': name,
        'scene': scene_name(frame.seed),
        'emitter': bool(frame.emitter),
        'camera': {
            'height_m': _number(pose.height_m),
            'pitch_deg': _number(math.degrees(pose.pitch_rad)),
            'roll_deg': _number(math.degrees(pose.roll_rad)),
            'up_in_camera': _numbers(pose.up_in_camera),
        },
        'accelerometer': [_numbers(sample) for sample in frame.accelerometer],
        'people': people_records(frame.people),
    }


def scene_name(seed: int) -> str:
    """Of all frames of a room."""
    return f'room-{seed}'


def people_records(people: PeopleTruth) -> list[dict[str, Any]]:
    """See `truth_record`."""
    return [
        {
            'box': _numbers(people.boxes_px[i]),
            'stature_m': _number(people.stature_m[i]),
            'top_m': _number(people.top_m[i]),
            'posture': people.postures[i].value,
            'visible_share': _number(people.visible_share[i]),
            'cut': bool(people.cut[i]),
        }
        for i in range(len(people))
    ]


def _number(value: float) -> float:
    return round(float(value), _DIGITS)


def _numbers(values: np.ndarray) -> list[float]:
    return [_number(value) for value in values]
