"""Waits for the partners of each primary message, never for long."""

from __future__ import annotations

import math
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from rs_ml_perception.core.streams.counters import Missed
from rs_ml_perception.core.streams.partner_counts import PartnerCounts, partner_notes
from rs_ml_perception.core.streams.stamps import JumpDetector
from rs_ml_perception.core.streams.synchronizer import PATIENCE, Match, Synchronizer
from rs_ml_perception.ros.input.samples import Consumer, FrameSet, ImageSample, TopicSample
from rs_ml_perception.ros.input.streams import ImageStream, TopicStream
from rs_ml_perception.ros.input.topics import (
    COLOR_INFO,
    RAW_DEPTH,
    RAW_DEPTH_INFO,
    TopicChoice,
    depth_partner,
)

S = TypeVar('S', bound=TopicSample)


@dataclass
class Pending(Generic[S]):
    """A primary message that waits, and the consumers that have counted it."""

    sample: S
    timeline: int
    consumers: list[Consumer] = field(default_factory=list)
    partner: ImageSample | None = None

    @property
    def stamp_ns(self) -> int:
        return self.sample.stamp_ns

    @property
    def received_secs(self) -> float:
        return self.sample.received_secs

    @property
    def header(self) -> Any:
        return self.sample.header


class FrameSynchronizer(ABC, Generic[S]):
    """Base of all sources: keeps order, times out, hands on to every consumer.

    Calls may come from the executor and from a worker, so everything runs under one lock.

    Args:
        infos: camera_info streams by role.
        partner: what primary messages wait for; it calls `_on_partner`.
        create: makes a synchronizer, a new one whenever the first consumer comes.

    Attributes:
        partner_name: what the partner is, for diagnostics.
        primary_name: what a primary message is.
        primary_remedy: what brings them where nobody publishes them.
    """

    partner_name: ClassVar[str] = 'depth'
    primary_name: ClassVar[str] = 'image'
    primary_remedy: ClassVar[str] = 'start the camera, or remap color/image_raw'

    def __init__(
        self,
        infos: dict[str, TopicStream[TopicSample]],
        partner: TopicChoice,
        create: Callable[[], Synchronizer[Pending[S], ImageSample]],
    ) -> None:
        self._lock = threading.RLock()
        self._consumers: list[Consumer] = []
        self._create = create
        self._sync = create()
        self._jumped = JumpDetector()
        self._timeline = 1
        self._infos = infos
        self._info_misses: Counter[str] = Counter()
        self._partner = partner
        self._admitted_secs = math.nan

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
    def primary_has_publisher(self) -> bool:
        """Whether anybody publishes the primary stream."""

    @property
    @abstractmethod
    def missed(self) -> Missed:
        """Primary messages that never reached us."""

    @property
    def nobody(self) -> str:
        """That nobody publishes the primary stream, with the remedy; '' where somebody does."""
        if self.primary_has_publisher:
            return ''
        return f'nobody publishes {self.primary_topic}: {self.primary_remedy}'

    @property
    def image_age_ms(self) -> float:
        """Since the last primary message was received, wall time; NaN before the first."""
        return 1e3 * (time.monotonic() - self._admitted_secs)

    @property
    def waits_for_camera_info(self) -> bool:
        return any(info.latest is None for info in self._needed_infos())

    @property
    def asks_for_partner(self) -> bool:
        """Whether primary messages want a partner at all."""
        return bool(self._partner.role)

    def topics(self) -> dict[str, str]:
        """Role -> absolute name of what is listened to."""
        infos = self._needed_infos()
        topics = {'primary': self.primary_topic, 'camera_info': infos[0].topic}
        if self.partner_topic:
            topics[self.partner_name] = self.partner_topic
        if len(infos) > 1:
            topics['depth_info'] = infos[1].topic
        return topics

    def partner_counts(self) -> PartnerCounts:
        """What became of partners and of those that wanted one, since the first consumer came."""
        with self._lock:
            return self._sync.counts()

    def notes(self) -> tuple[str, ...]:
        """Why partners are missing, where they are."""
        with self._lock:
            if not self.asks_for_partner:
                return ()
            return partner_notes(
                self._sync.counts(),
                time.monotonic(),
                partner=self.partner_name,
                topic=self.partner_topic,
                primaries=f'{self.primary_name.removesuffix("s")}s',
                timeout_secs=self._sync.options.timeout_secs,
            )

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
            for entry in self._sync.pending:
                if consumer in entry.consumers:
                    entry.consumers.remove(consumer)
                    entry.partner = self._sync.find(entry)
                    consumer.on_frames(self.make_frames(entry))
            if not self._consumers:
                self.stop()

    def tick(self) -> None:
        """Follow the depth topics and give up on late partners; call it often."""
        with self._lock:
            if self.is_running and self.follow_topics():
                self._sync.restart()
            self._advance()

    def start(self) -> None:
        """Subscribe; the first consumer has come."""
        self._admitted_secs = math.nan
        self._sync = self._create()
        self._info_misses.clear()
        for info in self._infos.values():
            info.attach(self._on_info)
        self.follow_topics()

    def stop(self) -> None:
        """Unsubscribe; the last consumer has gone."""
        self._sync = self._create()
        for info in self._infos.values():
            info.detach(self._on_info)
        self._partner.stop()

    def follow_topics(self) -> bool:
        """Listen to what is published by now; True when a topic changed."""
        return self._partner.choose()

    @abstractmethod
    def make_frames(self, entry: Pending[S]) -> FrameSet:
        """The frame set of an entry."""

    def why_missing(self, entry: Pending[S]) -> str:
        """Why the entry goes out without the partner asked for, '' where it does not."""
        if entry.partner is not None or not self.asks_for_partner:
            return ''
        return f'no {self.partner_name} on {self.partner_topic} for this stamp'

    def _on_primary(self, sample: S) -> None:
        """Book a primary message and queue it."""
        with self._lock:
            self._admitted_secs = sample.received_secs
            # A zero stamp is a fault that is rejected later on, not a jump back to 1970.
            if sample.stamp_ns and self._jumped(sample.stamp_ns):
                self._timeline += 1
                self._release_all()
                self._sync.jump(sample.stamp_ns)
                self.on_jump()
            # Consumers that attach later have not received this one and must not get it.
            entry = Pending(sample, self._timeline, list(self._consumers))
            for consumer in entry.consumers:
                consumer.on_received(sample)
            if entry.consumers:
                self._sync.add_primary(entry)
            self._advance()

    def _on_partner(self, sample: ImageSample) -> None:
        with self._lock:
            self._sync.add_partner(sample)
            self._advance()

    def _on_info(self, _: TopicSample) -> None:
        with self._lock:
            self._advance()

    def on_jump(self) -> None:
        """The primary stream has begun another time line."""

    def _advance(self) -> None:
        """Hand on what has waited enough: order is kept."""
        due = [info for info in self._needed_infos() if self._is_due(info)]
        now_secs = time.monotonic()
        matches = self._sync.take(now_secs, asks=self.asks_for_partner, held=bool(due))
        for info in due:
            self._info_misses[info.topic] += len(matches)
        self._hand_on(matches)

    def _is_due(self, info: TopicStream[TopicSample]) -> bool:
        """Whether an info is worth waiting for: like a silent partner, it is given up."""
        is_silent = self._info_misses[info.topic] >= PATIENCE
        return info.latest is None and not is_silent and info.has_publisher

    def _release_all(self) -> None:
        """Hand on all that waits, as it is."""
        self._hand_on(self._sync.flush(time.monotonic(), asks=self.asks_for_partner))

    def _hand_on(self, matches: Iterable[Match[Pending[S], ImageSample]]) -> None:
        for match in matches:
            entry = match.primary
            entry.partner = match.partner
            frames = self.make_frames(entry)
            for consumer in entry.consumers:
                consumer.on_frames(frames)

    def _needed_infos(self) -> list[TopicStream[TopicSample]]:
        roles = [COLOR_INFO, RAW_DEPTH_INFO] if self._partner.role == RAW_DEPTH else [COLOR_INFO]
        return [self._infos[role] for role in roles]

    def _latest_info(self, role: str) -> object | None:
        stream = self._infos.get(role)
        return stream.latest.msg if stream is not None and stream.latest is not None else None


