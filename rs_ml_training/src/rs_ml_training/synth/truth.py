"""Boxes and people of a colour image, from which thing each pixel shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rs_ml_perception.core.geometry.camera import CameraModel

from rs_ml_training.synth.frame import BOXED_CLASSES, Boxes, PeopleTruth
from rs_ml_training.synth.inhabitants import Inhabitant
from rs_ml_training.synth.thing import LABEL
from rs_ml_training.synth.traced import TracedScene
from rs_ml_training.synth.view import Sight, camera_rays


def mask_box(mask: np.ndarray) -> np.ndarray | None:
    """Least half-open box [x_min, y_min, x_max, y_max] around a mask, float32; None if empty."""
    if not mask.any():
        return None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)


def boxes_of(labels: np.ndarray, instances: np.ndarray) -> Boxes:
    """Boxes around the visible pixels of every boxed thing.

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
    return Boxes(
        np.array([f[0] for f in found], np.float32).reshape(-1, 4),
        np.array([f[1] for f in found], np.int64),
        np.array([f[2] for f in found], np.int64),
    )


def people_of(
    inhabitants: Sequence[Inhabitant], instances: np.ndarray, sight: Sight
) -> PeopleTruth:
    """Whoever is visible, in the order of the inhabitants.

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
            share = np.count_nonzero(mask) / max(np.count_nonzero(alone), 1)
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


def _alone(one: Inhabitant, sight: Sight) -> np.ndarray:
    """Where the body would be seen with nothing in front of it, bool (H, W)."""
    mask = np.zeros(sight.shape, bool)
    vertices = np.concatenate([part.mesh.vertices for part in one.parts])
    rows, columns = _window((vertices - sight.position) @ sight.world_from_camera, sight.camera)
    rays = camera_rays(sight.camera, sight.world_from_camera, rows, columns)
    if rays.size:
        face = TracedScene(one.parts).cast(sight.position, rays).face
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
