"""One exposure of the synthetic world: every stream of the device and its truth."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.synth.camera import CameraPose, Rig

BOXED_CLASSES = ('person', 'chair', 'sofa', 'bed', 'table', 'tv')
"""Classes with boxes; the order is that of the ids in `BoxTruth`."""


class Posture(Enum):
    """The posture of a body."""

    STANDING = 'standing'
    WALKING = 'walking'
    SITTING = 'sitting'
    LYING = 'lying'
    BENT = 'bent'


@dataclass(frozen=True, eq=False)
class PeopleTruth:
    """All people who are at least partly visible to the colour camera; N may be 0.

    Attributes:
        boxes_px: float32 (N, 4), half-open [x_min, y_min, x_max, y_max] around the visible pixels.
        stature_m: float32 (N,), height when standing upright.
        top_m: float32 (N,), highest point above the floor.
        postures: (N,).
        visible_share: float32 (N,), visible pixels of those the body would have in the image with
            nothing in front of it.
        cut: bool (N,), whether the border of the image cuts the body.
    """

    boxes_px: np.ndarray
    stature_m: np.ndarray
    top_m: np.ndarray
    postures: tuple[Posture, ...]
    visible_share: np.ndarray
    cut: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes_px)


@dataclass(frozen=True, eq=False)
class BoxTruth:
    """Boxes around the visible pixels of all props of BOXED_CLASSES; N may be 0.

    Attributes:
        boxes_px: float32 (N, 4), half-open [x_min, y_min, x_max, y_max], colour image.
        class_ids: int64 (N,), places in BOXED_CLASSES.
        pixels: int64 (N,), how many are visible.
    """

    boxes_px: np.ndarray
    class_ids: np.ndarray
    pixels: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes_px)


@dataclass(frozen=True, eq=False)
class SynthFrame:
    """One exposure.

    Attributes:
        seed: of the world.
        left, right: uint8 (H, W), rectified infrared images.
        depth_m: float32 (H, W), exact, of the left imager; 0 where nothing is hit within range.
            Glass counts where it stands, though the imagers look through it.
        raw_depth_m: float32 (H, W), matched as the device does, whole millimetres; 0: none.
        color: uint8 RGB (Hc, Wc, 3).
        color_depth_m: float32 (Hc, Wc), exact, along the colour camera's optical axis.
        aligned_depth_m: float32 (Hc, Wc), raw depth registered to colour as the driver does.
        labels: uint8 (Hc, Wc), ids of `data.indoor_classes`; 255 where nothing is hit.
        people: those visible to the colour camera.
        boxes: of BOXED_CLASSES, people among them, in the colour image.
        rig: the cameras.
        pose: where the left imager stands.
        accelerometer: float64 (n, 3) [m/s2], axes parallel to the optical frame of depth.
        emitter: whether the projector was on.
    """

    seed: int
    left: np.ndarray
    right: np.ndarray
    depth_m: np.ndarray
    raw_depth_m: np.ndarray
    color: np.ndarray
    color_depth_m: np.ndarray
    aligned_depth_m: np.ndarray
    labels: np.ndarray
    people: PeopleTruth
    boxes: BoxTruth
    rig: Rig
    pose: CameraPose
    accelerometer: np.ndarray
    emitter: bool

    def __post_init__(self) -> None:
        depth, color = self.rig.depth, self.rig.color
        expected: dict[str, tuple[int, ...]] = dict.fromkeys(
            ('left', 'right', 'depth_m', 'raw_depth_m'), (depth.height, depth.width)
        )
        expected |= dict.fromkeys(
            ('color_depth_m', 'aligned_depth_m', 'labels'), (color.height, color.width)
        )
        expected['color'] = (color.height, color.width, 3)
        for name, shape in expected.items():
            actual = getattr(self, name).shape
            if actual != shape:
                raise InputError(f'{name} must have the shape {shape}, got {actual}')