class ColorSynchronizer(FrameSynchronizer[ImageSample]):
    """Colour is the primary stream, depth its partner."""

    def __init__(
        self,
        color: ImageStream,
        infos: dict[str, TopicStream[TopicSample]],
        depth_streams: dict[str, ImageStream],
        depth_source: str,
        create: Callable[[], Synchronizer[Pending[ImageSample], ImageSample]],
    ) -> None:
        partner = depth_partner(depth_source, depth_streams, self._on_partner)
        super().__init__(infos, partner, create)
        self._color = color

    @property
    def primary_topic(self) -> str:
        return self._color.topic

    @property
    def primary_has_publisher(self) -> bool:
        return self._color.has_publisher

    @property
    def missed(self) -> Missed:
        return self._color.missed

    def start(self) -> None:
        super().start()
        self._color.attach(self._on_primary)

    def stop(self) -> None:
        super().stop()
        self._color.detach(self._on_primary)

    def make_frames(self, entry: Pending[ImageSample]) -> FrameSet:
        return FrameSet(
            primary=entry.sample,
            color=entry.sample,
            depth=entry.partner,
            depth_is_raw=entry.partner is not None and self._partner.role == RAW_DEPTH,
            color_info=self._latest_info(COLOR_INFO),
            depth_info=self._latest_info(RAW_DEPTH_INFO),
            timeline=entry.timeline,
            missing=self.why_missing(entry),
        )
