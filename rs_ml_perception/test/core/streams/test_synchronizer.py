"""Pairs of depth and images, their delay, and notes on missing partners."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import pytest
from rs_ml_perception.core.streams.partner_counts import PartnerDrop, partner_notes
from rs_ml_perception.core.streams.synchronizer import PATIENCE, Synchronizer, SyncOptions

TICK_SECS = 0.01
FAR, LATE, UNUSED = PartnerDrop.FAR, PartnerDrop.LATE, PartnerDrop.UNUSED


@dataclass(frozen=True, eq=False)
class Message:
    stamp_ns: int
    received_secs: float


@dataclass(frozen=True)
class Stream:
    """A camera stream.

    Attributes:
        hz: frames per second.
        delay_ms: from a moment to the arrival of its message.
        offset_ms: what the clock of its stamps is ahead.
        gaps: (from, to) in seconds, without messages.
        wrong: (from, to, seconds the stamps are off there).
    """

    hz: float
    delay_ms: float = 0.0
    offset_ms: float = 0.0
    gaps: tuple[tuple[float, float], ...] = ()
    wrong: tuple[tuple[float, float, float], ...] = ()

    def messages(self, secs):
        for index in range(round(secs * self.hz)):
            moment = index / self.hz
            off = sum(by for start, end, by in self.wrong if start <= moment < end)
            if not any(start <= moment < end for start, end in self.gaps):
                stamp_ns = round(1e9 * (1000 + moment + off) + 1e6 * self.offset_ms)
                yield Message(stamp_ns, moment + 1e-3 * self.delay_ms)


@dataclass
class Run:
    """Result of a run: rows of (arrival, skew in ms or None, seconds waited)."""

    rows: list[tuple[float, float | None, float]]
    sync: Synchronizer
    now_secs: float

    def skews(self, since=0.0, until=math.inf):
        return Counter(skew for arrival, skew, _ in self.rows if since <= arrival < until)

    def slowest(self, since=0.0):
        return max(waited for arrival, _, waited in self.rows if arrival >= since)

    @property
    def counts(self):
        return self.sync.counts()

    @property
    def notes(self):
        return partner_notes(
            self.counts, self.now_secs, partner='depth', topic='/depth', primaries='images',
            timeout_secs=self.sync.options.timeout_secs,
        )  # fmt: skip


def run(color, depth, secs=4.0, options=None):
    """Feed both streams in order of arrival and look in between, as a timer does."""
    sync = Synchronizer(options or SyncOptions())
    arrivals = [(m.received_secs, True, m) for m in color.messages(secs)]
    arrivals += [(m.received_secs, False, m) for m in depth.messages(secs)]
    arrivals.sort(key=lambda arrival: arrival[:2])
    rows, sent, now_secs = [], sum(is_color for _, is_color, _ in arrivals), 0.0

    def look():
        for match in sync.take(now_secs):
            skew_ns = None if match.partner is None else (
                match.partner.stamp_ns - match.primary.stamp_ns)  # fmt: skip
            skew_ms = None if skew_ns is None else round(1e-6 * skew_ns)
            arrival_secs = match.primary.received_secs
            rows.append((round(arrival_secs, 3), skew_ms, now_secs - arrival_secs))

    while arrivals or sync.pending:
        next_secs = arrivals[0][0] if arrivals else math.inf
        if next_secs > now_secs + TICK_SECS:
            now_secs += TICK_SECS
        else:
            now_secs = next_secs
            while arrivals and arrivals[0][0] <= now_secs:
                _, is_color, message = arrivals.pop(0)
                (sync.add_primary if is_color else sync.add_partner)(message)
        look()
    assert len(rows) == sent
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    counts = sync.counts()
    assert counts.received == counts.used + sum(counts.dropped.values()) + counts.waiting
    assert counts.paired + counts.without == sent
    return Run(rows, sync, now_secs)


@pytest.mark.parametrize('color_hz', [6, 15, 30])
@pytest.mark.parametrize('depth_hz', [6, 12, 15, 30, 60])
@pytest.mark.parametrize('delay_ms', [-20, 0, 10, 100, 180])
def test_shared_stamps_pair_exactly(color_hz, depth_hz, delay_ms):
    found = run(Stream(color_hz, delay_ms=50), Stream(depth_hz, delay_ms=50 + delay_ms))
    own = sum((index * depth_hz) % color_hz == 0 for index in range(round(4.0 * color_hz)))
    assert found.skews()[0] == own
    assert set(found.skews()) <= {0, None}
    assert found.slowest() <= 0.26


@pytest.mark.parametrize(
    ('color', 'depth'),
    [
        (Stream(6, gaps=((1.0, 1.9),)), Stream(12, 10)),
        (Stream(30, gaps=((1.0, 1.9),)), Stream(30, 10)),
        (Stream(30), Stream(30, 10, gaps=((1.0, 1.9),))),
        (Stream(30), Stream(30, 10, gaps=((0.0, 1.9),))),
        (Stream(30), Stream(30, 10, wrong=((1.0, 1.4, 100.0),))),
        (Stream(30), Stream(30, 10, wrong=((1.0, 1.4, -100.0),))),
        (Stream(30), Stream(30, 10, wrong=((1.0, 1.4, 0.5),))),
        (Stream(30), Stream(30, 10, wrong=((1.0, 1.9, 0.012),))),
        (Stream(6), Stream(12, 10, wrong=((1.0, 1.9, 0.020),))),
        (Stream(30), Stream(30, 10, wrong=((1.0, 1.1, -0.7),))),
        (Stream(30, wrong=((1.0, 1.02, 100.0),)), Stream(30, 10)),
    ],
    ids=[
        'images pause', 'images pause at 30 Hz', 'depth pauses', 'depth comes late to the start',
        'a dozen of the future', 'a dozen of the past', 'half a second ahead', 'unshared',
        'unshared at half the rate', 'behind', 'an image of the future',
    ],
)  # fmt: skip
def test_a_disturbance_leaves_nothing_behind(color, depth):
    found = run(color, depth)
    assert set(found.skews(since=2.3)) == {0}
    assert found.slowest(since=2.3) < 0.02
    assert found.sync.is_patient
    assert found.notes == ()


@pytest.mark.parametrize('offset_ms', [5, -5, 14, -14])
@pytest.mark.parametrize('delay_ms', [0, 10])
def test_unshared_stamps_pair_with_the_nearest(offset_ms, delay_ms):
    found = run(Stream(30), Stream(30, offset_ms + delay_ms, offset_ms))
    assert found.skews(since=0.1) == {offset_ms: len(found.rows) - 3}
    assert found.slowest(since=0.2) < 0.03


def test_the_tolerance_follows_the_present_period():
    """Depth slows down from 30 to 6 Hz: the nearest is then up to 83 ms off."""
    fast, slow = Stream(30, 5, 5, gaps=((2.0, 9.0),)), Stream(6, 5, 5, gaps=((0.0, 2.0),))
    both = sorted([*fast.messages(6.0), *slow.messages(6.0)], key=lambda m: m.received_secs)

    class Both(Stream):
        def messages(self, _):
            return iter(both)

    found = run(Stream(30), Both(30), secs=6.0)
    skews = found.skews(since=4.0, until=5.8)
    assert skews[None] == 0
    assert max(abs(skew) for skew in skews) == 72


@pytest.mark.parametrize(
    ('depth', 'words'),
    [
        (Stream(6, -20, 4300), ('without depth', '/depth', '4.3 s ahead')),
        (Stream(6, -20, -4300), ('without depth', '/depth', '4.3 s behind')),
        (Stream(6, 10, 4300), ('4.3 s ahead',)),
        (Stream(30, 10, -3600_000), ('3600.0 s behind',)),
        (Stream(6, 400), ('comes 0.40 s after them', 'the wait is 0.25 s')),
        (Stream(6, gaps=((0.0, 9.0),)), ('nothing comes on /depth',)),
    ],
)
def test_depth_that_never_fits_is_reported_and_delays_nothing(depth, words):
    found = run(Stream(6), depth, secs=5.0)
    assert set(found.skews()) == {None}
    assert sum(waited > 0.02 for _, _, waited in found.rows) <= PATIENCE + 1
    (note,) = found.notes
    assert all(word in note for word in words), note


def test_depth_beyond_max_skew_is_reported():
    options = SyncOptions(max_skew_ns=5_000_000)
    found = run(Stream(30), Stream(30, 10, 12), options=options)
    assert set(found.skews()) == {None}
    (note,) = found.notes
    assert 'the nearest on /depth is stamped +12 ms off: max_skew_ms' in note


@pytest.mark.parametrize(
    ('depth', 'is_told'),
    [(Stream(30, 10, 500), True), (Stream(30, 10, 100), False), (Stream(30), False)],
)
def test_depth_that_is_stamped_ahead_of_its_images_is_suspect(depth, is_told):
    """It pairs with images of another moment, which nothing but its early arrival shows."""
    found = run(Stream(30, 100), depth)
    assert None not in found.skews(since=0.7)
    assert [('of another moment' in note) for note in found.notes] == [True] * is_told


def test_far_ones_are_left_out_counted_and_named():
    found = run(Stream(30), Stream(30, 10, wrong=((1.0, 1.39, 100.0),)), secs=1.6)
    # The first good one afterwards is not waited for, but shows that waiting helps again.
    assert found.skews() == {0: 35, None: 13}
    assert found.counts.dropped == {FAR: 0, LATE: 0, UNUSED: 0}
    (note,) = found.notes
    assert note.startswith('12 of the last 30 messages on /depth are left out: stamped 100.0 s')
    found = run(Stream(30), Stream(30, 10, wrong=((1.0, 1.39, 100.0),)), secs=4.0)
    assert found.counts.dropped == {FAR: 12, LATE: 1, UNUSED: 0}


@pytest.mark.parametrize(
    ('depth', 'reason'),
    [
        (Stream(12, 10, 4300), FAR),
        (Stream(12, 400), LATE),
        (Stream(60, 10, 3), UNUSED),
    ],
)
def test_partners_that_go_with_nothing_are_counted_by_reason(depth, reason):
    dropped = run(Stream(6), depth).counts.dropped
    assert dropped[reason] > 0.4 * sum(dropped.values()) > 5


def test_images_that_take_longer_than_their_depth():
    assert set(run(Stream(30, 800), Stream(30, 10)).skews()) == {0}


def test_a_partner_within_max_skew_is_taken_while_stamps_are_shared():
    depth = Stream(30, 10, gaps=((1.01, 1.05),))
    assert run(Stream(30), depth).skews()[None] == 1
    found = run(Stream(30), depth, options=SyncOptions(max_skew_ns=40_000_000))
    assert found.skews()[None] == 0
    assert {abs(skew) for skew in found.skews()} == {0, 33}


def test_neighbours_of_shared_stamps_where_they_are_asked_for():
    assert run(Stream(30), Stream(10, 10)).skews()[None] == 80
    found = run(Stream(30), Stream(10, 10), options=SyncOptions(takes_neighbours=True))
    assert set(found.skews(since=0.3, until=3.9)) == {0, 33, -33}


def test_a_long_history_serves_late_messages():
    """Detections come 0.8 s after their image: each gets its own depth, not a younger one."""
    options = SyncOptions(takes_neighbours=True, capacity=45, suspect_secs=math.inf)
    found = run(Stream(30, 800), Stream(30, 10), options=options)
    assert (set(found.skews()), found.notes) == ({0}, ())


def test_nothing_waits_when_no_partner_is_asked_for():
    sync = Synchronizer(SyncOptions())
    sync.add_primary(Message(1, 0.0))
    (match,) = sync.take(0.0, asks=False)
    assert match.partner is None
    assert sync.counts().without == 0


def test_held_messages_go_when_their_time_is_up():
    sync = Synchronizer(SyncOptions())
    sync.add_partner(Message(1, 0.0))
    sync.add_primary(Message(1, 0.0))
    assert sync.take(0.2, held=True) == []
    assert [match.partner.stamp_ns for match in sync.take(0.25, held=True)] == [1]


def test_a_time_line_that_goes_back_keeps_new_items():
    sync = Synchronizer(SyncOptions())
    for number in range(5):
        sync.add_primary(Message(10_000_000_000 + number, 0.1 * number))
        sync.add_partner(Message(10_000_000_000 + number, 0.1 * number))
    assert len(sync.take(0.5)) == 5
    sync.add_partner(Message(1_000_000_000, 0.5))
    sync.jump(1_000_000_000)
    sync.add_primary(Message(1_000_000_000, 0.5))
    assert [match.partner.stamp_ns for match in sync.take(0.5)] == [1_000_000_000]
    assert sync.counts().waiting == 0


def test_a_zero_stamp_waits_for_nothing_and_disturbs_nothing():
    sync = Synchronizer(SyncOptions())
    for number in range(1, 40):
        stamp_ns = number * 33_000_000 if number % 3 else 0
        sync.add_primary(Message(stamp_ns, 0.033 * number))
        assert len(sync.take(0.033 * number)) == (stamp_ns == 0)
        sync.add_partner(Message(stamp_ns, 0.033 * number))
        assert len(sync.take(0.033 * number)) == (stamp_ns != 0)
    assert (sync.counts().without, sync.counts().paired) == (0, 26)


def test_another_partner_stream_starts_with_nothing():
    sync = Synchronizer(SyncOptions())
    sync.add_partner(Message(1, 0.0))
    for _ in range(PATIENCE):
        sync.add_primary(Message(5_000_000_000, 0.0))
    sync.take(1.0)
    assert not sync.is_patient
    sync.restart()
    assert sync.is_patient
    assert (sync.newest_ns, sync.counts().received, sync.counts().waiting) == (None, 1, 0)
