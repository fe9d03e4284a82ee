"""Writes topics to a rosbag2, byte for byte as they were published."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo

from rs_ml_perception.core.errors import ConfigError, counted
from rs_ml_perception.core.options import option
from rs_ml_perception.nodes.recorded_blur import MessageBlur
from rs_ml_perception.nodes.replay_topics import TopicFilter, import_message_type
from rs_ml_perception.recordings.writer import STORAGES, RecordingWriter, qos_profile
from rs_ml_perception.ros.guards import guarded
from rs_ml_perception.ros.input.streams import SubscriptionEventCallbacks
from rs_ml_perception.ros.output.images import COMPRESSED
from rs_ml_perception.ros.parameters import read_once
from rs_ml_perception.ros.qos import profile
from rs_ml_perception.ros.tool_process import StopRequest, run_tool
from rs_ml_perception.tasks.blur import BlurOptions, Blurrer

LOOK_PERIOD_SECS = 0.2
"""Period of looking for new topics."""

DRAIN_SECS = 0.3
"""At the end, time without a message after which recording stops."""

LONGEST_DRAIN_SECS = 60.0
"""At the end, longest time for blurring what is still in the queues."""

QUEUE_DEPTH = 200


@dataclass(frozen=True)
class RecordOptions(BlurOptions):
    """Parameters of the record node, read once at the start."""

    out: str = option('', 'directory of the recording')
    topics: tuple[str, ...] = option(
        (),
        'regular expressions of the topics to record; empty: all of the namespace; '
        '`NAME/compressed` in addition to NAME only if one contains compressed',
    )
    storage: str = option('mcap', 'file format', choices=tuple(STORAGES))
    overwrite: bool = option(False, 'replace an existing recording at `out`')


@dataclass(frozen=True)
class _Offer:
    """Common QoS of the publishers of a topic."""

    is_reliable: bool
    is_latched: bool

    def __str__(self) -> str:
        return (
            f'{"reliable" if self.is_reliable else "best effort"}, '
            f'{"transient local" if self.is_latched else "volatile"}'
        )

    def serves(self, requested: _Offer) -> bool:
        """Whether a subscription with these requests is matched."""
        return self.weaker(requested) == requested

    def weaker(self, other: _Offer) -> _Offer:
        return _Offer(self.is_reliable and other.is_reliable, self.is_latched and other.is_latched)


@dataclass(frozen=True)
class _Subscribed:
    subscription: Subscription
    offer: _Offer


def _common_offer(publishers: Sequence[TopicEndpointInfo]) -> _Offer:
    offers = [info.qos_profile for info in publishers]
    return _Offer(
        all(offer.reliability == ReliabilityPolicy.RELIABLE for offer in offers),
        all(offer.durability == DurabilityPolicy.TRANSIENT_LOCAL for offer in offers),
    )


def is_unwanted_twin(topic: str, recorded: Iterable[str], patterns: Iterable[str]) -> bool:
    """Whether a topic is the compressed form of another one and not asked for.

    Subscribing to it would make nodes compress images for nothing.
    """
    raw = topic.removesuffix(COMPRESSED)
    return raw != topic and raw in recorded and not any('compressed' in p for p in patterns)


class RecordNode(Node):
    """Records until it is stopped; subscribes to topics as they appear.

    Attributes:
        options: its parameters.
        writer: of the recording.
    """

    def __init__(self) -> None:
        super().__init__('record')
        self.options = read_once(
            self, RecordOptions, required='out', meaning='DIRECTORY to create'
        )
        own = re.escape(self.get_namespace().rstrip('/')) + '/.*'
        self._patterns = self.options.topics or (own,)
        self._is_wanted = TopicFilter(self._patterns)
        blurrer = Blurrer.load(self.options)
        self._blur = None if blurrer is None else MessageBlur(blurrer)
        self._dropped: Counter[str] = Counter()
        self.writer = RecordingWriter(
            self.options.out, storage=self.options.storage, overwrite=self.options.overwrite
        )
        self._subscribed: dict[str, _Subscribed] = {}
        self._refused: set[str] = set()
        self._is_look_due = False
        self._failure: ConfigError | None = None
        self._num_received = 0
        self._last_message_secs = 0.0
        self._spinner = SingleThreadedExecutor()
        self._spinner.add_node(self)

    def record(self, stop: StopRequest) -> int:
        """Record until stop is set; return the exit status of the process.

        Raises:
            ConfigError: the disk takes no more.
        """
        try:
            self._follow_topics()
            self.get_logger().info(f'recording {len(self.writer.counts)} topics')
            while not (stop.is_set() or self._failure):
                self._spin_for(LOOK_PERIOD_SECS, lambda: stop.is_set() or self._is_look_due)
                self._follow_topics()
            self._drain()
            if self._failure:
                raise self._failure
        finally:
            self.writer.close()
        for topic, number in self._dropped.items():
            self.get_logger().warning(f'{topic}: {counted(number, "message")} not recorded')
        counts = self.writer.counts
        if not counts:
            self.get_logger().warning(f'no published topic matches {", ".join(self._patterns)}')
        self.get_logger().info(
            f'recorded {counted(sum(counts.values()), "message")} of '
            f'{counted(len(counts), "topic")} '
            f'in {self.writer.path}'
        )
        return 0

    def _follow_topics(self) -> None:
        """Subscribe to new topics, and again if publishers return with another QoS."""
        self._is_look_due = False
        topics = dict(self.get_topic_names_and_types())
        for topic, types in topics.items():
            if topic in self._refused or not self._is_wanted(topic):
                continue
            if is_unwanted_twin(topic, filter(self._is_wanted, topics), self._patterns):
                continue
            publishers = self.get_publishers_info_by_topic(topic)
            if not publishers:
                continue
            offer = _common_offer(publishers)
            subscribed = self._subscribed.get(topic)
            if subscribed is None:
                self._add(topic, types[0], offer)
            elif not offer.serves(subscribed.offer):
                self._exchange(topic, types[0], offer.weaker(subscribed.offer))

    def _add(self, topic: str, type_name: str, offer: _Offer) -> None:
        try:
            import_message_type(type_name)
            qos = qos_profile(latched=offer.is_latched, reliable=offer.is_reliable)
            self.writer.add_topic(topic, type_name, qos=[qos])
            self._subscribe(topic, type_name, offer)
        except Exception as error:  # imports and rclpy raise various kinds
            self._refused.add(topic)
            reason = ' '.join(str(error).split())
            self.get_logger().warning(f'{topic} is not recorded: {type_name}: {reason}')

    def _exchange(self, topic: str, type_name: str, offer: _Offer) -> None:
        """Subscribe with a QoS that matches every publisher."""
        self.get_logger().warning(
            f'{topic}: a publisher offers less than before, recorded as {offer} from here on'
        )
        for _ in range(QUEUE_DEPTH * len(self._subscribed)):  # messages still in its queue
            before = self._num_received
            self._spinner.spin_once(timeout_sec=0.0)
            if before == self._num_received:
                break
        self.destroy_subscription(self._subscribed.pop(topic).subscription)
        self._subscribe(topic, type_name, offer)

    def _subscribe(self, topic: str, type_name: str, offer: _Offer) -> None:
        reliability = (
            ReliabilityPolicy.RELIABLE if offer.is_reliable else ReliabilityPolicy.BEST_EFFORT
        )
        subscription = self.create_subscription(
            import_message_type(type_name),
            topic,
            guarded(self, self._writer_of(topic, type_name)),
            profile(reliability, depth=QUEUE_DEPTH, latched=offer.is_latched),
            raw=True,
            event_callbacks=SubscriptionEventCallbacks(incompatible_qos=self._look_soon),
        )
        self._subscribed[topic] = _Subscribed(subscription, offer)
        self.get_logger().debug(f'recording {topic} ({type_name})')

    def _look_soon(self, _: object) -> None:
        self._is_look_due = True

    def _writer_of(self, topic: str, type_name: str) -> Callable[[bytes], None]:
        def write(data: Any) -> None:
            self._num_received += 1
            # ROS time: with use_sim_time the times are those of the replayed recording.
            received_ns = self.get_clock().now().nanoseconds
            recorded = self._blurred(topic, type_name, bytes(data))
            try:
                if recorded is not None:
                    self.writer.write(topic, received_ns, recorded)
            except ConfigError as error:
                self._failure = self._failure or error
            self._last_message_secs = time.monotonic()

        return write

    def _blurred(self, topic: str, type_name: str, data: bytes) -> bytes | None:
        """The message to record, None if it is dropped since people cannot be blurred in it."""
        if self._blur is None:
            return data
        try:
            return self._blur(topic, type_name, data)
        except Exception as error:  # a damaged message, a detector that fails
            self._dropped[topic] += 1
            if self._dropped[topic] == 1:
                self.get_logger().warning(f'{topic} is not recorded: {error}')
            return None

    def _drain(self) -> None:
        """Take the messages still in the queues."""
        self._last_message_secs = time.monotonic()
        self._spin_for(
            LONGEST_DRAIN_SECS if self._blur else 10 * DRAIN_SECS,
            lambda: time.monotonic() - self._last_message_secs > DRAIN_SECS,
        )

    def _spin_for(self, seconds: float, done: Callable[[], bool]) -> None:
        end_secs = time.monotonic() + seconds
        while time.monotonic() < end_secs and not done():
            self._spinner.spin_once(timeout_sec=0.05)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node."""
    return run_tool(RecordNode, RecordNode.record, args=args)


if __name__ == '__main__':
    sys.exit(main())
