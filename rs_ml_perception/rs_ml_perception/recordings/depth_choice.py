"""The depth a node asks for, among what a recording holds."""

from __future__ import annotations

from dataclasses import replace

from rs_ml_perception.recordings.camera_topics import CameraTopics


def choose_depth(topics: CameraTopics, depth_source: str) -> CameraTopics:
    """The topics as a node with this parameter listens to them.

    Args:
        topics: of the recording.
        depth_source: 'auto', 'aligned', 'raw' or 'none', see the parameter of the nodes.
    """
    if depth_source == 'auto':
        return topics
    aligned = topics.depth if topics.depth_is_aligned else None
    raw = topics.sensor_depth if topics.sensor_depth != aligned else None
    depth = {'aligned': aligned, 'raw': raw, 'none': None}[depth_source]
    info = topics.depth_info if depth == topics.depth else topics.sensor_depth_info
    info = info if depth else None
    return replace(
        topics,
        depth=depth,
        depth_info=info,
        depth_is_aligned=depth is not None and depth == aligned,
        sensor_depth=depth,
        sensor_depth_info=info,
        infra=topics.infra if depth and depth == raw else None,
    )
