"""Parameters of the replay node, apart from it: the launch file reads them without rclpy."""

from __future__ import annotations

from dataclasses import dataclass

from rs_ml_perception.core.options import option


@dataclass(frozen=True)
class ReplayOptions:
    """All are read once, at the start."""

    bag: str = option('', 'recording: rosbag2 directory, .mcap, .db3, or .bag of librealsense')
    camera: str = option(
        '', 'namespace of the camera whose images are frames, where the recording holds several'
    )
    rate: float = option(1.0, 'speed factor; not used in lockstep', low=0.01, high=100.0)
    loop: bool = option(False, 'begin again at the end; stamps jump back')
    clock: bool = option(True, 'publish /clock, for nodes with use_sim_time')
    lockstep: bool = option(False, 'next frame only when every node has reported the last')
    wait_for_nodes: tuple[str, ...] = option(
        (), 'nodes to wait for and, in lockstep, to keep step with; none: all that report'
    )
    wait_for_readers_of: tuple[str, ...] = option(
        (), 'topics that must have a subscriber before the first message, such as a viewer'
    )
    wait_for_subscribers_secs: float = option(
        30.0, 'longest wait for nodes and subscribers before the first message [s]', low=0.0
    )
    lockstep_timeout_secs: float = option(
        10.0, 'longest wait for the nodes to report a frame [s]', low=0.001
    )
    topics: tuple[str, ...] = option((), 'topics to replay, regular expressions; none: all')
    primary_topics: tuple[str, ...] = option(
        (), 'image topics that nodes report; none: colour, else depth'
    )
    reliability: str = option(
        'reliable', 'of image publishers', choices=('reliable', 'best_effort')
    )
    exit_when_done: bool = option(True, 'end the process after the last message')
