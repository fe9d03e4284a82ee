"""The reports of a node: /diagnostics and ~/stats at 1 Hz, ~/frames on request, log lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.node import Node

from rs_ml_msgs.msg import FrameReport, InferenceStats
from rs_ml_perception.core.errors import printable
from rs_ml_perception.core.streams.counters import DROPPED, FrameCounts, Missed, Outcome
from rs_ml_perception.core.streams.partner_counts import PartnerCounts
from rs_ml_perception.ros.diagnostics import diagnostic_array
from rs_ml_perception.ros.input.samples import TopicSample
from rs_ml_perception.ros.qos import no_events, profile, results

LOG_THROTTLE_SECS = 5.0
REPORT_DEPTH = 100

ALERT_STATES = ('waiting_image', 'waiting_camera_info', 'stale')
"""Input states that are logged; the worker logs rejected frames itself."""

CONCERN = 'active, with a concern'

PATIENCE = 3
"""Equal reports in a row, a second apart, before a line is logged: cameras take a moment."""

_NOT_COUNTED = InferenceStats.NOT_COUNTED


class Shortfalls:
    """Subscribed parts of results that could not be made: logged once, and counted.

    Attributes:
        latest: why parts of the latest result are missing.
        count: incomplete results since `reset`.
    """

    def __init__(self, logger: RcutilsLogger) -> None:
        self._logger = logger
        self.reset()

    def reset(self) -> None:
        self.latest: tuple[str, ...] = ()
        self.count = 0

    def note(self, shortfalls: Sequence[str]) -> None:
        """Note the parts that the result just published lacks."""
        before, self.latest = self.latest, tuple(map(printable, shortfalls))
        self.count += bool(shortfalls)
        for text in self.latest:
            if text not in before:
                self._logger.warning(text, throttle_duration_sec=LOG_THROTTLE_SECS)


class ConsoleAlerts:
    """Logs once when the input stays in a bad state, and once when it has recovered."""

    def __init__(self, logger: RcutilsLogger) -> None:
        self._logger = logger
        self._state = ''
        self._reports = 0
        self._has_alerted = False

    def note(self, status: DiagnosticStatus) -> None:
        """Take the input status of one report."""
        state = {pair.key: pair.value for pair in status.values}['state']
        if state == 'active' and status.level != DiagnosticStatus.OK:
            state = CONCERN
        self._reports = self._reports + 1 if state == self._state else 1
        self._state = state
        if state in (*ALERT_STATES, CONCERN) and self._reports == PATIENCE:
            self._logger.warning(status.message)
            self._has_alerted = True
        elif state == 'active' and self._has_alerted:
            self._logger.info('input has recovered')
            self._has_alerted = False


class NodeReporter:
    """The reporting publishers of one node, which live as long as the node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._alerts = ConsoleAlerts(node.get_logger())
        reliable = results()
        frames_qos = profile(reliable.reliability, depth=REPORT_DEPTH)
        self._diagnostics, self._stats, self._frames = (
            node.create_publisher(msg_type, topic, qos, event_callbacks=no_events())
            for msg_type, topic, qos in (
                (DiagnosticArray, '/diagnostics', reliable),
                (InferenceStats, '~/stats', reliable),
                (FrameReport, '~/frames', frames_qos),
            )
        )

    def frame(
        self, sample: TopicSample, outcome: Outcome, detail: str, age_ms: float, latency_ms: float
    ) -> None:
        """Report the outcome of one frame while ~/frames is subscribed."""
        if self._frames.get_subscription_count() == 0:
            return
        report = FrameReport(header=sample.header, outcome=outcome.value, detail=detail)
        report.age_ms, report.latency_ms = age_ms, latency_ms
        self._frames.publish(report)

    def diagnostics(self, statuses: list[DiagnosticStatus]) -> None:
        """Publish the statuses; the first is that of the input."""
        self._alerts.note(statuses[0])
        self._diagnostics.publish(diagnostic_array(statuses, stamp=self._now()))

    def stats(
        self,
        counts: FrameCounts,
        *,
        model: str,
        backend: str,
        missed: Missed,
        partners: PartnerCounts,
        readings: Mapping[str, float],
    ) -> None:
        """Publish the accounting."""
        msg = stats_message(counts, missed=missed, partners=partners, readings=readings)
        msg.node, msg.model, msg.backend = self._node.get_fully_qualified_name(), model, backend
        msg.header.stamp = self._now()
        self._stats.publish(msg)

    def _now(self) -> Time:
        return self._node.get_clock().now().to_msg()


def stats_message(
    counts: FrameCounts,
    *,
    missed: Missed,
    partners: PartnerCounts,
    readings: Mapping[str, float] = MappingProxyType({}),
) -> InferenceStats:
    """The accounting as a message, header and names left empty."""
    fields: dict[str, Any] = {
        f'dropped_{reason.value}': counts.outcomes[reason] for reason in DROPPED
    }
    fields |= {
        f'partners_dropped_{reason.value}': count for reason, count in partners.dropped.items()
    }
    return InferenceStats(
        received=counts.received,
        published=counts.published,
        in_flight=counts.in_flight,
        lost_in_transport=missed.lost,
        overwritten=_NOT_COUNTED if missed.overwritten is None else missed.overwritten,
        fps=counts.fps,
        latency_p50_ms=counts.latency_ms[0],
        latency_p95_ms=counts.latency_ms[1],
        age_p50_ms=counts.age_ms[0],
        age_p95_ms=counts.age_ms[1],
        stage_names=list(counts.stage_ms),
        stage_ms=list(counts.stage_ms.values()),
        without_partner=partners.without,
        partners_received=partners.received,
        partners_used=partners.used,
        partners_waiting=partners.waiting,
        partner_offset_ms=1e3 * partners.offset_secs,
        reading_names=list(readings),
        readings=[float(value) for value in readings.values()],
        **fields,
    )
