"""What a task gets to see: one image with whatever belongs to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.rigid import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage

if TYPE_CHECKING:
    from rs_ml_perception.core.geometry.gravity import Up


@dataclass(frozen=True, eq=False)
class Frame:
    """One moment of one camera.

    Attributes:
        rgb: uint8 (H, W, 3), RGB; None for a task that looks at depth alone.
        depth: depth image, or None.
        infrared: uint8 (H, W), the left infrared image, whose pixels are those of unaligned depth;
            only of a frame of depth alone.
        camera: intrinsics of the colour image (of the depth image where that is alone), or None
            while unknown.
        depth_camera: intrinsics of the depth image, or None: it is aligned, `camera` holds.
        color_from_depth: where the depth camera sits, or None: depth is aligned to colour.
        stamp_ns: acquisition time in nanoseconds.
        frame_id: optical frame of the colour image, or of depth where that is alone.
        up: against gravity in that frame, where the source of the frame was asked and knows it.
        depth_skew_ns: stamp of the depth image minus that of the frame.
    """

    rgb: np.ndarray | None = None
    depth: DepthImage | None = None
    infrared: np.ndarray | None = None
    camera: CameraModel | None = None
    depth_camera: CameraModel | None = None
    color_from_depth: RigidTransform | None = None
    stamp_ns: int = 0
    frame_id: str = ''
    up: Up | None = None
    depth_skew_ns: int = 0

    @property
    def depth_is_aligned(self) -> bool:
        """Whether depth pixels are colour pixels already."""
        return self.color_from_depth is None

    @property
    def depth_skew_ms(self) -> float:
        """The same in milliseconds, NaN for a frame without depth."""
        return math.nan if self.depth is None else 1e-6 * self.depth_skew_ns
