"""What a recording offers the nodes, as ROS arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.transform_tree import format_static_transform
from rs_ml_perception.nodes.parameter_file import given_values, write_values
from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.recordings.camera_topics import CameraTopics, camera_topics, raw_name
from rs_ml_perception.recordings.pairs import half_period_ns
from rs_ml_perception.recordings.recording import Recording

_ROS_NAME = re.compile(r'(/[A-Za-z_][A-Za-z0-9_]*)+')


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
    def _has_raw_depth(self) -> bool:
        topics = self.topics
        return topics.sensor_depth != topics.depth or not topics.depth_is_aligned

    def ros_args(self, params_file: str, written: Path) -> list[str]:
        """Remappings and parameters for every node.

        Args:
            params_file: of the user, which wins; '' for none.
            written: file for what the recording asks for.
        """
        values = {n: self.parameters(n, params_file, lockstep=True) for n in self.nodes}
        write_values(written, values)
        args = ['--params-file', params_file] if params_file else []
        args += ['--params-file', str(written)]
        for role, topic in self.remappings().items():
            args += ['-r', f'{role}:={topic}']
        return args

    def parameters(
        self, node: str, params_file: str = '', *, lockstep: bool = False
    ) -> dict[str, Any]:
        """What the recording asks for, as far as the user's file does not say otherwise.

        Args:
            node: its name.
            params_file: of the user, '' for none.
            lockstep: whether every frame waits for the nodes: then age is no reason to drop it.
        """
        given = given_values(node, params_file)
        parameters: dict[str, Any] = {'depth_source': self._depth_source(node)}
        if lockstep:
            parameters['max_age_secs'] = 0.0
        if self.max_skew_ms:
            parameters['max_skew_ms'] = self.max_skew_ms
        asked = {name: value for name, value in parameters.items() if name not in given}
        # Stamps of the recording are ages old by any other clock.
        asked['use_sim_time'] = True
        by_hand = [text for text in given.get('static_transforms') or () if text]
        transforms = _with_by_hand(self.static_transforms, by_hand)
        return {**asked, 'static_transforms': transforms} if transforms else asked

    def remappings(self) -> dict[str, str]:
        """Input of the nodes -> topic of the recording."""
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
        return {role: raw_name(topic) for role, topic in roles.items() if topic}

    def _depth_source(self, node: str) -> str:
        topics = self.topics
        if topics.depth is None:
            return 'none'
        if NODES[node].is_depth_primary and self._has_raw_depth:
            return 'raw'
        return 'aligned' if topics.depth_is_aligned else 'raw'


def _with_by_hand(recorded: Sequence[str], by_hand: Sequence[str]) -> list[str]:
    """Static transforms of a recording, but for frames that the user places, and the user's."""
    children = {text.split()[1] for text in by_hand if len(text.split()) > 1}
    return [*(text for text in recorded if text.split()[1] not in children), *by_hand]


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
    plan = Plan(recording.path, topics, nodes, left_out, transforms, skew_ms)
    for topic in plan.remappings().values():
        if not _ROS_NAME.fullmatch(topic):
            raise InputError(
                f'{topic} of the recording is no topic that ROS 2 can publish (letters, digits '
                'and underscores): `rs-ml process` works on it without publishing'
            )
    return plan


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
