"""One suite for both engines: message_filters where it is installed, and ours."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from builtin_interfaces.msg import Time
from rs_ml_perception.ros import pairing
from std_msgs.msg import Header

pytestmark = pytest.mark.ros

MS = 1_000_000
PERIOD_NS = 33_333_333


@dataclass(eq=False)
class Stamped:
    """As much of a Sample as pairing looks at."""

    stamp_ns: int

    @property
    def header(self) -> Header:
        return Header(stamp=Time(sec=self.stamp_ns // 10**9, nanosec=self.stamp_ns % 10**9))


class Pairs:
    """Feeds a pairing and keeps what comes out, as stamps in milliseconds."""

    def __init__(self, engine: str, slop_ns: int) -> None:
        if engine == 'message_filters' and not pairing.has_message_filters():
            pytest.skip('message_filters is not installed')
        kinds = {'own': pairing.OwnPairing, 'message_filters': pairing.MessageFiltersPairing}
        self.out: list[tuple[float, float]] = []
        self._pairing = kinds[engine](self._on_pair, slop_ns=slop_ns)

    def _on_pair(self, first: Stamped, second: Stamped) -> None:
        self.out.append((first.stamp_ns / MS, second.stamp_ns / MS))

    def feed(self, *arrivals: tuple[int, float]) -> list[tuple[float, float]]:
        for stream, stamp_ms in arrivals:
            self._pairing.add(stream, Stamped(round(stamp_ms * MS)))
        return self.out


@pytest.fixture(params=['own', 'message_filters'])
def make_pairs(request):
    return lambda slop_ns=0: Pairs(request.param, slop_ns)


@pytest.mark.parametrize(
    ('arrivals', 'expected'),
    [
        ([], []),
        ([(0, 100)], []),
        ([(0, 100), (1, 100)], [(100, 100)]),
        ([(1, 100), (0, 100)], [(100, 100)]),
        ([(0, 100), (1, 101)], []),
        ([(0, 100), (0, 133), (1, 100), (1, 133)], [(100, 100), (133, 133)]),
        ([(0, 100), (0, 133), (1, 133)], [(133, 133)]),
        ([(1, 100), (1, 133), (1, 166), (0, 133), (0, 166)], [(133, 133), (166, 166)]),
        ([(0, 100), (1, 100), (1, 100)], [(100, 100)]),
    ],
)
def test_equal_stamps(make_pairs, arrivals, expected):
    assert make_pairs().feed(*arrivals) == expected


@pytest.mark.parametrize(
    ('arrivals', 'expected'),
    [
        ([(0, 100), (1, 110)], [(100, 110)]),
        ([(0, 100), (1, 90)], [(100, 90)]),
        ([(0, 100), (1, 120)], []),
        ([(1, 110), (0, 100), (1, 143), (0, 133)], [(100, 110), (133, 143)]),
        ([(0, 100), (0, 133), (1, 143), (0, 166), (1, 176)], [(133, 143), (166, 176)]),
    ],
)
def test_within_half_a_period(make_pairs, arrivals, expected):
    assert make_pairs(PERIOD_NS // 2).feed(*arrivals) == expected


def test_no_stamp_is_used_twice(make_pairs):
    out = make_pairs(PERIOD_NS // 2).feed(
        *((stream, 33.3 * i + 5 * stream) for i in range(60) for stream in (0, 1))
    )
    assert len(out) == 60
    assert len({a for a, _ in out}) == len({b for _, b in out}) == 60
    assert all(abs(b - a - 5) < 0.01 for a, b in out)


def test_a_long_gap_in_one_stream_is_no_end(make_pairs):
    """More than the queue holds goes by without partners; then both come again."""
    pairs = make_pairs()
    pairs.feed(*((0, 100 + i) for i in range(50)))
    assert pairs.out == []
    pairs.feed((0, 200), (1, 200))
    assert pairs.out == [(200, 200)]


def test_the_engine_in_use(monkeypatch):
    made = pairing.create_pairing(lambda *_: None, slop_ns=0)
    wanted = pairing.has_message_filters()
    assert isinstance(made, pairing.MessageFiltersPairing) == wanted
    monkeypatch.setattr(pairing, 'has_message_filters', lambda: False)
    assert isinstance(pairing.create_pairing(lambda *_: None, slop_ns=0), pairing.OwnPairing)
