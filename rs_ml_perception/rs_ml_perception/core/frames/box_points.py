"""Points of the pixels of boxes, and the surfaces they lie on.

The rest of the depth image is not touched.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.projection import deproject, pixel_rays, project
from rs_ml_perception.core.geometry.registration import check_size
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage

NEAREST_DEPTH_M = 0.15
"""Closer than the minimum distance of every camera of the family."""


_KERNEL = np.array([1, 2, 3, 2, 1], np.float64) / 9
_MAX_BINS = 4096
_NO_TURN = np.eye(3)


@dataclass(frozen=True, eq=False)
class BoxPoints:
    """Measurements of the depth camera inside one box of the colour image.

    Attributes:
        points_m: float32 (h, w, 3), metres in the colour optical frame, organised as the depth
            pixels are; NaN where invalid or outside the box. Each coordinate is a plane in memory.
        viewpoint_m: float64 (3,), where the depth camera sits in that frame.
        step: depth pixels from one sample to the next.
        pixel_size: size of a sample on the plane z = 1.
    """

    points_m: np.ndarray
    viewpoint_m: np.ndarray
    step: int
    pixel_size: float

    @property
    def depth_m(self) -> np.ndarray:
        """float32 (h, w), z of the points."""
        return self.points_m[..., 2]

    @property
    def planes_m(self) -> np.ndarray:
        """float32 (3, h * w), the same points: all x, all y, all z.

        `take(index, axis=1)` selects several times as fast as `[:, index]`.
        """
        return self.points_m.transpose(2, 0, 1).reshape(3, -1)


def box_points(
    frame: Frame, xyxy: np.ndarray, *, max_samples: int = 6000, clip: bool = True
) -> BoxPoints:
    """Points of one box; the other pixels of the depth image are not touched.

    Args:
        frame: with depth and intrinsics; depth may be aligned to colour or not.
        xyxy: (4,), half-open pixels of the colour image; parts outside the image are ignored.
        max_samples: approximate number of depth pixels used, evenly spaced.
        clip: whether unaligned depth pixels that appear outside the box become NaN.

    Raises:
        InputError: the frame lacks depth or intrinsics, or their sizes differ.
    """
    if frame.depth is None or frame.camera is None:
        raise InputError('points need a depth image and camera intrinsics: this frame lacks them')
    if frame.color_from_depth is None:
        return _aligned_box_points(frame.depth, frame.camera, xyxy, max_samples)
    if frame.depth_camera is None:
        raise InputError(
            'unaligned depth needs the intrinsics of the depth camera: check depth/camera_info'
        )
    cameras = _Cameras(frame.camera, frame.depth_camera, frame.color_from_depth)
    if cameras.differ_by_shift:
        return _shifted_box_points(frame.depth, cameras, xyxy, max_samples, clip)
    return _registered_box_points(frame.depth, cameras, xyxy, max_samples, clip)


@dataclass(frozen=True)
class _Cameras:
    """Two cameras and where they are to each other."""

    color: CameraModel
    depth: CameraModel
    color_from_depth: RigidTransform

    @property
    def differ_by_shift(self) -> bool:
        """Whether the pixels of one are those of the other, moved: see `without_overlap`."""
        color, depth, apart = self.color, self.depth, self.color_from_depth
        lenses = [(c.fx, c.fy, c.distortion_model, c.distortion) for c in (color, depth)]
        return (
            lenses[0] == lenses[1]
            and not apart.translation_m.any()
            and bool((apart.rotation == _NO_TURN).all())
        )


def _window(xyxy: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """The pixels whose centres lie in the box, clipped to the image."""
    corners = [float(corner) - 0.5 for corner in xyxy]
    if any(map(math.isnan, corners)):
        return 0, 0, 0, 0
    sizes = (width, height, width, height)
    x_min, y_min, x_max, y_max = (
        math.ceil(min(max(corner, 0), size)) for corner, size in zip(corners, sizes, strict=True)
    )
    return x_min, y_min, max(x_min, x_max), max(y_min, y_max)


def _sample(
    depth: DepthImage, camera: CameraModel, window: tuple[int, int, int, int], max_samples: int
) -> tuple[np.ndarray, int]:
    """Points of the window in the depth camera's frame, and the step between them."""
    x_min, y_min, x_max, y_max = window
    area = (x_max - x_min) * (y_max - y_min)
    step = max(1, round(math.sqrt(area / max_samples)))
    depth_m = depth.to_metres(depth.values[y_min:y_max:step, x_min:x_max:step])
    return deproject(depth_m, camera, x_min=x_min, y_min=y_min, step=step), step


def _aligned_box_points(
    depth: DepthImage, camera: CameraModel, xyxy: np.ndarray, max_samples: int
) -> BoxPoints:
    check_size(depth, camera)
    window = _window(xyxy, camera.width, camera.height)
    points_m, step = _sample(depth, camera, window, max_samples)
    return BoxPoints(points_m, np.zeros(3), step, step / camera.fy)


