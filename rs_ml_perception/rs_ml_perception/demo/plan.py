"""What a recording offers the nodes, as ROS arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.transform_tree import format_static_transform
from rs_ml_perception.recordings.camera_topics import CameraTopics, camera_topics
from rs_ml_perception.recordings.frames import half_period_ns
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
        return (self.topics.color or '').endswith('/compressed')

    def ros_args(self, params_file: str) -> list[str]:
        """Remappings and parameters for every node."""
        args = ['--params-file', params_file] if params_file else []
        for role, topic in self._remappings().items():
            args += ['-r', f'{role}:={topic}']
        parameters = {'use_sim_time': 'true', 'depth_source': self._depth_source()}
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
        depth_role = 'aligned_depth_to_color/image_raw'
        roles = {'color/image_raw': topics.color, 'color/camera_info': topics.color_info}
        if not topics.depth_is_aligned:
            depth_role = 'depth/image_rect_raw'
            roles['depth/camera_info'] = topics.depth_info
        roles |= {depth_role: topics.depth, 'accel/sample': topics.accel}
        roles['extrinsics/depth_to_color'] = topics.extrinsics
        return {role: _raw_name(topic) for role, topic in roles.items() if topic}

    def _depth_source(self) -> str:
        if self.topics.depth is None:
            return 'none'
        return 'aligned' if self.topics.depth_is_aligned else 'raw'


def make_plan(recording: Recording, wanted: Sequence[str]) -> Plan:
    """Look at a recording.

    Raises:
        InputError: it has no colour images, which every node needs.
    """
    topics = camera_topics(recording)
    if topics.color is None:
        names = ', '.join(topic.name for topic in recording.topics)
        raise InputError(f'recording {recording.path} holds no colour images, only {names}')
    left_out = {}
    if topics.depth is None and 'height' in wanted:
        left_out['height'] = 'the recording has no depth, so no heights and no positions'
    transforms = tuple(
        format_static_transform(parent, child, transform)
        for (parent, child), transform in recording.static_transforms.items()
    )
    nodes = tuple(name for name in wanted if name not in left_out)
    skew_ms = _single_frameset_skew_ms(recording, topics)
    return Plan(recording.path, topics, nodes, left_out, transforms, skew_ms)


def _single_frameset_skew_ms(recording: Recording, topics: CameraTopics) -> float:
    counts = [recording.topic(name).count for name in topics.images]
    return half_period_ns(recording, topics) * 1e-6 if min(counts) == 1 < len(counts) else 0.0


def _raw_name(topic: str) -> str:
    for suffix in SUFFIXES:
        topic = topic.removesuffix(suffix)
    return topic
