"""A camera that publishes as fast as the graph takes it, or at a rate, and hears of every frame.

Messages go out serialised, so that the camera costs the machine about what a C++ driver does.
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
from rs_ml_perception.ros.node import NAMESPACE
from rs_ml_perception.ros.qos import no_events, profile
from sensor_msgs.msg import CameraInfo, Image

from benchmarks.speed.material import (
    COLOR,
    DEPTH,
    INFO,
    INFRA,
    RAW_DEPTH,
    RAW_INFO,
    Moment,
    restamp,
)
from rs_ml_msgs.msg import FrameReport

REPORT_DEPTH = 200
SILENCE_SECS = 20.0
"""A node that reports nothing for so long is stuck."""

LOSS_SECS = 4.0
"""A frame that nobody has reported on for so long never arrived."""

MOST_LOST = 3

QUIET_SECS = 0.5

# Depth and camera_info first: colour finds its partners waiting, and so does raw depth.
PUBLISHED = (
    (INFO, CameraInfo),
    (RAW_INFO, CameraInfo),
    (INFRA, Image),
    (RAW_DEPTH, Image),
    (DEPTH, Image),
    (COLOR, Image),
)
"""Those of them that the moments hold."""


@dataclass(frozen=True)
class Feed:
    """What became of the frames of one turn.

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


class Feeder:
    """Publishes moments over and over to the nodes of one graph."""

    def __init__(self, names: Sequence[str], moments: Sequence[Moment]) -> None:
        # As light as rclpy allows: what the camera costs is not the graph's doing.
        self._node = Node(
            'bench_feeder',
            namespace=NAMESPACE,
            start_parameter_services=False,
            enable_rosout=False,
        )
        qos = profile(ReliabilityPolicy.RELIABLE)
        self._publishers = {
            topic: self._node.create_publisher(msg_type, topic, qos, event_callbacks=no_events())
            for topic, msg_type in PUBLISHED
            if topic in moments[0]
        }
        self._reports: dict[str, list[FrameReport]] = {name: [] for name in names}
        for name in names:
            self._node.create_subscription(
                FrameReport,
                f'{name}/frames',
                self._listener(name),
                profile(ReliabilityPolicy.RELIABLE, depth=REPORT_DEPTH),
            )
        self._moments = itertools.cycle(moments)
        self._stamps: set[int] = set()
        self._lost = 0
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)

    def _listener(self, name: str) -> Callable[[FrameReport], None]:
        def on_report(msg: FrameReport) -> None:
            if stamp_ns(msg.header.stamp) not in self._stamps:
                return  # of an earlier turn
            self._reports[name].append(msg)
            if name == 'detection' and msg.outcome != Outcome.PUBLISHED.value:
                # What detection drops, height never hears of.
                self._reports.get('height', []).append(msg)

        return on_report

    def saturate(self, count: int, *, window: int = 2) -> Feed:
        """Publish the next frame as soon as no node has `window` frames before it.

        With 2 a node works on one frame while the next waits in its mailbox: it is never idle and
        never has to drop.
        """

        def pace(sent: int) -> None:
            self._spin_while(lambda: sent - self._slowest() >= window)

        return self._feed(count, pace)

    def pace(self, count: int, *, rate_hz: float) -> Feed:
        """Publish at a rate, whatever becomes of the frames."""
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
        """Let every node show that it hears and is heard, then let the frames in flight end."""
        self.until_first_results(rate_hz=10.0, timeout_secs=SILENCE_SECS)
        quiet_since, heard = time.monotonic(), self._heard()
        while time.monotonic() - quiet_since < QUIET_SECS:
            self._executor.spin_once(timeout_sec=0.05)
            if self._heard() != heard:
                quiet_since, heard = time.monotonic(), self._heard()

    def close(self) -> None:
        self._executor.shutdown()
        self._node.destroy_node()

    def _feed(self, count: int, pace: Callable[[int], None]) -> Feed:
        self._forget()
        start_secs = time.monotonic()
        for sent in range(count):
            pace(sent)
            self._publish()
        self._spin_while(lambda: self._slowest() < count)
        wall_secs = time.monotonic() - start_secs
        return Feed(wall_secs, {name: list(found) for name, found in self._reports.items()})

    def _publish(self) -> None:
        now_ns = time.time_ns()
        self._stamps.add(now_ns)
        moment = next(self._moments)
        for topic, publisher in self._publishers.items():
            publisher.publish(restamp(moment[topic], now_ns))

    def _forget(self) -> None:
        self._stamps.clear()
        self._lost = 0
        for reports in self._reports.values():
            reports.clear()

    def _slowest(self) -> int:
        """Frames the slowest node is done with, or will never see."""
        return min(len(reports) for reports in self._reports.values()) + self._lost

    def _spin_while(
        self,
        is_waiting: Callable[[], bool],
        *,
        timeout_secs: Callable[[], float] = lambda: 0.1,
    ) -> None:
        heard, silent_since = self._heard(), time.monotonic()
        while is_waiting():
            self._executor.spin_once(timeout_sec=timeout_secs())
            if self._heard() != heard:
                heard, silent_since = self._heard(), time.monotonic()
            elif time.monotonic() - silent_since > LOSS_SECS:
                self._give_up()
                silent_since = time.monotonic()

    def _give_up(self) -> None:
        """Count what is under way as lost; InputError where that happens too often."""
        self._lost += len(self._stamps) - self._slowest()
        if self._lost > MOST_LOST:
            counts = {name: len(reports) for name, reports in self._reports.items()}
            raise InputError(
                f'no report within {LOSS_SECS:g} s; of {len(self._stamps)} frames: {counts}'
            )

    def _heard(self) -> int:
        return sum(len(reports) for reports in self._reports.values())
