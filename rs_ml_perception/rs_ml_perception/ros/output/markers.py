"""Detections and heights as markers for rviz2."""

from __future__ import annotations

from typing import Any

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Vector3
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

from rs_ml_perception.core.objects.detections import Detections, Placements
from rs_ml_perception.core.objects.labels import LabelMap, class_color
from rs_ml_perception.core.people.heights import HeightStatus, PersonHeights
from rs_ml_perception.ros.output.result_messages import TargetFrame, color, point

LIFETIME = Duration(sec=1)
TEXT_HEIGHT_M = 0.12
LINE_WIDTH_M = 0.03
LOWER_BOUND = (HeightStatus.TRUNCATED, HeightStatus.OCCLUDED)


def detection_markers(
    detections: Detections,
    placements: Placements,
    labels: LabelMap,
    *,
    header: Any,
    target: TargetFrame,
) -> MarkerArray:
    """A sphere as wide as the object and its name for every object with a position."""
    header = Header(stamp=header.stamp, frame_id=target.frame_id)
    position_m = target.points(placements.position_m)
    markers = [_delete_all(header)]
    for i in np.flatnonzero(placements.has_position):
        class_id = int(detections.class_ids[i])
        size_m = float(np.nan_to_num(placements.width_m[i], nan=0.1))
        sphere = _marker(header, 'objects', int(i), Marker.SPHERE, class_id, alpha=0.4)
        sphere.pose.position = point(position_m[i])
        sphere.scale = Vector3(x=size_m, y=size_m, z=size_m)
        text = f'{labels.name(class_id)} {detections.scores[i]:.2f}'
        markers += [sphere, _text(header, 'names', int(i), position_m[i], text, class_id)]
    return MarkerArray(markers=markers)


def height_markers(heights: PersonHeights, *, header: Any, target: TargetFrame) -> MarkerArray:
    """A line from feet to head and the height for every person measured."""
    header = Header(stamp=header.stamp, frame_id=target.frame_id)
    head_m, feet_m = target.points(heights.head_m), target.points(heights.feet_m)
    markers = [_delete_all(header)]
    for i in np.flatnonzero(np.isfinite(heights.height_m)):
        class_id = int(heights.detections.class_ids[i])
        line = _marker(header, 'heights', int(i), Marker.LINE_STRIP, class_id)
        line.points = [point(feet_m[i]), point(head_m[i])]
        line.scale.x = LINE_WIDTH_M
        bound = '≥ ' if heights.status[i] in LOWER_BOUND else ''
        text = f'{bound}{heights.height_m[i]:.2f} m'
        markers += [line, _text(header, 'numbers', int(i), head_m[i], text, class_id)]
    return MarkerArray(markers=markers)


def _delete_all(header: Header) -> Marker:
    return Marker(header=header, action=Marker.DELETEALL)


def _marker(
    header: Header, namespace: str, number: int, kind: int, class_id: int, alpha: float = 1.0
) -> Marker:
    marker = Marker(header=header, ns=namespace, id=number, type=kind, action=Marker.ADD)
    marker.color = color(class_color(class_id), alpha)
    marker.lifetime = LIFETIME
    marker.pose.orientation.w = 1.0
    return marker


def _text(
    header: Header, namespace: str, number: int, xyz_m: np.ndarray, text: str, class_id: int
) -> Marker:
    marker = _marker(header, namespace, number, Marker.TEXT_VIEW_FACING, class_id)
    marker.pose.position = point(xyz_m)
    marker.scale.z = TEXT_HEIGHT_M
    marker.text = text
    return marker
