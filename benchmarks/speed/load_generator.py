"""A camera that publishes at a rate or as fast as the graph works, and counts frame reports.

Its messages are already serialised, so that it costs about as much CPU as a C++ driver.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.messages import stamp_ns
from rs_ml_perception.core.streams.counters import Outcome
from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.ros.node import NAMESPACE
from rs_ml_perception.ros.qos import no_events, profile
from sensor_msgs.msg import CameraInfo, Image

from benchmarks.speed.recorded_input import (
    COLOR,
    DEPTH,
    INFO,
    INFRA,
    RAW_DEPTH,
    RAW_INFO,
    MessageSet,
    restamp,
)
from rs_ml_msgs.msg import FrameReport

REPORT_DEPTH = 200
SILENCE_SECS = 20.0  # a node without reports for so long is stuck
LOSS_SECS = 4.0  # a frame without a report for so long never arrived
MAX_LOST = 3
QUIET_SECS = 0.5

# Depth and camera_info first: partners wait for colour and for raw depth. Only topics that the
# recording has are published.
PUBLISHED = (
    (INFO, CameraInfo),
    (RAW_INFO, CameraInfo),
    (INFRA, Image),
    (RAW_DEPTH, Image),
    (DEPTH, Image),
    (COLOR, Image),
)


@dataclass(frozen=True)
class LoadRun:
    """Outcomes of the frames of one run.

    Attributes:
        wall_secs: from the first message to the last report.
        reports: node -> its report of every frame.
    """

    wall_secs: float
    reports: dict[str, list[FrameReport]]

    @property
    def complete_frames(self) -> int:
        """Frames that every node published a result for."""
        return min(_published(reports) for reports in self.reports.values())

    @property
    def rate_hz(self) -> float:
        """Complete frames per second."""
        return self.complete_frames / self.wall_secs

    def age_ms(self, percent: float) -> float:
        """Percentile over all nodes of the age, stamp to publication, of published frames."""
        ages = [
            report.age_ms
            for reports in self.reports.values()
            for report in reports
            if report.outcome == Outcome.PUBLISHED.value
        ]
        return float(np.percentile(ages, percent)) if ages else float('nan')


def _published(reports: Sequence[FrameReport]) -> int:
    return sum(report.outcome == Outcome.PUBLISHED.value for report in reports)


class LoadGenerator:
    """Publishes message sets in a loop to the nodes of one graph."""

    def __init__(self, names: Sequence[str], message_sets: Sequence[MessageSet]) -> None:
        # As light as rclpy allows: the cost of the camera is not that of the graph.
        self._node = Node(
            'bench_camera',
            namespace=NAMESPACE,
            start_parameter_services=False,
            enable_rosout=False,
        )
        qos = profile(ReliabilityPolicy.RELIABLE)
        self._publishers = {
            topic: self._node.create_publisher(msg_type, topic, qos, event_callbacks=no_events())
            for topic, msg_type in PUBLISHED
            if topic in message_sets[0]
        }
        self._reports: dict[str, list[FrameReport]] = {name: [] for name in names}
        for name in names:
            self._node.create_subscription(
                FrameReport,
                f'{name}/frames',
                self._listener(name),
                profile(ReliabilityPolicy.RELIABLE, depth=REPORT_DEPTH),
            )
        self._message_sets = itertools.cycle(message_sets)
        self._stamps: set[int] = set()
        self._lost = 0
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)

    def _listener(self, name: str) -> Callable[[FrameReport], None]:
        consumers = [other for other in self._reports if name in NODES[other].consumes]

        def on_report(msg: FrameReport) -> None:
            if stamp_ns(msg.header.stamp) not in self._stamps:
                return  # of an earlier run
            self._reports[name].append(msg)
            if msg.outcome != Outcome.PUBLISHED.value:
                # Consumers of the node's results never receive the frame.
                for consumer in consumers:
                    self._reports[consumer].append(msg)

        return on_report

    def saturate(self, count: int, *, window: int = 2) -> LoadRun:
        """Publish the next frame as soon as no node has `window` frames pending.

        With 2, a node works on one frame while the next one waits: it is never idle and never
        has to drop.
        """

        def pace(sent: int) -> None:
            self._spin_while(lambda: sent - self._slowest() >= window)

        return self._feed(count, pace)

    def pace(self, count: int, *, rate_hz: float) -> LoadRun:
        """Publish at a fixed rate."""
        start_secs = time.monotonic()

        def pace(sent: int) -> None:
            due_secs = start_secs + sent / rate_hz
            self._spin_while(
                lambda: time.monotonic() < due_secs,
                timeout_secs=lambda: max(0.0, due_secs - time.monotonic()),
            )

        return self._feed(count, pace)

    def until_first_results(self, *, rate_hz: float, timeout_secs: float) -> dict[str, float]:
        """Publish at a rate until every node has published once; node -> time.monotonic()."""
        self._forget()
        first_secs: dict[str, float] = {}
        next_secs, end_secs = time.monotonic(), time.monotonic() + timeout_secs
        while len(first_secs) < len(self._reports):
            now_secs = time.monotonic()
            if now_secs > end_secs:
                missing = sorted(set(self._reports) - set(first_secs))
                raise InputError(f'no result within {timeout_secs:g} s from {", ".join(missing)}')
            if now_secs >= next_secs:
                self._publish()
                next_secs = now_secs + 1 / rate_hz
            self._executor.spin_once(timeout_sec=0.01)
            for name, reports in self._reports.items():
                if _published(reports):
                    first_secs.setdefault(name, time.monotonic())
        return first_secs

    def settle(self) -> None:
        """Wait for a result of every node, then for the frames in flight."""
        self.until_first_results(rate_hz=10.0, timeout_secs=SILENCE_SECS)
        quiet_since, reported = time.monotonic(), self._report_count()
        while time.monotonic() - quiet_since < QUIET_SECS:
            self._executor.spin_once(timeout_sec=0.05)
            if self._report_count() != reported:
                quiet_since, reported = time.monotonic(), self._report_count()

    def close(self) -> None:
        self._executor.shutdown()
        self._node.destroy_node()

    def _feed(self, count: int, pace: Callable[[int], None]) -> LoadRun:
        self._forget()
        start_secs = time.monotonic()
        for sent in range(count):
            pace(sent)
            self._publish()
        self._spin_while(lambda: self._slowest() < count)
        wall_secs = time.monotonic() - start_secs
        return LoadRun(wall_secs, {name: list(found) for name, found in self._reports.items()})

    def _publish(self) -> None:
        now_ns = time.time_ns()
        self._stamps.add(now_ns)
        messages = next(self._message_sets)
        for topic, publisher in self._publishers.items():
            publisher.publish(restamp(messages[topic], now_ns))

    def _forget(self) -> None:
        self._stamps.clear()
        self._lost = 0
        for reports in self._reports.values():
            reports.clear()

    def _slowest(self) -> int:
        """Frames that the slowest node has finished, or will never receive."""
        return min(len(reports) for reports in self._reports.values()) + self._lost

    def _spin_while(
        self,
        is_waiting: Callable[[], bool],
        *,
        timeout_secs: Callable[[], float] = lambda: 0.1,
    ) -> None:
        reported, silent_since = self._report_count(), time.monotonic()
        while is_waiting():
            self._executor.spin_once(timeout_sec=timeout_secs())
            if self._report_count() != reported:
                reported, silent_since = self._report_count(), time.monotonic()
            elif time.monotonic() - silent_since > LOSS_SECS:
                self._give_up()
                silent_since = time.monotonic()

    def _give_up(self) -> None:
        """Count the frames in flight as lost.

        Raises:
            InputError: too many are lost.
        """
        self._lost += len(self._stamps) - self._slowest()
        if self._lost > MAX_LOST:
            counts = {name: len(reports) for name, reports in self._reports.items()}
            raise InputError(
                f'no report within {LOSS_SECS:g} s; of {len(self._stamps)} frames: {counts}'
            )

    def _report_count(self) -> int:
        return sum(len(reports) for reports in self._reports.values())
