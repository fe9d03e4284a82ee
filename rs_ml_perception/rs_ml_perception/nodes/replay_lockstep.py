"""When the next message of a recording may go: bookkeeping without ROS."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

RECENT = 256
"""Stamps remembered per topic, to distinguish late reports from wrong ones."""

MAX_MISSES = 3
"""A node that leaves this many frames in a row unreported is not waited for until it reports."""


@dataclass
class NodeProgress:
    """What one watched node has reported.

    Attributes:
        topics: primary topics it may be working on; narrowed by what it reports.
        published: frames that went out since it is watched, by topic.
        reported: number of reports that matched a published stamp.
        unmatched: reports of stamps that were never published.
        misses: frames in a row whose wait ran out.
    """

    topics: set[str]
    published: Counter[str] = field(default_factory=Counter)
    reported: int = 0
    unmatched: int = 0
    misses: int = 0

    @property
    def lost(self) -> int:
        """Frames it has not accounted for."""
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

    A message waits when it begins the next frame: it is of a primary topic, or its stamp is nearer
    to the next frame of one than to the last.

    Args:
        periods_ns: primary topic -> period of its stream.

    Attributes:
        nodes: full name -> progress.
        num_published: frames of primary topics that went out.
    """

    def __init__(self, periods_ns: Mapping[str, int]) -> None:
        self._streams = {name: _Stream(period // 2) for name, period in periods_ns.items()}
        self.nodes: dict[str, NodeProgress] = {}
        self.num_published = 0

    def watch(self, node: str) -> None:
        """Wait for this node's reports from the next frame on."""
        self.nodes.setdefault(node, NodeProgress(set(self._streams)))

    def forget(self, node: str) -> None:
        """Stop waiting for a node that is gone."""
        for stream in self._streams.values():
            stream.waiting.discard(node)

    def published(self, topic: str, stamp_ns: int) -> None:
        """Note that a frame went out."""
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
        """Nodes that must report before a message of this topic and stamp may go."""
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
        """The wait ran out: go on without these nodes' reports."""
        for node in nodes:
            self.nodes[node].misses += 1
            self.forget(node)
