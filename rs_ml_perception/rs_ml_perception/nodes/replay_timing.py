"""Timing of a replay, without ROS: the time of /clock, and lockstep with the nodes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rs_ml_perception.recordings.messages import Message
from rs_ml_perception.recordings.recording import Recording
from rs_ml_perception.recordings.stamp_clock import MAX_DEVIATION_NS, StampClock

NOTEWORTHY_NS = 500_000_000
"""A larger lag makes frames stale for some nodes."""


RECENT = 256
"""Stamps kept per topic, to distinguish late reports from wrong ones."""

MAX_MISSES = 3
"""After this many unreported frames in a row a node is not waited for until it reports."""


class ReplayClock:
    """Follows the log times, or the stamps if those are of another clock.

    In lockstep frames must not be dropped for their age: the clock follows their stamps, however
    late they were recorded. In real time it follows the log, which preserves the age of frames,
    unless they are older than any transport explains.

    Args:
        recording: the recording.
        primary: topic with the stamps to follow, None without images.
        lockstep: whether frames wait for their nodes.

    Attributes:
        lag_ns: log times minus stamps.
        shift_ns: log times minus the time of /clock.
    """

    def __init__(self, recording: Recording, primary: str | None, *, lockstep: bool) -> None:
        self._stamps = StampClock(recording, primary)
        self._primary = primary
        self._is_lockstep = lockstep
        self.lag_ns = self._stamps.lag_ns
        follows_stamps = lockstep or abs(self.lag_ns) > MAX_DEVIATION_NS
        self.shift_ns = self.lag_ns if follows_stamps else 0
        self._start_ns = recording.start_ns - self.shift_ns
        self._now_ns = self._start_ns

    @property
    def note(self) -> str:
        """A warning about the stamps, '' for none."""
        if abs(self.lag_ns) <= NOTEWORTHY_NS:
            return ''
        relation = 'behind' if self.lag_ns > 0 else 'ahead of'
        lag = f'stamps are {abs(self.lag_ns) / 1e9:.3f} s {relation} the log times'
        if self.shift_ns:
            return f'{lag}: /clock follows the stamps'
        if self.lag_ns < 0:
            return f'{lag}: for the nodes the frames are in the future'
        return (
            f'{lag}: nodes whose max_age_secs is less drop every frame as stale; raise it, or '
            'replay with lockstep:=true'
        )

    def restart(self) -> int:
        """Restart; returns the time of the beginning."""
        self._now_ns = self._start_ns
        return self._now_ns

    def at(self, log_time_ns: int) -> int:
        """The time while waiting for a message of this log time."""
        return log_time_ns - self.shift_ns

    def of(self, message: Message) -> int:
        """The time at which a message is published in lockstep; it advances with the frames."""
        if self._primary is None:
            self._now_ns = max(self._now_ns, self.at(message.log_time_ns))
        elif message.topic == self._primary:
            is_true = not self._stamps.problem(message)
            if self._stamps.lag_ns != self.shift_ns:  # the camera's clock was set
                self.shift_ns = self._stamps.lag_ns
                self._now_ns = self.at(message.log_time_ns)
            now_ns = self.at(message.log_time_ns)
            self._now_ns = max(self._now_ns, min(now_ns, message.stamp_ns) if is_true else now_ns)
        return self._now_ns


@dataclass
class NodeProgress:
    """Reports of one watched node.

    Attributes:
        topics: primary topics it may work on, narrowed by its reports.
        published: frames published since it is watched, by topic.
        reported: number of reports that matched a published stamp.
        unmatched: reports of stamps that were never published.
        misses: consecutive frames without a report in time.
    """

    topics: set[str]
    published: Counter[str] = field(default_factory=Counter)
    reported: int = 0
    unmatched: int = 0
    misses: int = 0

    @property
    def lost(self) -> int:
        """Frames without a report."""
        published = max((self.published[topic] for topic in self.topics), default=0)
        return max(0, published - self.reported)


@dataclass
class _Stream:
    half_period_ns: int
    last_ns: int | None = None
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT))
    waiting: set[str] = field(default_factory=set)


class Lockstep:
    """Holds messages back until every watched node has accounted for the frame before them.

    A message waits if it belongs to the next frame: it is on a primary topic, or its stamp is
    closer to the next frame of one than to the last.

    Args:
        periods_ns: primary topic -> period of its stream.

    Attributes:
        nodes: full name -> progress.
        num_published: published frames of primary topics.
    """

    def __init__(self, periods_ns: Mapping[str, int]) -> None:
        self._streams = {name: _Stream(period // 2) for name, period in periods_ns.items()}
        self.nodes: dict[str, NodeProgress] = {}
        self.num_published = 0

    def watch(self, node: str) -> None:
        """Wait for this node's reports from the next frame on."""
        self.nodes.setdefault(node, NodeProgress(set(self._streams)))

    def forget(self, node: str) -> None:
        """Stop waiting for a node that has gone."""
        for stream in self._streams.values():
            stream.waiting.discard(node)

    def published(self, topic: str, stamp_ns: int) -> None:
        """Note that a frame was published."""
        stream = self._streams.get(topic)
        if stream is None:
            return
        self.num_published += 1
        stream.last_ns = stamp_ns
        stream.recent.append(stamp_ns)
        stream.waiting = set()
        for name, node in self.nodes.items():
            node.published[topic] += 1
            if topic in node.topics and node.misses < MAX_MISSES:
                stream.waiting.add(name)

    def report(self, node: str, stamp_ns: int) -> None:
        """Note that a node accounted for the frame of that stamp."""
        self.watch(node)
        progress = self.nodes[node]
        topics = {name for name, stream in self._streams.items() if stamp_ns in stream.recent}
        if not topics:
            progress.unmatched += 1
            return
        progress.reported += 1
        progress.misses = 0
        # Its primary stream is one of those that carry this stamp.
        progress.topics = progress.topics & topics or topics
        for name, stream in self._streams.items():
            if stream.last_ns == stamp_ns or name not in progress.topics:
                stream.waiting.discard(node)

    def blockers(self, topic: str, stamp_ns: int) -> set[str]:
        """Nodes that must report before a message of this topic and stamp may be published."""
        blockers: set[str] = set()
        for name, stream in self._streams.items():
            if stream.last_ns is None:
                continue
            is_next = name == topic or stamp_ns - stream.last_ns > stream.half_period_ns
            if is_next or stamp_ns < stream.last_ns - stream.half_period_ns:
                blockers |= stream.waiting
        return blockers

    def all_waiting(self) -> set[str]:
        """Nodes that have not accounted for everything yet."""
        return set().union(*(stream.waiting for stream in self._streams.values()))

    def give_up(self, nodes: Iterable[str]) -> None:
        """Continue without the reports of these nodes after a timeout."""
        for node in nodes:
            self.nodes[node].misses += 1
            self.forget(node)
