"""The same results as vision_msgs 4.x, where that package is installed."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from std_msgs.msg import Header

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.objects.detections import Detections, Placements
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.ros.output.result_messages import TargetFrame, point


def vision_msgs() -> Any:
    """The message module; only this function imports vision_msgs.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return importlib.import_module('vision_msgs.msg')
    except ImportError as error:
        raise ConfigError(
            'publish_vision_msgs is true but vision_msgs is not installed: '
            'sudo apt-get install ros-$ROS_DISTRO-vision-msgs, or set it to false'
        ) from error


def detections_2d(detections: Detections, labels: LabelMap, *, header: Any) -> Any:
    """Detection2DArray in pixels of the source image; id is the track id, '' without."""
    messages = vision_msgs()
    array = messages.Detection2DArray(header=header)
    for (x_min, y_min, x_max, y_max), score, class_id, track_id in detections:
        item = messages.Detection2D(header=header, id=_track(track_id))
        item.bbox.center.position.x = float(x_min + x_max) / 2
        item.bbox.center.position.y = float(y_min + y_max) / 2
        item.bbox.size_x, item.bbox.size_y = float(x_max - x_min), float(y_max - y_min)
        item.results = [_hypothesis(messages, labels.name(class_id), score)]
        array.detections.append(item)
    return array


def detections_3d(
    detections: Detections,
    placements: Placements,
    labels: LabelMap,
    *,
    header: Any,
    target: TargetFrame,
) -> Any:
    """Detection3DArray of the objects with a position, metres in the target frame.

    The depth of an object behind its visible surface is unknown: size.z repeats the width.
    """
    messages = vision_msgs()
    header = Header(stamp=header.stamp, frame_id=target.frame_id)
    array = messages.Detection3DArray(header=header)
    position_m = target.points(placements.position_m)
    for i in np.flatnonzero(placements.has_position):
        name = labels.name(detections.class_ids[i])
        item = messages.Detection3D(header=header, id=_track(int(detections.track_ids[i])))
        item.results = [_hypothesis(messages, name, float(detections.scores[i]))]
        item.results[0].pose.pose.position = point(position_m[i])
        item.bbox.center.position = point(position_m[i])
        item.bbox.center.orientation.w = 1.0
        item.bbox.size.x = item.bbox.size.z = float(placements.width_m[i])
        item.bbox.size.y = float(placements.height_extent_m[i])
        array.detections.append(item)
    return array


def label_info(labels: LabelMap, *, header: Any, threshold: float) -> Any:
    """vision_msgs/LabelInfo."""
    messages = vision_msgs()
    info = messages.LabelInfo(header=header, threshold=threshold)
    info.class_map = [
        messages.VisionClass(class_id=int(class_id), class_name=name)
        for class_id, name in labels.names.items()
    ]
    return info


def _hypothesis(messages: Any, name: str, score: float) -> Any:
    hypothesis = messages.ObjectHypothesisWithPose()
    hypothesis.hypothesis.class_id = name
    hypothesis.hypothesis.score = score
    return hypothesis


def _track(track_id: int) -> str:
    return '' if track_id < 0 else str(track_id)
