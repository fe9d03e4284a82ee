"""Pairs each primary message with its partner, waiting for it a limited time.

core/streams/synchronizer.py has the rules of pairing; here are the topics, lock and consumers.
"""

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
    """A primary message that waits, and the consumers that counted it as received."""

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
    """Base of all sources of frame sets: keeps order, times out, serves several consumers.

    Calls come from the executor and from workers, so everything runs under one lock.

    Args:
        infos: camera_info streams by role.
        partner: topics of the partner; its listener is `_on_partner`.
        create: makes a synchronizer, a new one each time the first consumer attaches.

    Attributes:
        partner_name: name for the partner in diagnostics.
        primary_name: name for a primary message.
        primary_remedy: the remedy where nobody publishes them.
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
        """Whether the primary stream has a publisher."""

    @property
    @abstractmethod
    def missed(self) -> Missed:
        """Primary messages that were sent and never arrived."""

    @property
    def no_publisher(self) -> str:
        """A sentence with the remedy if the primary stream has no publisher, else ''."""
        if self.primary_has_publisher:
            return ''
        return f'nobody publishes {self.primary_topic}: {self.primary_remedy}'

    @property
    def image_age_ms(self) -> float:
        """Wall time since the last primary message arrived; NaN before the first."""
        return 1e3 * (time.monotonic() - self._admitted_secs)

    @property
    def waits_for_camera_info(self) -> bool:
        return any(info.latest is None for info in self._needed_infos())

    @property
    def asks_for_partner(self) -> bool:
        """Whether primary messages are to be paired."""
        return bool(self._partner.role)

    def topics(self) -> dict[str, str]:
        """Role -> absolute name of each topic in use."""
        infos = self._needed_infos()
        topics = {'primary': self.primary_topic, 'camera_info': infos[0].topic}
        if self.partner_topic:
            topics[self.partner_name] = self.partner_topic
        if len(infos) > 1:
            topics['depth_info'] = infos[1].topic
        return topics

    def partner_counts(self) -> PartnerCounts:
        """Counts of the pairing since the first consumer attached."""
        with self._lock:
            return self._sync.counts()

    def notes(self) -> tuple[str, ...]:
        """Why partners are missing; empty if none is."""
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
        """Serve the consumer from the next message on."""
        with self._lock:
            self._consumers.append(consumer)
            if len(self._consumers) == 1:
                self.start()

    def detach(self, consumer: Consumer) -> None:
        """Stop serving the consumer, after it got the messages that still wait for a partner."""
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
        """Follow the topics and give up late partners; call it often."""
        with self._lock:
            if self.is_running and self.follow_topics():
                self._sync.restart()
            self._advance()

    def start(self) -> None:
        """Subscribe for the first consumer."""
        self._admitted_secs = math.nan
        self._sync = self._create()
        self._info_misses.clear()
        for info in self._infos.values():
            info.attach(self._on_info)
        self.follow_topics()

    def stop(self) -> None:
        """Unsubscribe after the last consumer."""
        self._sync = self._create()
        for info in self._infos.values():
            info.detach(self._on_info)
        self._partner.stop()

    def follow_topics(self) -> bool:
        """Follow the publishers; returns whether a topic changed."""
        return self._partner.choose()

    @abstractmethod
    def make_frames(self, entry: Pending[S]) -> FrameSet:
        """The frame set of a primary message and its partner."""

    def why_missing(self, entry: Pending[S]) -> str:
        """Why the entry has no partner although it should, else ''."""
        if entry.partner is not None or not self.asks_for_partner:
            return ''
        return f'no {self.partner_name} on {self.partner_topic} for this stamp'

    def _on_primary(self, sample: S) -> None:
        """Count a primary message and queue it."""
        with self._lock:
            self._admitted_secs = sample.received_secs
            # A zero stamp is rejected later; it is no jump back to 1970.
            if sample.stamp_ns and self._jumped(sample.stamp_ns):
                self._timeline += 1
                self._release_all()
                self._sync.jump(sample.stamp_ns)
                self.on_jump()
            # Consumers that attach later did not count this message and must not get it.
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
        """Called when the stamps of the primary stream have gone back."""

    def _advance(self) -> None:
        """Deliver, in order, the messages that have waited long enough."""
        due = [info for info in self._needed_infos() if self._is_due(info)]
        now_secs = time.monotonic()
        matches = self._sync.take(now_secs, asks=self.asks_for_partner, held=bool(due))
        for info in due:
            self._info_misses[info.topic] += len(matches)
        self._deliver(matches)

    def _is_due(self, info: TopicStream[TopicSample]) -> bool:
        """Whether to wait for a camera_info: like a silent partner, it is given up."""
        is_silent = self._info_misses[info.topic] >= PATIENCE
        return info.latest is None and not is_silent and info.has_publisher

    def _release_all(self) -> None:
        """Deliver all messages that wait, with the partners at hand."""
        self._deliver(self._sync.flush(time.monotonic(), asks=self.asks_for_partner))

    def _deliver(self, matches: Iterable[Match[Pending[S], ImageSample]]) -> None:
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
    """Colour images with their depth: the source of detection, segmentation and mono depth."""

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
