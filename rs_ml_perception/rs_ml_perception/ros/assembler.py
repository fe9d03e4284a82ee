"""Waits for the partners of each primary message, never for long."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass

from rs_ml_perception.core.stamps import JumpDetector
from rs_ml_perception.ros.depth_source import DepthSource
from rs_ml_perception.ros.frame_sets import Consumer, FrameSet
from rs_ml_perception.ros.inputs import COLOR_INFO, RAW_DEPTH, RAW_DEPTH_INFO
from rs_ml_perception.ros.samples import ImageSample, Sample
from rs_ml_perception.ros.streams import TopicStream

PARTNER_TIMEOUT_SECS = 0.25
"""A partner that is later than this is not coming: depth leaves the camera with its colour."""


@dataclass
class Pending:
    """A primary message that waits."""

    sample: Sample
    starts_timeline: bool
    depth: ImageSample | None = None


class Assembler:
    """Base of the two sources: keeps order, times out, hands on to every consumer.

    Calls may come from the executor and from a worker, so everything runs under one lock.
    """

    def __init__(
        self,
        infos: dict[str, TopicStream],
        depth_streams: dict[str, TopicStream],
        depth_source: str,
    ) -> None:
        self._lock = threading.RLock()
        self._consumers: list[Consumer] = []
        self._pending: list[Pending] = []
        self._jumped = JumpDetector()
        self._infos = infos
        self._depth = DepthSource(depth_source, depth_streams, self._on_depth)
        self._admitted_secs = math.nan
        self.unpaired = 0

    @property
    def depth_topic(self) -> str:
        """Absolute name of the depth topic in use, '' for none."""
        return self._depth.topic

    @property
    def primary_topic(self) -> str:
        """Absolute name of the primary stream's topic."""
        raise NotImplementedError(f'{type(self).__name__} must name its primary topic')

    @property
    def lost(self) -> int:
        """Primary messages the middleware reported lost."""
        return 0

    @property
    def image_age_ms(self) -> float:
        """Since the last primary message was received, wall time; NaN before the first."""
        return 1e3 * (time.monotonic() - self._admitted_secs)

    @property
    def waits_for_camera_info(self) -> bool:
        return self._infos[COLOR_INFO].latest is None

    def topics(self) -> dict[str, str]:
        """Role -> absolute name of what is listened to."""
        topics = {'primary': self.primary_topic, 'camera_info': self._infos[COLOR_INFO].topic}
        if self.depth_topic:
            topics['depth'] = self.depth_topic
        return topics

    @property
    def is_running(self) -> bool:
        return bool(self._consumers)

    def attach(self, consumer: Consumer) -> None:
        """Feed the consumer from the next message on."""
        with self._lock:
            self._consumers.append(consumer)
            if len(self._consumers) == 1:
                self.start()

    def detach(self, consumer: Consumer) -> None:
        """Stop feeding it; what is still waiting for a partner goes out to it first."""
        with self._lock:
            if consumer not in self._consumers:
                return
            self._release(len(self._pending))
            self._consumers.remove(consumer)
            if not self._consumers:
                self.stop()

    def tick(self) -> None:
        """Follow the depth topics and give up on late partners; call it often."""
        with self._lock:
            if self.is_running and self._depth.choose():
                self.on_jump()
            oldest_secs = time.monotonic() - PARTNER_TIMEOUT_SECS
            overdue = sum(entry.sample.received_secs <= oldest_secs for entry in self._pending)
            self._release(overdue)
            self._release_complete()

    def start(self) -> None:
        """Subscribe; the first consumer has come."""
        for info in self._infos.values():
            info.attach(self._on_info)
        self._depth.choose()

    def stop(self) -> None:
        """Unsubscribe; the last consumer has gone."""
        for info in self._infos.values():
            info.detach(self._on_info)
        self._depth.stop()

    def admit(self, sample: Sample) -> Pending:
        """Book a primary message and queue it."""
        self._admitted_secs = sample.received_secs
        starts_timeline = self._jumped(sample.stamp_ns)
        if starts_timeline:
            self._release(len(self._pending))
            self.on_jump()
        for consumer in self._consumers:
            consumer.on_received(sample)
        entry = Pending(sample, starts_timeline)
        self._pending.append(entry)
        return entry

    def on_jump(self) -> None:
        """Forget everything about the old time line."""

    def wants_depth(self, entry: Pending) -> bool:
        """Whether the entry still waits for depth."""
        raise NotImplementedError(f'{type(self).__name__} must say when depth is due')

    def make_frames(self, entry: Pending) -> FrameSet:
        """The frame set of an entry."""
        raise NotImplementedError(f'{type(self).__name__} must say what a frame set holds')

    def _on_depth(self, sample: Sample) -> None:
        raise NotImplementedError(f'{type(self).__name__} must take depth')

    def _on_info(self, _: Sample) -> None:
        with self._lock:
            self._release_complete()

    def _release_complete(self) -> None:
        """Hand on up to the last entry that waits for nothing: order is kept."""
        if self._pending and self._infos_are_due():
            return
        ready = [i for i, entry in enumerate(self._pending) if not self.wants_depth(entry)]
        self._release(ready[-1] + 1 if ready else 0)

    def _infos_are_due(self) -> bool:
        needed = [COLOR_INFO, RAW_DEPTH_INFO] if self._depth.role == RAW_DEPTH else [COLOR_INFO]
        infos = [self._infos[role] for role in needed]
        return any(info.latest is None and info.has_publisher for info in infos)

    def _release(self, count: int) -> None:
        released, self._pending = self._pending[:count], self._pending[count:]
        for entry in released:
            frames = self.make_frames(entry)
            self.unpaired += bool(frames.missing)
            for consumer in tuple(self._consumers):
                consumer.on_frames(frames)

    def _latest_info(self, role: str) -> object | None:
        stream = self._infos.get(role)
        return stream.latest.msg if stream is not None and stream.latest is not None else None
