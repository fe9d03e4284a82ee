"""Nodes and recordings prefer the same transport of a topic."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.messages import COMPRESSED_IMAGE, IMAGE, Topic
from rs_ml_perception.ros.input.topics import (
    ALIGNED_DEPTH,
    COLOR,
    COMPRESSED_SUFFIXES,
    INFRA,
    RAW_DEPTH,
)

pytestmark = pytest.mark.ros


class Holding:
    """A recording of topics without messages."""

    camera = ''

    def __init__(self, names):
        self.topics = tuple(
            Topic(name, COMPRESSED_IMAGE if compressed else IMAGE, 1) for name, compressed in names
        )

    def first(self, name):
        return SimpleNamespace(encoding='16UC1' if 'depth' in name else 'rgb8')


def transports(role):
    """Every set of transports that a role may be published with, and the one nodes take."""
    suffixes = ['', *(f'/{suffix}' for suffix in COMPRESSED_SUFFIXES[role])]
    for count in range(1, len(suffixes) + 1):
        for offered in itertools.combinations(suffixes, count):
            yield role, offered, offered[0]


@pytest.mark.parametrize(
    ('role', 'offered', 'taken'),
    [row for role in (COLOR, ALIGNED_DEPTH, RAW_DEPTH, INFRA) for row in transports(role)],
)
def test_of_several_transports_both_take_the_same(role, offered, taken):
    names = [(f'/c/{role}{suffix}', bool(suffix)) for suffix in reversed(offered)]
    if role == INFRA:
        names.append((f'/c/{RAW_DEPTH}', False))
    found = camera_topics(Holding(names))
    chosen = {
        COLOR: found.color,
        ALIGNED_DEPTH: found.depth,
        RAW_DEPTH: found.sensor_depth,
        INFRA: found.infra,
    }[role]
    assert chosen == f'/c/{role}{taken}'
