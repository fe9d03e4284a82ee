"""Undoing the growth of outlines that a driver's alignment causes."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np

from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage

_PIXEL = np.ones((2, 2), np.uint8)
_FIRST = (0, 0)
"""Anchor: the block extends to the lower right of its pixel."""

_ROW_STEP = 8
"""Every eighth row shows how depth was aligned."""

_MIN_FRACTION = 0.998
"""Of the pixels in some 2x2 block without a farther pixel: all if a driver aligned the depth,
half of them with noise in each pixel, up to 99.6 % of smooth depth aligned otherwise."""


def without_overlap(frame: Frame) -> Frame:
    """Depth as it would be if alignment drew each depth pixel at its size.

    librealsense draws each depth pixel as the rectangle of colour pixels from its upper left to
    its lower right corner, both included: half a pixel too far in each direction. Where rectangles
    overlap the nearest value is kept, so outlines grow and surfaces appear closer by about the
    noise between neighbours. The farthest of 2x2 pixels was drawn around the corner where the
    four meet.

    Args:
        frame: with depth and intrinsics.

    Returns:
        Depth with its own camera, shifted by half a pixel; the frame itself if its depth is not
        aligned, or not in that way.
    """
    depth, camera = frame.depth, frame.camera
    if depth is None or camera is None or not frame.depth_is_aligned:
        return frame
    far = _with_holes_far(depth.values)
    farthest = cv2.dilate(far, _PIXEL, anchor=_FIRST)
    if not _is_drawn_wide(far, farthest):
        return frame
    return replace(
        frame,
        depth=DepthImage(_with_holes_back(farthest), depth.metres_per_unit),
        depth_camera=_shifted(camera),
        color_from_depth=RigidTransform.identity(),
    )


@lru_cache(maxsize=8)
def _shifted(camera: CameraModel) -> CameraModel:
    """The camera whose pixel centres lie on the upper left corners of those of `camera`."""
    return replace(camera, cx=camera.cx - 0.5, cy=camera.cy - 0.5)


def _is_drawn_wide(far: np.ndarray, farthest: np.ndarray) -> bool:
    """Whether each depth lies in a 2x2 block without a farther pixel.

    It does if depth pixels were drawn as rectangles of at least that size and the nearest value
    was kept: any block inside the rectangle of the pixel is one. Rectangles cut by the border of
    the image do not count.
    """
    above, rows = farthest[:-2:_ROW_STEP], farthest[1:-1:_ROW_STEP]
    blocks = np.minimum(above, rows)
    nearest = np.minimum(blocks[:, :-2], blocks[:, 1:-1])
    inner = far[1:-1:_ROW_STEP, 1:-1]
    is_valid = inner < _HOLES[far.dtype.char]
    is_whole = (nearest == inner) & is_valid
    return bool(np.count_nonzero(is_whole) > _MIN_FRACTION * np.count_nonzero(is_valid))


_HOLES: dict[str, np.generic] = {'H': np.uint16(65535), 'f': np.float32(np.inf)}
"""Values of holes between `_with_holes_far` and `_with_holes_back`."""


def _with_holes_far(values: np.ndarray) -> np.ndarray:
    """Holes become the farthest value, and whole numbers one less."""
    if values.dtype == np.uint16:
        return values - np.uint16(1)
    with np.errstate(invalid='ignore'):
        return np.where(values > 0, values, _HOLES['f'])


def _with_holes_back(far: np.ndarray) -> np.ndarray:
    if far.dtype == np.uint16:
        return far + np.uint16(1)
    np.copyto(far, 0, where=far == _HOLES['f'])
    return far
