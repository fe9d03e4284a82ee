"""Results to rs_ml_msgs and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from std_msgs.msg import ColorRGBA

from rs_ml_msgs.msg import (
    Detection,
    DetectionArray,
    LabelInfo,
    PersonHeight,
    PersonHeightArray,
    SegmentRegion,
    SegmentRegionArray,
)
from rs_ml_perception.core.geometry.transforms import RigidTransform, quaternion_xyzw
from rs_ml_perception.core.objects.detections import Detections, Placements
from rs_ml_perception.core.objects.labels import LabelMap, class_color
from rs_ml_perception.core.objects.regions import Regions
from rs_ml_perception.core.people.heights import PersonHeights


@dataclass(frozen=True, eq=False)
class TargetFrame:
    """The frame in which results are expressed.

    Attributes:
        frame_id: name of the frame.
        target_from_camera: None for the frame of the camera.
    """

    frame_id: str
    target_from_camera: RigidTransform | None = None

    @property
    def rotation(self) -> np.ndarray:
        """float64 (3, 3), target_from_camera."""
        return np.eye(3) if self.target_from_camera is None else self.target_from_camera.rotation

    def points(self, points_in_camera: np.ndarray) -> np.ndarray:
        """Points (N, 3), metres, in the target frame; NaN stays NaN."""
        if self.target_from_camera is None:
            return points_in_camera
        return self.target_from_camera.apply(points_in_camera)


Lookup = Callable[[str, str, int], RigidTransform | None]
"""(target, source, stamp in ns) -> target_from_source, None if they are not connected."""


def find_target(
    lookup: Lookup, wanted: str, camera_frame_id: str, stamp_ns: int
) -> tuple[TargetFrame, str]:
    """The wanted frame and '', or the frame of the camera and the reason."""
    if wanted in ('', camera_frame_id):
        return TargetFrame(camera_frame_id), ''
    target_from_camera = lookup(wanted, camera_frame_id, stamp_ns)
    if target_from_camera is None:
        problem = (
            f'no transform from {camera_frame_id} to target_frame {wanted}: '
            'positions stay in the camera frame'
        )
        return TargetFrame(camera_frame_id), problem
    return TargetFrame(wanted, target_from_camera), ''


def point(xyz_m: np.ndarray) -> Point:
    return Point(x=float(xyz_m[0]), y=float(xyz_m[1]), z=float(xyz_m[2]))


def detection_array(
    detections: Detections,
    placements: Placements,
    labels: LabelMap,
    *,
    header: Any,
    image_size: tuple[int, int],
    model: str,
    target: TargetFrame,
    depth_skew_ms: float,
) -> DetectionArray:
    """Boxes with positions; image_size is (width, height) of the source image."""
    msg = DetectionArray(header=header, image_width=image_size[0], image_height=image_size[1])
    msg.model, msg.depth_skew_ms = model, depth_skew_ms
    msg.position_frame_id = target.frame_id
    position_m = target.points(placements.position_m)
    msg.detections = [
        _detection(detections, placements, position_m, labels, i) for i in range(len(detections))
    ]
    return msg


def _detection(
    detections: Detections,
    placements: Placements,
    position_m: np.ndarray,
    labels: LabelMap,
    i: int,
) -> Detection:
    x_min, y_min, x_max, y_max = (float(value) for value in detections.xyxy[i])
    return Detection(
        label=labels.name(detections.class_ids[i]),
        class_id=int(detections.class_ids[i]),
        score=float(detections.scores[i]),
        x_min=x_min,
        y_min=y_min,
        x_max=x_max,
        y_max=y_max,
        track_id=int(detections.track_ids[i]),
        has_position=bool(placements.has_position[i]),
        position=point(position_m[i]),
        width_m=float(placements.width_m[i]),
        height_extent_m=float(placements.height_extent_m[i]),
    )


def person_height_array(
    heights: PersonHeights,
    labels: LabelMap,
    *,
    header: Any,
    target: TargetFrame,
    depth_skew_ms: float,
) -> PersonHeightArray:
    """Heights with their detections; positions, heads and feet in the target's frame."""
    msg = PersonHeightArray(header=header, depth_skew_ms=depth_skew_ms)
    msg.position_frame_id = target.frame_id
    position_m = target.points(heights.placements.position_m)
    head_m, feet_m = target.points(heights.head_m), target.points(heights.feet_m)
    for i in range(len(heights)):
        person = PersonHeight(
            detection=_detection(heights.detections, heights.placements, position_m, labels, i),
            status=int(heights.status[i]),
            height_m=float(heights.height_m[i]),
            height_stddev_m=float(heights.height_stddev_m[i]),
            position=point(position_m[i]),
            head=point(head_m[i]),
            feet=point(feet_m[i]),
            method=int(heights.method[i]),
            num_points=int(heights.num_points[i]),
        )
        msg.heights.append(person)
    return msg


