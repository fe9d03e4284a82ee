"""The input of every task: one image with all that belongs to it, and checks that it does."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.messages import check_frame_id
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.gravity import Up
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage


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


def check_header(stamp_ns: int, frame_id: str) -> None:
    """Raise InputError for a zero stamp, or a frame_id that can be none."""
    check_frame_id(frame_id)
    if stamp_ns == 0:
        raise InputError('the header has a zero stamp: the camera driver must set it')


def check_size(what: str, width: int, height: int, source: str, camera: CameraModel) -> None:
    """Raise InputError unless the image has the size of its camera model."""
    if (width, height) != (camera.width, camera.height):
        raise InputError(
            f'{what} is {width}x{height} but {source} says {camera.width}x{camera.height}: '
            'remap the camera_info that belongs to it'
        )


def check_alignment(depth_frame_id: str, color_frame_id: str) -> None:
    """Raise InputError unless aligned depth is in the frame of the colour image."""
    # Bridges from ROS 1 still write a leading slash.
    if depth_frame_id.lstrip('/') != color_frame_id.lstrip('/'):
        raise InputError(
            f'aligned depth is in frame {depth_frame_id!r}, colour in {color_frame_id!r}: '
            'it is not aligned to this colour image'
        )


def check_same_size(depth: DepthImage, width: int, height: int) -> None:
    """Raise InputError unless aligned depth has the size of its colour image."""
    if (depth.width, depth.height) != (width, height):
        raise InputError(
            f'aligned depth is {depth.width}x{depth.height}, its colour image {width}x{height}: '
            'it is not aligned to this colour image'
        )
