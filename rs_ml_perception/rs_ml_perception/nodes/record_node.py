"""Writes topics to a rosbag2, byte for byte as they were published."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.options import option
from rs_ml_perception.nodes.replay_publishers import import_message_type, matches
from rs_ml_perception.recordings.writer import STORAGES, RecordingWriter, qos_profile
from rs_ml_perception.ros.guards import guarded
from rs_ml_perception.ros.parameters import ParameterBinding
from rs_ml_perception.ros.qos import profile
from rs_ml_perception.ros.tool_process import StopRequest, run_tool

LOOK_PERIOD_SECS = 0.2
"""How often the graph is looked at for new topics."""

DRAIN_SECS = 0.3
"""At the end, time without a message after which nothing more is expected."""

QUEUE_DEPTH = 200


@dataclass(frozen=True)
class RecordOptions:
    """Parameters of the record node, read once, at the start."""

    out: str = option('', 'directory to create')
    topics: tuple[str, ...] = option(
        (), 'topics to record, regular expressions of whole names; none: all of the namespace'
    )
    storage: str = option('mcap', 'file format', choices=tuple(STORAGES))
    overwrite: bool = option(False, 'replace a recording that lies at `out`')


class RecordNode(Node):
    """Records until it is asked to stop; subscribes to topics as they appear.

    Attributes:
        options: its parameters.
        writer: where the messages go.
    """

    def __init__(self) -> None:
        super().__init__('record')
        self.options = self._read_options()
        self._patterns = self.options.topics or (f'{self.get_namespace().rstrip("/")}/.*',)
        self.writer = RecordingWriter(
            self.options.out, storage=self.options.storage, overwrite=self.options.overwrite
        )
        self._refused: set[str] = set()
        self._last_message_secs = 0.0
        self._spinner = SingleThreadedExecutor()
        self._spinner.add_node(self)

    def record(self, stop: StopRequest) -> int:
        """Record until stop is set; return the exit status of the process."""
        try:
            self._subscribe_to_new_topics()
            self.get_logger().info(f'recording {len(self.writer.counts)} topics')
            while not stop.is_set():
                self._spin_for(LOOK_PERIOD_SECS, stop.is_set)
                self._subscribe_to_new_topics()
            self._drain()
        finally:
            self.writer.close()
        counts = self.writer.counts
        self.get_logger().info(
            f'recorded {sum(counts.values())} messages of {len(counts)} topics '
            f'in {self.writer.path}'
        )
        return 0

    def _subscribe_to_new_topics(self) -> None:
        for topic, types in self.get_topic_names_and_types():
            if topic in self.writer.counts or topic in self._refused:
                continue
            publishers = self.get_publishers_info_by_topic(topic)
            if publishers and matches(topic, self._patterns):
                self._subscribe(topic, types[0], publishers)

    def _subscribe(
        self, topic: str, type_name: str, publishers: Sequence[TopicEndpointInfo]
    ) -> None:
        """Subscribe with what all publishers offer."""
        offers = [info.qos_profile for info in publishers]
        reliable = all(offer.reliability == ReliabilityPolicy.RELIABLE for offer in offers)
        latched = all(offer.durability == DurabilityPolicy.TRANSIENT_LOCAL for offer in offers)
        try:
            message_type = import_message_type(type_name)
            self.writer.add_topic(
                topic, type_name, qos=[qos_profile(latched=latched, reliable=reliable)]
            )
        except (ImportError, AttributeError, ConfigError) as error:
            self._refused.add(topic)
            self.get_logger().warning(f'{topic} is not recorded: {type_name}: {error}')
            return
        reliability = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        self.create_subscription(
            message_type,
            topic,
            guarded(self, self._writer_of(topic)),
            profile(reliability, depth=QUEUE_DEPTH, latched=latched),
            raw=True,
        )
        self.get_logger().debug(f'recording {topic} ({type_name})')

    def _writer_of(self, topic: str) -> Callable[[bytes], None]:
        def write(data: Any) -> None:
            self._last_message_secs = time.monotonic()
            # ROS time: with use_sim_time a replayed recording gives times of that recording.
            self.writer.write(topic, self.get_clock().now().nanoseconds, bytes(data))

        return write

    def _drain(self) -> None:
        """Take what is still in the queues."""
        self._last_message_secs = time.monotonic()
        end_secs = time.monotonic() + 10 * DRAIN_SECS
        self._spin_for(
            10 * DRAIN_SECS,
            lambda: (
                time.monotonic() - self._last_message_secs > DRAIN_SECS
                or time.monotonic() > end_secs
            ),
        )

    def _spin_for(self, seconds: float, done: Callable[[], bool]) -> None:
        end_secs = time.monotonic() + seconds
        while time.monotonic() < end_secs and not done():
            self._spinner.spin_once(timeout_sec=0.05)

    def _read_options(self) -> RecordOptions:
        binding = ParameterBinding(self, RecordOptions)
        if binding.problems:
            raise ConfigError('; '.join(binding.problems.values()))
        options = binding.read()
        if not options.out:
            raise ConfigError('parameter out is empty: pass -p out:=DIRECTORY to create')
        return options


def main(args: Sequence[str] | None = None) -> int:
    """Run the node."""
    return run_tool(RecordNode, RecordNode.record, args=args)


if __name__ == '__main__':
    sys.exit(main())
