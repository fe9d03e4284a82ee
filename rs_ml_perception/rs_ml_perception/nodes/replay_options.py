"""Parameters of the replay node; a module of its own, since the launch file has no rclpy."""

from __future__ import annotations

from dataclasses import dataclass

from rs_ml_perception.core.options import option


@dataclass(frozen=True)
class ReplayOptions:
    """Parameters of the replay node, read once at the start."""

    bag: str = option('', 'recording: rosbag2 directory, .mcap, .db3, or .bag of librealsense')
    camera: str = option('', 'namespace of the camera to use in a recording with several')
    rate: float = option(1.0, 'speed factor; ignored in lockstep', low=0.01, high=100.0)
    loop: bool = option(False, 'restart at the end; stamps jump back')
    clock: bool = option(True, 'publish /clock, for nodes with use_sim_time')
    lockstep: bool = option(
        False, 'publish a frame only after every node has reported the previous one'
    )
    wait_for_nodes: tuple[str, ...] = option(
        (), 'nodes to wait for, also in lockstep; empty: all that report'
    )
    wait_for_readers_of: tuple[str, ...] = option(
        (), 'topics that need a subscriber before the first message, for example a viewer'
    )
    wait_for_subscribers_secs: float = option(
        30.0, 'maximum wait for nodes and subscribers before the first message', unit='s', low=0.0
    )
    lockstep_timeout_secs: float = option(
        10.0, 'maximum wait for the nodes to report a frame', unit='s', low=0.001
    )
    topics: tuple[str, ...] = option((), 'regular expressions of the topics to replay; empty: all')
    primary_topics: tuple[str, ...] = option(
        (), 'image topics that nodes report; empty: colour, else depth'
    )
    reliability: str = option(
        'reliable', 'reliability of image publishers', choices=('reliable', 'best_effort')
    )
    exit_when_done: bool = option(True, 'exit after the last message')
