"""Frames of depth without colour, with infrared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.depth_frames import depth_frames
from rs_ml_perception.recordings.messages import IMAGE
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.recordings.pairs import paired_messages
from rs_ml_perception.recordings.writer import RecordingWriter

from rs_ml_perception.recordings import message_factory as factory

MS = 1_000_000
DEPTH, INFRA = '/camera/depth/image_rect_raw', '/camera/infra1/image_rect_raw'


def write_streams(path, depths_ms, infras_ms, infra_encoding='mono8'):
    """Depth and infrared images that tell their stamps."""
    with RecordingWriter(path) as writer:
        streams = [(DEPTH, '16UC1', np.uint16, ms) for ms in depths_ms]
        streams += [(INFRA, infra_encoding, np.uint8, ms) for ms in infras_ms]
        for topic, encoding, dtype, ms in sorted(streams, key=lambda stream: stream[3]):
            writer.add_topic(topic, IMAGE)
            content = factory.image(
                factory.header(ms * MS, 'optical'), encoding, np.full((4, 6), ms % 256, dtype)
            )
            writer.write_message(topic, ms * MS, content)
    return path


@pytest.mark.parametrize(
    ('depths_ms', 'infras_ms', 'expected'),
    [
        ([100], [], [(100, None)]),
        ([100, 200], [100, 200], [(100, 100), (200, 200)]),
        ([100, 200], [110, 210], [(100, 110), (200, 210)]),
        ([100, 200, 300], [100, 300], [(100, 100), (200, None), (300, 300 % 256)]),
        ([100, 200, 300, 400], [100, 110], [(100, 100), (200, None), (300, None), (400, None)]),
    ],
)
def test_infrared_of_the_nearest_stamp(tmp_path, depths_ms, infras_ms, expected):
    path = write_streams(tmp_path / 'bag', depths_ms, infras_ms)
    with open_recording(path) as recording:
        found = [
            (f.stamp_ns // MS, None if f.infrared is None else int(f.infrared[0, 0]))
            for f in depth_frames(recording)
        ]
    assert found == expected


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_raw_depth_is_taken_where_there_is_aligned_too(write_recording, make_frame, storage):
    moved = RigidTransform(np.eye(3), np.array([0.015, 0.0, 0.0]))
    raw = [
        make_frame(
            n,
            depth=DepthImage(np.full((12, 20), 3000, np.uint16), 0.001),
            infrared=np.full((12, 20), 9, np.uint8),
            depth_camera=replace(make_frame(n).camera, width=20, height=12, fx=20.0),
            color_from_depth=moved,
        )
        for n in range(3)
    ]
    aligned = [make_frame(n, rgb=None) for n in range(3)]
    path = write_recording([*raw, *aligned], storage=storage)
    with open_recording(path) as recording:
        topics = camera_topics(recording)
        found = list(depth_frames(recording))
    assert topics.depth.endswith('aligned_depth_to_color/image_raw')
    assert topics.sensor_depth.endswith('/depth/image_rect_raw')
    assert len(found) == 3
    for frame in found:
        assert frame.rgb is None
        assert frame.frame_id == 'camera_depth_optical_frame'
        assert (frame.depth.width, frame.camera.width, frame.camera.fx) == (20, 20, 20.0)
        assert (frame.infrared == 9).all()


def test_aligned_depth_alone_has_the_intrinsics_of_colour_and_no_infrared(
    write_recording, make_frame
):
    path = write_recording([make_frame(0), make_frame(1)])
    with open_recording(path) as recording:
        assert camera_topics(recording).infra is None
        found = list(depth_frames(recording))
    assert [f.frame_id for f in found] == 2 * ['camera_color_optical_frame']
    assert [(f.camera.width, f.infrared) for f in found] == 2 * [(32, None)]


def test_without_depth_the_topics_are_named(write_recording, make_frame):
    path = write_recording([make_frame(0, depth=None)])
    with open_recording(path) as recording, pytest.raises(InputError, match='no depth images'):
        next(depth_frames(recording))


def test_unusable_infrared_is_reported_and_depth_continues(tmp_path):
    path = write_streams(tmp_path / 'bag', [100, 200], [100, 200], infra_encoding='yuv999')
    reported = []
    with open_recording(path) as recording:
        found = list(
            depth_frames(recording, on_rejected=lambda *rejected: reported.append(rejected))
        )
        assert [f.infrared for f in found] == [None, None]
        assert [topic for topic, _ in reported] == [INFRA, INFRA]
        with pytest.raises(InputError, match='yuv999'):
            next(depth_frames(recording))


def test_nothing_to_pair():
    assert list(paired_messages([], 'a', 'b', skew_ns=1, on_other=print)) == []
