"""One suite for both synchronizers: exact pairs, order, and the counts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from builtin_interfaces.msg import Time
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.streams.partner_counts import PartnerDrop
from rs_ml_perception.core.streams.synchronizer import Synchronizer, SyncOptions
from rs_ml_perception.ros.input import message_filters_synchronizer
from rs_ml_perception.ros.input.message_filters_synchronizer import (
    SYNCHRONIZERS,
    create_synchronizer,
    has_message_filters,
)
from std_msgs.msg import Header

pytestmark = pytest.mark.ros

MS = 1_000_000
IMAGE, DEPTH = 0, 1


@dataclass(eq=False)
class Stamped:
    stamp_ns: int
    received_secs: float

    @property
    def header(self) -> Header:
        return Header(stamp=Time(sec=self.stamp_ns // 10**9, nanosec=self.stamp_ns % 10**9))


@pytest.fixture(params=SYNCHRONIZERS)
def name(request):
    if request.param == 'message_filters' and not has_message_filters():
        pytest.skip('message_filters is not installed')
    return request.param


def fed(name, arrivals, **options):
    """Feed (stream, stamp in ms) a millisecond apart; returns the synchronizer and its pairs."""
    sync = create_synchronizer(name, SyncOptions(**options))
    pairs = []

    def look(now_secs):
        for match in sync.take(now_secs):
            partner = match.partner
            partner_ms = None if partner is None else partner.stamp_ns / MS
            pairs.append((match.primary.stamp_ns / MS, partner_ms))

    for index, (stream, stamp_ms) in enumerate(arrivals):
        message = Stamped(round(stamp_ms * MS), 1e-3 * index)
        (sync.add_primary if stream == IMAGE else sync.add_partner)(message)
        look(1e-3 * index)
    look(1e-3 * len(arrivals) + 1.0)
    return sync, pairs


@pytest.mark.parametrize(
    ('arrivals', 'expected'),
    [
        ([], []),
        ([(IMAGE, 100)], [(100, None)]),
        ([(DEPTH, 100)], []),
        ([(IMAGE, 100), (DEPTH, 100)], [(100, 100)]),
        ([(DEPTH, 100), (IMAGE, 100)], [(100, 100)]),
        ([(IMAGE, 100), (DEPTH, 180)], [(100, None)]),
        ([(0, 100), (0, 133), (1, 100), (1, 133)], [(100, 100), (133, 133)]),
        ([(0, 100), (0, 133), (1, 133)], [(100, None), (133, 133)]),
        ([(1, 100), (1, 133), (1, 166), (0, 133), (0, 166)], [(133, 133), (166, 166)]),
        ([(0, 100), (1, 100), (1, 100)], [(100, 100)]),
        ([(0, 100 + i) for i in range(50)] + [(0, 200), (1, 200)],
         [*((100 + i, None) for i in range(50)), (200, 200)]),
    ],
)  # fmt: skip
def test_exact_pairs_and_their_counts(name, arrivals, expected):
    sync, pairs = fed(name, arrivals)
    assert pairs == expected
    counts = sync.counts()
    assert counts.paired == sum(partner is not None for _, partner in expected)
    assert counts.without == sum(partner is None for _, partner in expected)
    assert counts.received == sum(stream == DEPTH for stream, _ in arrivals)
    assert counts.received == counts.used + sum(counts.dropped.values()) + counts.waiting


def test_no_stamp_is_used_twice(name):
    arrivals = [
        (stream, 100 + 33.3 * i + 5 * stream) for i in range(60) for stream in (IMAGE, DEPTH)
    ]
    sync, pairs = fed(name, arrivals, max_skew_ns=16 * MS)
    assert [round(b - a, 2) for a, b in pairs] == [5.0] * 60
    assert len({b for _, b in pairs}) == sync.counts().used == 60


def test_messages_that_are_never_paired_are_counted(name):
    sync, pairs = fed(name, [(DEPTH, 100 + 33 * i) for i in range(50)], capacity=10)
    assert pairs == []
    counts = sync.counts()
    assert counts.dropped == {PartnerDrop.FAR: 0, PartnerDrop.LATE: 0, PartnerDrop.UNUSED: 40}
    assert counts.waiting == 10


def test_a_time_line_that_goes_back(name):
    sync, _ = fed(name, [(stream, 9000 + 33 * i) for i in range(20) for stream in (DEPTH, IMAGE)])
    sync.add_partner(Stamped(100 * MS, 2.0))
    sync.jump(100 * MS)
    sync.add_primary(Stamped(100 * MS, 2.0))
    assert [match.partner.stamp_ns for match in sync.take(2.0)] == [100 * MS]


def test_another_stream(name):
    sync, _ = fed(name, [(DEPTH, 100)])
    sync.restart()
    sync.add_primary(Stamped(100 * MS, 2.0))
    assert [match.partner for match in sync.take(3.0)] == [None]


def test_the_synchronizer_of_each_name(monkeypatch):
    assert type(create_synchronizer('own', SyncOptions())) is Synchronizer
    monkeypatch.setattr(message_filters_synchronizer, 'has_message_filters', lambda: False)
    with pytest.raises(ConfigError, match='ros-\\$ROS_DISTRO-message-filters'):
        create_synchronizer('message_filters', SyncOptions())
