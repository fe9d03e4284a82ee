"""Inspection of a recording before nodes run on it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.transforms import format_static_transform
from rs_ml_perception.launching.recording_plan import TRANSFORMS, RecordingPlan
from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.recordings.camera_topics import CameraTopics, camera_topics, raw_name
from rs_ml_perception.recordings.pairs import half_period_ns
from rs_ml_perception.recordings.recording import Recording

_ROS_NAME = re.compile(r'(/[A-Za-z_][A-Za-z0-9_]*)+')


def make_plan(recording: Recording, wanted: Sequence[str]) -> RecordingPlan:
    """Determine the nodes that can run on a recording, and their settings.

    Raises:
        InputError: it has no images that any of the nodes could work on, or they are on a topic
            that cannot be published.
    """
    topics = camera_topics(recording)
    left_out = {name: reason for name in wanted if (reason := _why_not(name, topics))}
    nodes = tuple(name for name in wanted if name not in left_out)
    if not nodes and topics.color is None:
        raise InputError(
            f'recording {recording.path} holds no colour images, only {recording.contents}'
        )
    return RecordingPlan(
        recording=str(recording.path),
        nodes=nodes,
        left_out=left_out,
        remappings=_remappings(topics),
        shared=_shared_parameters(recording, topics),
        own={
            name: {'depth_source': _depth_source(name, topics)}
            for name in nodes
            if NODES[name].uses_depth
        },
        camera=topics.camera if topics.others else '',
        frame_id=_frame_id(recording, topics.color or topics.sensor_depth),
    )


def _why_not(name: str, topics: CameraTopics) -> str:
    """Why a node cannot run on a recording, '' if it can."""
    if NODES[name].is_depth_primary:
        return '' if topics.sensor_depth else 'the recording has no depth'
    if topics.color is None:
        return 'the recording has no colour'
    if NODES[name].requires_depth and topics.depth is None:
        return f'the recording has no depth, which {name} needs'
    return ''


def _remappings(topics: CameraTopics) -> dict[str, str]:
    roles = {
        'color/image_raw': topics.color,
        'color/camera_info': topics.color_info,
        'infra1/image_rect_raw': topics.infra,
        'accel/sample': topics.accel,
        'extrinsics/depth_to_color': topics.extrinsics,
    }
    if topics.depth_is_aligned:
        roles['aligned_depth_to_color/image_raw'] = topics.depth
    if _has_raw_depth(topics):
        roles['depth/image_rect_raw'] = topics.sensor_depth
        roles['depth/camera_info'] = topics.sensor_depth_info
    remappings = {role: raw_name(topic) for role, topic in roles.items() if topic}
    for topic in remappings.values():
        if not _ROS_NAME.fullmatch(topic):
            raise InputError(
                f'{topic} of the recording is no topic that ROS 2 can publish (letters, digits '
                'and underscores): `rs-ml process` needs no publishing'
            )
    return remappings


def _shared_parameters(recording: Recording, topics: CameraTopics) -> dict[str, Any]:
    parameters: dict[str, Any] = {'use_sim_time': True}
    skew_ms = _single_frameset_skew_ms(recording, topics)
    if skew_ms:
        parameters['max_skew_ms'] = round(skew_ms, 3)
    transforms = [
        format_static_transform(parent, child, transform)
        for (parent, child), transform in recording.static_transforms.items()
    ]
    if transforms:
        parameters[TRANSFORMS] = transforms
    return parameters


def _depth_source(node: str, topics: CameraTopics) -> str:
    if topics.depth is None:
        return 'none'
    if NODES[node].is_depth_primary and _has_raw_depth(topics):
        return 'raw'
    return 'aligned' if topics.depth_is_aligned else 'raw'


def _has_raw_depth(topics: CameraTopics) -> bool:
    return topics.sensor_depth != topics.depth or not topics.depth_is_aligned


def _single_frameset_skew_ms(recording: Recording, topics: CameraTopics) -> float:
    """Half a period for a recording of one frameset, where nodes cannot measure it; else 0."""
    counts = [topic.count for name in topics.images if (topic := recording.topic(name))]
    is_single = min(counts) == 1 < len(counts)
    return half_period_ns(recording, topics.images) * 1e-6 if is_single else 0.0


def _frame_id(recording: Recording, image_topic: str | None) -> str:
    """Frame of the first image, '' if it is damaged."""
    try:
        first = recording.first(image_topic)
    except InputError:
        return ''
    return first.header.frame_id if first else ''
