"""Gaps in sequence numbers count as losses, and nothing else does."""

from __future__ import annotations

import pytest
from rs_ml_perception.core.streams.counters import Missed, SequenceGaps

A, B = ('a',), ('b',)

# A list of numbers is received, a tuple of names is what the graph shows.
ROWS = {
    'nothing': ([], None),
    'no gap': ([A, [1, 2, 3], A], 0),
    'overwritten while the reader was busy': ([A, [1, 2, 90, 91], A], 87),
    'two gaps, two looks at the graph': ([A, [1, 4], A, [6], A], 3),
    'a gap counts once it is confirmed': ([A, [1, 4]], 0),
    'the reader comes late': ([A, [1000, 1001], A], 0),
    'the reader is there before the publisher': ([(), [1, 5], A], 3),
    'the publisher starts again': ([A, [50, 51], A, [1, 2], B], 0),
    'another publisher that is far ahead': ([A, [1, 2], A, [500, 501], B, [503, 505], B], 1),
    'the publisher goes': ([A, [1, 5], ()], 3),
    'it goes and another comes': ([A, [1, 2], A, (), [700], B, [702, 704], B], 1),
    'two at a time': ([(*A, *B), [1, 900, 2, 901], (*A, *B)], None),
    'one of two goes': ([(*A, *B), [1, 900], (*A, *B), A, [901, 903], A], 1),
    'no numbers': ([A, [None, None], A], None),
    'the reader starts again': ([A, [1, 2], 'restart', [50, 51], A], 0),
}


@pytest.mark.parametrize(('events', 'expected'), ROWS.values(), ids=ROWS)
def test_gaps(events, expected):
    gaps = SequenceGaps()
    for event in events:
        if event == 'restart':
            gaps.restart()
        elif isinstance(event, tuple):
            gaps.confirm(event)
        else:
            for number in event:
                gaps.add(number)
    assert gaps.missed == expected


@pytest.mark.parametrize(
    ('now', 'before', 'expected'),
    [
        (Missed(), Missed(), Missed()),
        (Missed(3, 9), Missed(1, 4), Missed(2, 5)),
        (Missed(3, 9), Missed(1, None), Missed(2, 9)),
        (Missed(3, None), Missed(1, 4), Missed(2, None)),
        # The stream listened to has changed.
        (Missed(0, 1), Missed(5, 4), Missed(0, 0)),
    ],
)
def test_missed_since(now, before, expected):
    assert now.since(before) == expected
