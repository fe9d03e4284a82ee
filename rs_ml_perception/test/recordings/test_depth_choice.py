"""The parameter depth_source, for recordings as for live topics."""

import pytest
from rs_ml_perception.recordings.camera_topics import CameraTopics
from rs_ml_perception.recordings.depth_choice import choose_depth

BOTH = CameraTopics(
    color='c', color_info='ci', depth='a', depth_info='ai', depth_is_aligned=True,
    sensor_depth='r', sensor_depth_info='ri', infra='i',
)  # fmt: skip
RAW = CameraTopics(
    color='c', depth='r', depth_info='ri', sensor_depth='r', sensor_depth_info='ri', infra='i'
)
ALIGNED = CameraTopics(
    color='c', depth='a', depth_info='ai', depth_is_aligned=True, sensor_depth='a',
    sensor_depth_info='ai',
)  # fmt: skip
NO_DEPTH = CameraTopics(color='c')


@pytest.mark.parametrize(
    ('topics', 'source', 'depth', 'is_aligned', 'infra'),
    [
        (BOTH, 'auto', ('a', 'ai', 'r', 'ri'), True, 'i'),
        (BOTH, 'aligned', ('a', 'ai', 'a', 'ai'), True, None),
        (BOTH, 'raw', ('r', 'ri', 'r', 'ri'), False, 'i'),
        (BOTH, 'none', (None, None, None, None), False, None),
        (RAW, 'auto', ('r', 'ri', 'r', 'ri'), False, 'i'),
        (RAW, 'raw', ('r', 'ri', 'r', 'ri'), False, 'i'),
        (RAW, 'aligned', (None, None, None, None), False, None),
        (ALIGNED, 'aligned', ('a', 'ai', 'a', 'ai'), True, None),
        (ALIGNED, 'raw', (None, None, None, None), False, None),
        (NO_DEPTH, 'raw', (None, None, None, None), False, None),
    ],
)
def test_the_choice(topics, source, depth, is_aligned, infra):
    found = choose_depth(topics, source)
    chosen = found.depth, found.depth_info, found.sensor_depth, found.sensor_depth_info
    assert chosen == depth
    assert (found.depth_is_aligned, found.infra, found.color) == (is_aligned, infra, 'c')
