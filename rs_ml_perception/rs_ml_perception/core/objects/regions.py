"""Connected regions of a segmentation mask, with poses where depth is known."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.box_points import box_points
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.projection import project
from rs_ml_perception.core.objects.detections import check_shape
from rs_ml_perception.core.objects.labels import UNLABELLED

DEFAULT_MIN_AREA_PX = 400
DEFAULT_MAX_REGIONS = 50
MIN_POSE_POINTS = 30
"""Fewer points give no axes."""

_MAX_SAMPLES = 8000
_EDGE_PX = 2
"""Depth at an outline mixes both sides, so this many pixels are left out."""

_OUTLIER_SPREADS = 4.0


@dataclass(frozen=True, eq=False)
class Regions:
    """Parallel arrays over N regions, largest first; NaN if unknown.

    Attributes:
        class_ids: int32 (N,).
        area_px: int64 (N,).
        centroids_px: float32 (N, 2), x and y in pixels of the original image.
        has_pose: bool (N,).
        position_m: float64 (N, 3), median of the cloud in the colour optical frame.
        camera_from_region: float64 (N, 3, 3), columns are axes by PCA: z along the least
            extent and toward the camera, x along the greatest, right-handed.
        size_m: float32 (N, 3), extent along the region's x, y, z.
    """

    class_ids: np.ndarray
    area_px: np.ndarray
    centroids_px: np.ndarray
    has_pose: np.ndarray
    position_m: np.ndarray
    camera_from_region: np.ndarray
    size_m: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.class_ids)
        check_shape('area_px', self.area_px, (n,))
        check_shape('centroids_px', self.centroids_px, (n, 2))
        check_shape('has_pose', self.has_pose, (n,))
        check_shape('position_m', self.position_m, (n, 3))
        check_shape('camera_from_region', self.camera_from_region, (n, 3, 3))
        check_shape('size_m', self.size_m, (n, 3))

    @classmethod
    def empty(cls) -> Regions:
        """No regions."""
        return cls(
            np.zeros(0, np.int32),
            np.zeros(0, np.int64),
            np.zeros((0, 2), np.float32),
            np.zeros(0, bool),
            np.zeros((0, 3)),
            np.zeros((0, 3, 3)),
            np.zeros((0, 3), np.float32),
        )

    def __len__(self) -> int:
        return len(self.class_ids)


def find_regions(
    mask: np.ndarray,
    frame: Frame,
    *,
    min_area_px: int = DEFAULT_MIN_AREA_PX,
    max_regions: int = DEFAULT_MAX_REGIONS,
    ignore: tuple[int, ...] = (UNLABELLED,),
) -> Regions:
    """Connected regions of equal class, with a pose from the cloud under each.

    Args:
        mask: uint8 (H, W), class ids, of the size of the colour image.
        frame: depth and intrinsics (aligned or not) give the poses; has_pose is False without.
        min_area_px: smaller regions are left out.
        max_regions: only the largest are kept.
        ignore: class ids that are no objects, such as background.

    Returns:
        Regions, largest first. The axes of a flat round region are arbitrary within its plane.
    """
    if mask.ndim != 2 or mask.dtype != np.uint8:
        raise InputError(f'mask must be uint8 (H, W), got {mask.dtype} of shape {mask.shape}')
    found = _connected(mask, min_area_px, ignore)
    found.sort(key=lambda region: -region.area_px)
    found = found[: max(0, max_regions)]
    if not found:
        return Regions.empty()
    poses = [_region_pose(region, frame) for region in found]
    return Regions(
        np.array([region.class_id for region in found], np.int32),
        np.array([region.area_px for region in found], np.int64),
        np.array([region.centroid_px for region in found], np.float32),
        np.array([pose is not None for pose in poses]),
        *_stack_poses(poses),
    )


@dataclass(frozen=True, eq=False)
class _Region:
    """One connected component: its box x, y, w, h and its pixels inside that, bool (h, w)."""

    class_id: int
    area_px: int
    centroid_px: np.ndarray
    x: int
    y: int
    inside: np.ndarray


@dataclass(frozen=True, eq=False)
class Pose:
    """Place, axes (columns) and extents of a cloud."""

    position_m: np.ndarray
    rotation: np.ndarray
    size_m: np.ndarray


def _connected(mask: np.ndarray, min_area_px: int, ignore: tuple[int, ...]) -> list[_Region]:
    found = []
    areas = np.bincount(mask.reshape(-1), minlength=256)
    for class_id in np.flatnonzero(areas >= max(1, min_area_px)):
        if class_id in ignore:
            continue
        of_class = (mask == class_id).view(np.uint8)
        left, top, width, height = cv2.boundingRect(of_class)
        of_class = of_class[top : top + height, left : left + width]
        _, labels, stats, centroids = cv2.connectedComponentsWithStats(of_class, connectivity=8)
        for label in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= min_area_px):
            if label == 0:  # cv2's own background
                continue
            x, y, w, h, area = (int(value) for value in stats[label])
            inside = labels[y : y + h, x : x + w] == label
            centroid_px = centroids[label] + (left, top)
            found.append(_Region(int(class_id), area, centroid_px, left + x, top + y, inside))
    return found


def _stack_poses(poses: list[Pose | None]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    unknown = Pose(np.full(3, np.nan), np.full((3, 3), np.nan), np.full(3, np.nan))
    known = [unknown if pose is None else pose for pose in poses]
    return (
        np.array([pose.position_m for pose in known]),
        np.array([pose.rotation for pose in known]),
        np.array([pose.size_m for pose in known], np.float32),
    )


def _region_pose(region: _Region, frame: Frame) -> Pose | None:
    if frame.depth is None or frame.camera is None:
        return None
    return cloud_pose(_region_points(region, frame, frame.camera))


def _region_points(region: _Region, frame: Frame, camera: CameraModel) -> np.ndarray:
    """Points (N, 3) under the region, without its rim if the rest suffices."""
    h, w = region.inside.shape
    xyxy = np.array([region.x, region.y, region.x + w, region.y + h])
    points_m = box_points(frame, xyxy, max_samples=_MAX_SAMPLES).points_m.reshape(-1, 3)
    points_m = points_m[np.isfinite(points_m[:, 2])]
    pixels = np.rint(project(points_m, camera)).astype(np.int64) - (region.x, region.y)
    u, v = np.clip(pixels, 0, (w - 1, h - 1)).T
    padded = np.pad(region.inside.astype(np.uint8), 1)
    from_edge = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    inner = from_edge[v, u] > _EDGE_PX
    if np.count_nonzero(inner) < MIN_POSE_POINTS:
        inner = from_edge[v, u] > 0
    return points_m[inner]


def cloud_pose(points_m: np.ndarray) -> Pose | None:
    """Pose of a cloud by principal components, without outliers in depth.

    Args:
        points_m: float (N, 3), metres, in a camera's optical frame.

    Returns:
        None below MIN_POSE_POINTS points.
    """
    if len(points_m) < MIN_POSE_POINTS:
        return None
    points = _without_outliers(points_m.astype(np.float64))
    centre = np.median(points, axis=0)
    _, axes = np.linalg.eigh(np.cov(points.T))
    rotation = _facing(axes[:, 2], axes[:, 0], centre)
    low, high = np.quantile((points - centre) @ rotation, (0.01, 0.99), axis=0)
    return Pose(centre, rotation, high - low)


def _without_outliers(points: np.ndarray) -> np.ndarray:
    distance = np.abs(points[:, 2] - np.median(points[:, 2]))
    spread = 1.4826 * np.median(distance)
    # A slanted plane spreads evenly: four of its spreads hold all of it.
    return points[distance <= _OUTLIER_SPREADS * max(spread, 1e-3)]


def _facing(longest: np.ndarray, thinnest: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Right-handed axes: z toward the camera, x with its greatest component positive."""
    z = -thinnest if thinnest @ centre > 0 else thinnest
    x = longest if longest[np.argmax(np.abs(longest))] > 0 else -longest
    return np.stack([x, np.cross(z, x), z], axis=1)
