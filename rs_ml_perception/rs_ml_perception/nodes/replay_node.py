"""Publishes a recording in real time or in lockstep with the nodes."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

from builtin_interfaces.msg import Time
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from rs_ml_perception.core.errors import InputError, counted
from rs_ml_perception.nodes.replay_options import ReplayOptions
from rs_ml_perception.nodes.replay_timing import Lockstep, ReplayClock
from rs_ml_perception.nodes.replay_topics import (
    create_publishers,
    named_topics,
    primary_topics,
)
from rs_ml_perception.nodes.replay_watch import NodeWatch
from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.messages import Message
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.recordings.pairs import period_ns
from rs_ml_perception.ros.parameters import read_once
from rs_ml_perception.ros.qos import profile
from rs_ml_perception.ros.tool_process import StopRequest, run_tool

CLOCK_PERIOD_SECS = 0.02
LOOK_PERIOD_SECS = 0.2
"""Period of looking at the ROS graph while waiting."""

SETTLE_SECS = 0.5
"""All must be present this long: services and subscriptions are discovered one by one."""

ACK_SECS = 2.0

GAP_SECS = 5.0
"""A longer wait for the next message is announced."""


class ReplayNode(Node):
    """Plays one recording; `play` spins the node itself.

    Attributes:
        options: its parameters.
        recording: the recording.
        lockstep: reports of the nodes.
        published: number of messages.
        damage: why the recording could not be read to its end, '' if it could.
    """

    def __init__(self) -> None:
        super().__init__('replay')
        self.options = read_once(
            self, ReplayOptions, required='bag', meaning='PATH of a recording'
        )
        self.recording = open_recording(self.options.bag, self.options.camera)
        self.topic_publishers = create_publishers(
            self,
            self.recording.topics,
            wanted=self.options.topics,
            reliability=self.options.reliability,
        )
        primaries = named_topics(self.recording, self.options.primary_topics)
        primaries = primaries or primary_topics(self.recording, self.options.wait_for_nodes)
        self._primaries = [name for name in primaries if name in self.topic_publishers]
        self.lockstep = Lockstep({n: period_ns(self.recording, n) for n in self._primaries})
        self._time = ReplayClock(
            self.recording,
            self._primaries[0] if self._primaries else None,
            lockstep=self.options.lockstep,
        )
        self._clock_publisher = self.create_publisher(
            Clock, '/clock', profile(ReliabilityPolicy.RELIABLE, depth=1)
        )
        self._watch = (
            NodeWatch(self, self.options.wait_for_nodes, self.lockstep.report)
            if self.options.lockstep or self.options.wait_for_nodes
            else None
        )
        self._spinner = SingleThreadedExecutor()
        self._spinner.add_node(self)
        self._next_look_secs = 0.0
        self._next_tick_secs = 0.0
        self.published = 0
        self._unusable: Counter[str] = Counter()
        self.damage = ''
        self._say_what_is_special()

    def play(self, stop: StopRequest) -> int:
        """Publish everything; return the exit status of the process."""
        if self.topic_publishers:
            self._wait_for_consumers(stop)
        started_secs = time.monotonic()
        while not stop.is_set() and self.topic_publishers:
            self._play_once(stop)
            if not self.options.loop or self.damage:
                break
        self._finish(stop)
        self._log_summary(time.monotonic() - started_secs)
        if not self.options.exit_when_done:
            self._spin_until(stop.is_set, stop)
        self.recording.close()
        has_failed = self.damage or not (self.published or stop.is_set())
        return 1 if has_failed else 0

    def _play_once(self, stop: StopRequest) -> None:
        started_secs = time.monotonic()
        self._time.restart()
        try:
            for message in self.recording.messages(list(self.topic_publishers)):
                self._play_one(message, started_secs, stop)
                if stop.is_set():
                    return
        except InputError as error:
            self.damage = str(error)

    def _play_one(self, message: Message, started_secs: float, stop: StopRequest) -> None:
        """Publish a message at its turn."""
        if message.problem:
            self._unusable[message.topic] += 1
            return
        if self.options.lockstep:
            self._wait_for_turn(message, stop)
        else:
            self._wait_for_time(message, started_secs, stop)
        if not stop.is_set():
            self._publish(message)

    def _publish(self, message: Message) -> None:
        if self.options.lockstep:
            self._publish_clock(self._time.of(message))
        self.topic_publishers[message.topic].publish(message.data)
        self.lockstep.published(message.topic, message.stamp_ns)
        self.published += 1

    def _publish_clock(self, time_ns: int) -> None:
        if self.options.clock:
            seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
            self._clock_publisher.publish(Clock(clock=Time(sec=seconds, nanosec=nanoseconds)))

    def _wait_for_time(self, message: Message, started_secs: float, stop: StopRequest) -> None:
        """Publish the clock until the message is due."""
        start_ns = self.recording.start_ns
        due_secs = (message.log_time_ns - start_ns) / 1e9 / self.options.rate
        gap_secs = due_secs - (time.monotonic() - started_secs)
        if gap_secs > GAP_SECS:
            self.get_logger().info(
                f'the recording holds nothing for {gap_secs * self.options.rate:.0f} s here: '
                f'the replay continues in {gap_secs:.0f} s (rate:= or lockstep:=true shorten this)'
            )
        while not stop.is_set():
            elapsed_secs = time.monotonic() - started_secs
            now_ns = start_ns + int(min(elapsed_secs, due_secs) * 1e9 * self.options.rate)
            self._tick(self._time.at(now_ns))
            if elapsed_secs >= due_secs:
                return
            self._spinner.spin_once(timeout_sec=min(CLOCK_PERIOD_SECS, due_secs - elapsed_secs))

    def _tick(self, now_ns: int) -> None:
        """Publish the clock at a limited rate."""
        now_secs = time.monotonic()
        if now_secs >= self._next_tick_secs:
            self._next_tick_secs = now_secs + 0.9 * CLOCK_PERIOD_SECS
            self._publish_clock(now_ns)

    def _wait_for_turn(self, message: Message, stop: StopRequest) -> None:
        """Lockstep: spin until the nodes have finished the previous frame."""
        if message.topic in self._primaries:
            self._watch_newcomers()
        self._wait_while(lambda: self.lockstep.blockers(message.topic, message.stamp_ns), stop)

    def _wait_while(self, blockers: Callable[[], set[str]], stop: StopRequest) -> None:
        """Spin while there are blockers, for up to lockstep_timeout_secs."""
        timeout_secs = self.options.lockstep_timeout_secs
        deadline_secs = time.monotonic() + timeout_secs
        while blockers() and not stop.is_set():
            self._spinner.spin_once(timeout_sec=0.05)
            self._watch_newcomers()
            late = sorted(blockers())
            if late and time.monotonic() > deadline_secs:
                names = ', '.join(late)
                self.get_logger().warning(f'no report within {timeout_secs:g} s from {names}')
                self.lockstep.give_up(late)

    def _watch_newcomers(self) -> None:
        """Follow nodes that come and go, at a limited rate since queries of the graph are slow."""
        if time.monotonic() < self._next_look_secs:
            return
        self._next_look_secs = time.monotonic() + LOOK_PERIOD_SECS
        if self._watch is None:
            return
        here = self._watch.update()
        for name in self._watch.names:
            if name in here:
                self.lockstep.watch(name)
            else:
                self.lockstep.forget(name)

    def _wait_for_consumers(self, stop: StopRequest) -> None:
        """Wait until nothing has been missing for a while, or until the timeout."""
        now_secs = time.monotonic()
        deadline_secs = now_secs + self.options.wait_for_subscribers_secs
        settled_secs = now_secs + SETTLE_SECS
        while not stop.is_set() and time.monotonic() < settled_secs:
            self._publish_clock(self._time.restart())
            self._spin_for(0.1, stop)
            missing = self._missing_consumers()
            if missing and time.monotonic() > deadline_secs:
                self.get_logger().warning(f'starting without {", ".join(missing)}')
                return
            if missing:
                settled_secs = time.monotonic() + SETTLE_SECS

    def _missing_consumers(self) -> list[str]:
        unread = [name for name in self._primaries if not self._is_read(name)]
        others = self.options.wait_for_readers_of
        unread += [name for name in others if not self.count_subscribers(name)]
        missing = [f'a subscriber of {name}' for name in unread]
        if self._watch is None:
            return missing
        self._next_look_secs = 0.0
        self._watch_newcomers()
        missing += [f'node {name} (not active)' for name in self._watch.not_ready()]
        return missing if self._watch.names else [*missing, 'a node that reports its frames']

    def _is_read(self, name: str) -> bool:
        matched = self.topic_publishers[name].get_subscription_count()
        return matched >= max(1, self.count_subscribers(name))

    def _finish(self, stop: StopRequest) -> None:
        """Wait until the last frames are delivered and accounted for."""
        if self.options.lockstep:
            self._wait_while(self.lockstep.all_waiting, stop)
        if stop.is_set():
            return
        for topic in self._primaries:
            if not self.topic_publishers[topic].wait_for_all_acked(Duration(seconds=ACK_SECS)):
                self.get_logger().warning(f'{topic}: the last messages were not acknowledged')
        if self._watch is not None and not self.options.lockstep:
            self._watch.await_books(lambda are_there: self._spin_until(are_there, stop))

    def _spin_for(self, seconds: float, stop: StopRequest) -> None:
        end_secs = time.monotonic() + seconds
        self._spin_until(lambda: time.monotonic() >= end_secs, stop)

    def _spin_until(self, done: Callable[[], bool], stop: StopRequest) -> None:
        while not done() and not stop.is_set():
            self._spinner.spin_once(timeout_sec=0.05)

    def _say_what_is_special(self) -> None:
        for name, reason in self.recording.left_out.items():
            if name not in self.topic_publishers:
                self.get_logger().warning(f'{name} is left out: {reason}')
        chosen = camera_topics(self.recording).note('camera:=NAMESPACE') if self._primaries else ''
        for note in (chosen, self._time.note):
            if note:
                self.get_logger().warning(note)

    def _log_summary(self, seconds: float) -> None:
        lost = {name: node.lost for name, node in self.lockstep.nodes.items() if node.lost}
        strange = {n: p.unmatched for n, p in self.lockstep.nodes.items() if p.unmatched}
        messages = counted(self.published, 'message')
        topics = counted(len(self.topic_publishers), 'topic')
        frames = counted(self.lockstep.num_published, 'frame')
        text = f'replayed {messages} of {topics}, {frames}, in {seconds:.2f} s'
        if self.options.lockstep:
            nodes = counted(len(self.lockstep.nodes), 'node')
            text += f', in step with {nodes}, lost: {lost or "none"}'
        if self._watch is not None and (overwritten := self._watch.overwritten):
            text += f', overwritten before they were received: {overwritten}'
        if self._unusable:
            text += f', damaged and left out: {dict(self._unusable)}'
        if strange:
            text += f', reports of frames that were not published: {strange}'
        self.get_logger().info(text)
        if self.damage:
            self.get_logger().error(self.damage)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node; the exit status is 1 if nothing could be published."""
    return run_tool(ReplayNode, ReplayNode.play, args=args)


if __name__ == '__main__':
    sys.exit(main())
