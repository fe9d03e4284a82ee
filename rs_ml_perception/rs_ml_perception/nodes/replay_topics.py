"""Topics of a replay: those to publish, and those with frames that nodes report."""

from __future__ import annotations

import importlib
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.messages import IMAGE_TYPES, IMU, Topic
from rs_ml_perception.recordings.recording import Recording
from rs_ml_perception.ros.qos import latched, profile

NEVER_REPLAYED = ('/clock', '/rosout', '/parameter_events')


def import_message_type(name: str) -> Any:
    """The class of 'package/msg/Type'.

    Raises:
        ImportError: the package is not installed.
        AttributeError: it has no such type.
    """
    package, folder, type_name = name.split('/')
    return getattr(importlib.import_module(f'{package}.{folder}'), type_name)


def create_publishers(
    node: Node, topics: Iterable[Topic], *, wanted: Collection[str], reliability: str
) -> dict[str, Publisher]:
    """A publisher for every topic with an installed type; a warning names the others.

    Args:
        node: owner.
        topics: of the recording.
        wanted: regular expressions of whole names; empty: all.
        reliability: of the images, 'reliable' or 'best_effort'.
    """
    publishers = {}
    is_wanted = TopicFilter(wanted)
    for topic in topics:
        if topic.name in NEVER_REPLAYED or not is_wanted(topic.name):
            continue
        try:
            message_type = import_message_type(topic.type)
            qos = _qos(topic, reliability)
            publishers[topic.name] = node.create_publisher(message_type, topic.name, qos)
        except (ImportError, AttributeError) as error:
            node.get_logger().warning(
                f'{topic.name} is left out: {topic.type} is not installed ({error}); '
                f'install the package {topic.type.split("/")[0]} to replay it'
            )
        except Exception as error:  # rclpy raises various kinds for bad names
            reason = ' '.join(str(error).split())
            node.get_logger().warning(f'{topic.name} ({topic.type}) is left out: {reason}')
    return publishers


class TopicFilter:
    """Chooses topics by regular expressions of whole names, with or without the leading slash.

    Args:
        patterns: of the user; empty: all.

    Raises:
        ConfigError: one is no regular expression.
    """

    def __init__(self, patterns: Collection[str]) -> None:
        self._patterns = [_compiled(pattern) for pattern in patterns]

    def __call__(self, name: str) -> bool:
        """Whether a topic is wanted."""
        if not self._patterns:
            return True
        return any(p.fullmatch(n) for p in self._patterns for n in (name, name.lstrip('/')))


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ConfigError(
            f'topics must be regular expressions, {pattern!r} is none ({error}): '
            "any text is '.*', not '*'"
        ) from error


def _qos(topic: Topic, reliability: str) -> QoSProfile:
    if topic.is_latched:
        return latched()
    if topic.type in IMAGE_TYPES and reliability == 'best_effort':
        return profile(ReliabilityPolicy.BEST_EFFORT)
    # IMU samples arrive in bursts, hundreds per second.
    return profile(ReliabilityPolicy.RELIABLE, depth=100 if topic.type == IMU else 10)


def primary_topics(recording: Recording, nodes: Sequence[str]) -> list[str]:
    """The primary streams of nodes that the recording contains.

    Args:
        recording: to be replayed.
        nodes: full names; unknown ones, and an empty list, count as nodes that work on colour
            images (on depth if there is no colour).
    """
    topics = camera_topics(recording)
    specs = [NODES.get(name.rpartition('/')[2]) for name in nodes]
    on_depth = [spec is not None and spec.is_depth_primary for spec in specs]
    found = [] if on_depth and all(on_depth) else list(topics.images[:1])
    if any(on_depth) and topics.sensor_depth:
        found.append(topics.sensor_depth)
    return list(dict.fromkeys(found))


def named_topics(recording: Recording, names: Sequence[str]) -> list[str]:
    """Topics that a user names as primary, with or without the leading slash.

    Raises:
        ConfigError: the recording does not hold one.
    """
    wanted = [f'/{name.lstrip("/")}' for name in names]
    for name in wanted:
        if recording.topic(name) is None:
            raise ConfigError(
                f'primary topic {name} is not in {recording.path}: it holds {recording.contents}'
            )
    return wanted
