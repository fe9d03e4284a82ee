"""Waits for the partners of each primary message, never for long."""

from __future__ import annotations

import math
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

from rs_ml_perception.core.sequence_gaps import Missed
from rs_ml_perception.core.stamps import JumpDetector
from rs_ml_perception.ros.frame_sets import Consumer, FrameSet
from rs_ml_perception.ros.inputs import COLOR_INFO, RAW_DEPTH, RAW_DEPTH_INFO
from rs_ml_perception.ros.samples import ImageSample, Sample
from rs_ml_perception.ros.streams import TopicStream
from rs_ml_perception.ros.topic_choice import TopicChoice

PARTNER_TIMEOUT_SECS = 0.25
"""A partner that is later than this is not coming: partners leave the camera together."""


@dataclass
class Pending:
    """A primary message that waits, and the consumers that were told of it."""

    sample: Sample
    timeline: int
    consumers: list[Consumer] = field(default_factory=list)
    partner: ImageSample | None = None


class Assembler(ABC):
    """Base of all sources: keeps order, times out, hands on to every consumer.

    Calls may come from the executor and from a worker, so everything runs under one lock.

    Args:
        infos: camera_info streams by role.
        partner: what primary messages wait for; it calls `_on_partner`.

    Attributes:
        partner_name: what the partner is, for diagnostics.
        unpaired: messages of the running time that went out without the partner asked for.
    """

    partner_name: ClassVar[str] = 'depth'

    def __init__(self, infos: dict[str, TopicStream], partner: TopicChoice) -> None:
        self._lock = threading.RLock()
        self._consumers: list[Consumer] = []
        self._pending: list[Pending] = []
        self._jumped = JumpDetector()
        self._timeline = 1
        self._infos = infos
        self._partner = partner
        self._admitted_secs = math.nan
        self.unpaired = 0

    @property
    def partner_topic(self) -> str:
        """Absolute name of the partner's topic in use, '' for none."""
        return self._partner.topic

    @property
    @abstractmethod
    def primary_topic(self) -> str:
        """Absolute name of the primary stream's topic."""

    @property
    @abstractmethod
    def missed(self) -> Missed:
        """Primary messages that were sent and never received."""

    @property
    def image_age_ms(self) -> float:
        """Since the last primary message was received, wall time; NaN before the first."""
        return 1e3 * (time.monotonic() - self._admitted_secs)

    @property
    def waits_for_camera_info(self) -> bool:
        return any(info.latest is None for info in self._needed_infos())

    def topics(self) -> dict[str, str]:
        """Role -> absolute name of what is listened to."""
        infos = self._needed_infos()
        topics = {'primary': self.primary_topic, 'camera_info': infos[0].topic}
        if self.partner_topic:
            topics[self.partner_name] = self.partner_topic
        if len(infos) > 1:
            topics['depth_info'] = infos[1].topic
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
            self._consumers.remove(consumer)
            for entry in self._pending:
                if consumer in entry.consumers:
                    entry.consumers.remove(consumer)
                    consumer.on_frames(self.make_frames(entry))
            if not self._consumers:
                self.stop()

    def tick(self) -> None:
        """Follow the depth topics and give up on late partners; call it often."""
        with self._lock:
            if self.is_running and self.follow_topics():
                self.restart()
            oldest_secs = time.monotonic() - PARTNER_TIMEOUT_SECS
            overdue = sum(entry.sample.received_secs <= oldest_secs for entry in self._pending)
            self._release(overdue)
            self._release_complete()

    def start(self) -> None:
        """Subscribe; the first consumer has come."""
        self._admitted_secs = math.nan
        self.unpaired = 0
        self.restart()
        for info in self._infos.values():
            info.attach(self._on_info)
        self.follow_topics()

    def stop(self) -> None:
        """Unsubscribe; the last consumer has gone."""
        self._pending.clear()
        for info in self._infos.values():
            info.detach(self._on_info)
        self._partner.stop()

    def admit(self, sample: Sample) -> None:
        """Book a primary message and queue it."""
        self._admitted_secs = sample.received_secs
        # A zero stamp is a fault that is rejected later on, not a jump back to 1970.
        if sample.stamp_ns and self._jumped(sample.stamp_ns):
            self._timeline += 1
            self._release(len(self._pending))
            self.on_jump(sample.stamp_ns)
        # Whoever attaches later has not received this one and must not be handed it.
        entry = Pending(sample, self._timeline, list(self._consumers))
        for consumer in entry.consumers:
            consumer.on_received(sample)
        if entry.consumers:
            self._pending.append(entry)

    def follow_topics(self) -> bool:
        """Listen to what is published by now; True when a topic changed."""
        return self._partner.choose()

    def restart(self) -> None:
        """Forget the partner stream: it is about to be another one."""

    def on_jump(self, stamp_ns: int) -> None:
        """Forget the old time line; the new one begins about the stamp."""

    @abstractmethod
    def wants_partner(self, entry: Pending) -> bool:
        """Whether the entry still waits for its partner."""

    @abstractmethod
    def make_frames(self, entry: Pending) -> FrameSet:
        """The frame set of an entry."""

    @abstractmethod
    def _on_partner(self, sample: Sample) -> None:
        """A message that may be a partner has come."""

    def _on_info(self, _: Sample) -> None:
        with self._lock:
            self._release_complete()

    def _release_complete(self) -> None:
        """Hand on up to the last entry that waits for nothing: order is kept."""
        if self._pending and self._infos_are_due():
            return
        ready = [i for i, entry in enumerate(self._pending) if not self.wants_partner(entry)]
        self._release(ready[-1] + 1 if ready else 0)

    def _infos_are_due(self) -> bool:
        return any(i.latest is None and i.has_publisher for i in self._needed_infos())

    def _needed_infos(self) -> list[TopicStream]:
        roles = [COLOR_INFO, RAW_DEPTH_INFO] if self._partner.role == RAW_DEPTH else [COLOR_INFO]
        return [self._infos[role] for role in roles]

    def _release(self, count: int) -> None:
        released, self._pending = self._pending[:count], self._pending[count:]
        for entry in released:
            frames = self.make_frames(entry)
            self.unpaired += bool(frames.missing)
            for consumer in entry.consumers:
                consumer.on_frames(frames)

    def _latest_info(self, role: str) -> object | None:
        stream = self._infos.get(role)
        return stream.latest.msg if stream is not None and stream.latest is not None else None
