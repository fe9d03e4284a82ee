"""What a recording offers the nodes, as ROS arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.transform_tree import format_static_transform
from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.recordings.camera_topics import CameraTopics, camera_topics
from rs_ml_perception.recordings.pairs import half_period_ns
from rs_ml_perception.recordings.recording import Recording

SUFFIXES = ('/compressedDepth', '/compressed')


@dataclass(frozen=True)
class Plan:
    """How to run nodes on a recording.

    Attributes:
        recording: its path.
        topics: the camera's topics in it.
        nodes: that can work with it.
        left_out: node -> why it cannot.
        static_transforms: 'parent child x y z qx qy qz qw' each.
        max_skew_ms: for a recording of a single frameset, whose period no node can know; else 0.
    """

    recording: Path
    topics: CameraTopics
    nodes: tuple[str, ...]
    left_out: dict[str, str]
    static_transforms: tuple[str, ...]
    max_skew_ms: float = 0.0

    @property
    def is_compressed(self) -> bool:
        return (self.topics.color or self.topics.sensor_depth or '').endswith(SUFFIXES)

    @property
    def _has_raw_depth(self) -> bool:
        topics = self.topics
        return topics.sensor_depth != topics.depth or not topics.depth_is_aligned

    def ros_args(self, params_file: str) -> list[str]:
        """Remappings and parameters for every node."""
        args = ['--params-file', params_file] if params_file else []
        for role, topic in self._remappings().items():
            args += ['-r', f'{role}:={topic}']
        parameters = {'use_sim_time': 'true'}
        # By node: what holds for all nodes would win over what is said of one.
        for name in self.nodes:
            parameters[f'{name}:depth_source'] = self._depth_source(name)
        if self.is_compressed:
            parameters['image_transport'] = 'compressed'
        if self.max_skew_ms:
            parameters['max_skew_ms'] = f'{self.max_skew_ms:.3f}'
        if self.static_transforms:
            quoted = ', '.join(f'"{text}"' for text in self.static_transforms)
            parameters['static_transforms'] = f'[{quoted}]'
        for name, value in parameters.items():
            args += ['-p', f'{name}:={value}']
        return args

    def _remappings(self) -> dict[str, str]:
        topics = self.topics
        roles = {
            'color/image_raw': topics.color,
            'color/camera_info': topics.color_info,
            'infra1/image_rect_raw': topics.infra,
            'accel/sample': topics.accel,
            'extrinsics/depth_to_color': topics.extrinsics,
        }
        if topics.depth_is_aligned:
            roles['aligned_depth_to_color/image_raw'] = topics.depth
        if self._has_raw_depth:
            roles['depth/image_rect_raw'] = topics.sensor_depth
            roles['depth/camera_info'] = topics.sensor_depth_info
        return {role: _raw_name(topic) for role, topic in roles.items() if topic}

    def _depth_source(self, node: str) -> str:
        topics = self.topics
        if topics.depth is None:
            return 'none'
        if NODES[node].is_depth_primary and self._has_raw_depth:
            return 'raw'
        return 'aligned' if topics.depth_is_aligned else 'raw'


def make_plan(recording: Recording, wanted: Sequence[str]) -> Plan:
    """Look at a recording.

    Raises:
        InputError: it has no images that any of the nodes could work on.
    """
    topics = camera_topics(recording)
    left_out = {name: reason for name in wanted if (reason := _why_not(name, topics))}
    nodes = tuple(name for name in wanted if name not in left_out)
    if not nodes and topics.color is None:
        names = ', '.join(topic.name for topic in recording.topics)
        raise InputError(f'recording {recording.path} holds no colour images, only {names}')
    transforms = tuple(
        format_static_transform(parent, child, transform)
        for (parent, child), transform in recording.static_transforms.items()
    )
    skew_ms = _single_frameset_skew_ms(recording, topics)
    return Plan(recording.path, topics, nodes, left_out, transforms, skew_ms)


def _why_not(name: str, topics: CameraTopics) -> str:
    """Why a node cannot work with a recording, '' where it can."""
    if NODES[name].is_depth_primary:
        return '' if topics.sensor_depth else 'the recording has no depth'
    if topics.color is None:
        return 'the recording has no colour'
    if name == 'height' and topics.depth is None:
        return 'the recording has no depth, so no heights and no positions'
    return ''


def _single_frameset_skew_ms(recording: Recording, topics: CameraTopics) -> float:
    counts = [recording.topic(name).count for name in topics.images]
    is_single = min(counts) == 1 < len(counts)
    return half_period_ns(recording, topics.images) * 1e-6 if is_single else 0.0


def _raw_name(topic: str) -> str:
    for suffix in SUFFIXES:
        topic = topic.removesuffix(suffix)
    return topic