def label_info(labels: LabelMap, *, header: Any, model: str) -> LabelInfo:
    msg = LabelInfo(header=header, model=model)
    msg.class_ids = [int(class_id) for class_id in labels.names]
    msg.names = list(labels.names.values())
    msg.colors = [color(class_color(class_id)) for class_id in labels.names]
    return msg


def color(rgb: tuple[int, int, int], alpha: float = 1.0) -> ColorRGBA:
    """uint8 channels to a message."""
    return ColorRGBA(r=rgb[0] / 255, g=rgb[1] / 255, b=rgb[2] / 255, a=alpha)


def segment_region_array(
    regions: Regions,
    labels: LabelMap,
    *,
    header: Any,
    target: TargetFrame,
    depth_skew_ms: float,
) -> SegmentRegionArray:
    """Regions of a mask; poses in the target's frame, NaN where a region has none."""
    msg = SegmentRegionArray(header=header, pose_frame_id=target.frame_id)
    msg.depth_skew_ms = depth_skew_ms
    position_m = target.points(regions.position_m)
    for i in range(len(regions)):
        rotation = target.rotation @ regions.camera_from_region[i]
        region = SegmentRegion(
            class_id=int(regions.class_ids[i]),
            label=labels.name(regions.class_ids[i]),
            area_px=int(regions.area_px[i]),
            centroid_x=float(regions.centroids_px[i, 0]),
            centroid_y=float(regions.centroids_px[i, 1]),
            has_pose=bool(regions.has_pose[i]),
            pose=Pose(position=point(position_m[i]), orientation=_orientation(rotation)),
            size_m=_vector(regions.size_m[i]),
        )
        msg.regions.append(region)
    return msg


def _vector(xyz: np.ndarray) -> Vector3:
    return Vector3(x=float(xyz[0]), y=float(xyz[1]), z=float(xyz[2]))


def _orientation(rotation: np.ndarray) -> Quaternion:
    if not np.isfinite(rotation).all():
        nan = float('nan')
        return Quaternion(x=nan, y=nan, z=nan, w=nan)
    x, y, z, w = quaternion_xyzw(rotation)
    return Quaternion(x=x, y=y, z=z, w=w)


def read_detections(rows: Sequence[Any]) -> tuple[Detections, LabelMap]:
    """rs_ml_msgs/Detection messages to boxes and the names of their classes."""
    boxes = [(d.x_min, d.y_min, d.x_max, d.y_max) for d in rows]
    detections = Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array([d.score for d in rows], np.float32),
        np.array([d.class_id for d in rows], np.int32),
        np.array([d.track_id for d in rows], np.int32),
    )
    return detections, LabelMap({d.class_id: d.label for d in rows})


def read_placements(rows: Sequence[Any]) -> Placements:
    """rs_ml_msgs/Detection messages to positions and extents."""
    return Placements(
        np.array([d.has_position for d in rows], bool),
        _points([d.position for d in rows]),
        np.array([d.width_m for d in rows], np.float32),
        np.array([d.height_extent_m for d in rows], np.float32),
    )


def read_heights(rows: Sequence[Any]) -> PersonHeights:
    """rs_ml_msgs/PersonHeight messages to heights."""
    found = [row.detection for row in rows]
    return PersonHeights(
        read_detections(found)[0],
        read_placements(found),
        np.array([row.status for row in rows], np.uint8),
        np.array([row.height_m for row in rows], np.float32),
        np.array([row.height_stddev_m for row in rows], np.float32),
        _points([row.head for row in rows]),
        _points([row.feet for row in rows]),
        np.array([row.method for row in rows], np.uint8),
        np.array([row.num_points for row in rows], np.int64),
    )


def _points(points: Sequence[Any]) -> np.ndarray:
    return np.array([(p.x, p.y, p.z) for p in points], np.float64).reshape(-1, 3)
