"""Which topics of a recording nodes report on."""

from __future__ import annotations

from collections.abc import Sequence

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.recording import Recording


def primary_topics(recording: Recording, nodes: Sequence[str]) -> list[str]:
    """The primary streams of nodes, as far as the recording has them.

    Args:
        recording: to be replayed.
        nodes: full names; what the table does not know, and no name at all, stands for nodes that
            work on colour images (on depth where there is no colour).
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