def _registered_box_points(
    depth: DepthImage, cameras: _Cameras, xyxy: np.ndarray, max_samples: int, clip: bool
) -> BoxPoints:
    check_size(depth, cameras.depth)
    window = _depth_window(cameras, xyxy)
    points, step = _sample(depth, cameras.depth, window, max_samples)
    points_m = cameras.color_from_depth.apply(points).astype(np.float32)
    if clip:
        pixels = project(points_m, cameras.color)
        lowest, highest = np.asarray(xyxy, pixels.dtype).reshape(2, 2) - pixels.dtype.type(0.5)
        inside = (pixels >= lowest) & (pixels < highest)
        np.copyto(points_m, np.nan, where=~(inside[..., :1] & inside[..., 1:]))
    viewpoint_m = cameras.color_from_depth.translation_m
    return BoxPoints(points_m, viewpoint_m, step, step / cameras.depth.fy)


def _shifted_box_points(
    depth: DepthImage, cameras: _Cameras, xyxy: np.ndarray, max_samples: int, clip: bool
) -> BoxPoints:
    """As `_registered_box_points`, for cameras that differ by a shift of the pixels."""
    check_size(depth, cameras.depth)
    shift = np.array([cameras.depth.cx - cameras.color.cx, cameras.depth.cy - cameras.color.cy])
    lowest, highest = np.asarray(xyxy, np.float64).reshape(2, 2) - 0.5 + shift
    span = np.concatenate([np.floor(lowest), np.ceil(highest) + 1])
    window = _window(span, cameras.depth.width, cameras.depth.height)
    points_m, step = _sample(depth, cameras.depth, window, max_samples)
    if clip:
        for axis, start in ((0, window[1]), (1, window[0])):
            places = start + step * np.arange(points_m.shape[axis])
            outside = (places < lowest[1 - axis]) | (places >= highest[1 - axis])
            points_m[(np.s_[:],) * axis + (outside,)] = np.nan
    return BoxPoints(points_m, np.zeros(3), step, step / cameras.depth.fy)


def _depth_window(cameras: _Cameras, xyxy: np.ndarray) -> tuple[int, int, int, int]:
    """The depth pixels that can appear in the box at any depth."""
    corners = np.asarray(xyxy, np.float64)[[[0, 1], [2, 1], [0, 3], [2, 3]]] - 0.5
    rays = np.ones((4, 3))
    rays[:, :2] = pixel_rays(corners, cameras.color)
    # A line of sight is straight in the other camera as well, so its ends bound it.
    ends = np.concatenate([rays * NEAREST_DEPTH_M, rays * 100.0])
    pixels = project(cameras.color_from_depth.inverse().apply(ends), cameras.depth)
    pixels = np.where(np.isnan(pixels), 0.0, pixels)
    span = np.concatenate([np.floor(pixels.min(axis=0)), np.ceil(pixels.max(axis=0)) + 1])
    return _window(span, cameras.depth.width, cameras.depth.height)


@dataclass(frozen=True)
class Layer:
    """One surface, or several in contact: the half-open range [low, high) of the histogram."""

    low: float
    high: float
    mass: float


def find_layers(
    positions: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    bin_width: float,
    valley: float = 0.5,
) -> list[Layer]:
    """Split positions along a line where the density is low.

    Args:
        positions: float (N,), distances or their logarithms; finite.
        weights: float (N,); None: all 1.
        valley: two peaks are two surfaces if the density between them falls below this fraction
            of the lower peak.
        bin_width: in the unit of the positions; gaps below three bins are ignored.

    Returns:
        Layers in ascending order; empty for N = 0.
    """
    return split_in_layers(positions, weights, bin_width=bin_width, valley=valley)[0]


def split_in_layers(
    positions: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    bin_width: float,
    valley: float = 0.5,
) -> tuple[list[Layer], np.ndarray]:
    """The layers of `find_layers`, and the number int (N,) of the one that holds each position."""
    if len(positions) == 0:
        return [], np.zeros(0, np.int64)
    low = float(positions.min()) - 3 * bin_width
    index = np.minimum((positions - low) / bin_width, _MAX_BINS).astype(np.int64)
    counts = np.bincount(index, weights, minlength=int(index.max()) + 4).astype(np.float64)
    edges = _valleys(np.convolve(counts, _KERNEL, mode='same'), valley)
    layers = [
        Layer(low + a * bin_width, low + b * bin_width, float(counts[a:b].sum()))
        for a, b in pairwise(edges)
    ]
    return layers, np.repeat(np.arange(len(layers)), np.diff(edges))[index]


def _valleys(density: np.ndarray, valley: float) -> list[int]:
    """Bins at which to cut, with both ends."""
    padded = np.concatenate([[0.0], density, [0.0]])
    rising = (padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:])
    peaks = np.flatnonzero(rising)
    if len(peaks) == 0:
        return [0, len(density)]
    tops, lows = density[peaks], np.minimum.reduceat(density, peaks)[:-1]
    depths = (lows / np.minimum(tops[:-1], tops[1:])).tolist()
    tops, lows, cuts = tops.tolist(), lows.tolist(), list(range(len(lows)))
    while depths:
        deepest = max(depths)
        if deepest < valley:
            break
        i = depths.index(deepest)
        del tops[i + int(tops[i + 1] < tops[i])], lows[i], cuts[i], depths[i]
        # Only the valleys on both sides of the lost peak have another one next to them.
        if i > 0:
            depths[i - 1] = lows[i - 1] / min(tops[i - 1], tops[i])
        if i < len(lows):
            depths[i] = lows[i] / min(tops[i], tops[i + 1])
    bottoms = (peaks[i] + int(density[peaks[i] : peaks[i + 1]].argmin()) for i in cuts)
    return [0, *map(int, bottoms), len(density)]
