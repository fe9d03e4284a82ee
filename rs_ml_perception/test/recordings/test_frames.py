"""Frames of recordings: which depth belongs to which colour."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.messages import color_from_message
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.compressed import (
    encode_compressed_color,
    encode_compressed_depth,
)
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.frames import frames
from rs_ml_perception.recordings.messages import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.recordings.pairs import half_period_ns
from rs_ml_perception.recordings.writer import RecordingWriter

from rs_ml_perception.recordings import message_factory as factory

MS = 1_000_000
POSE = RigidTransform.from_quaternion(
    np.array([0.01, -0.02, 0.03, 1.0]), np.array([0.015, 0.001, -0.002])
)


def write_images(path, images):
    """Images of [(topic, stamp in ms, encoding, pixels)]."""
    with RecordingWriter(path) as writer:
        for topic, stamp_ms, encoding, pixels in images:
            header = factory.header(stamp_ms * MS, 'optical')
            writer.add_topic(topic, IMAGE)
            content = factory.image(header, encoding, pixels)
            writer.write_message(topic, stamp_ms * MS, content)
    return path


def color(stamp_ms, topic='/camera/color/image_raw'):
    return topic, stamp_ms, 'rgb8', np.full((4, 6, 3), stamp_ms % 256, np.uint8)


def depth(stamp_ms, topic='/camera/aligned_depth_to_color/image_raw'):
    return topic, stamp_ms, '16UC1', np.full((4, 6), stamp_ms, np.uint16)


def pairs_of(path):
    with open_recording(path) as recording:
        return [
            (frame.stamp_ns // MS, int(frame.depth.values[0, 0]) if frame.depth else None)
            for frame in frames(recording)
        ]


@pytest.mark.parametrize(
    ('colors_ms', 'depths_ms', 'expected'),
    [
        ([100], [], [(100, None)]),
        ([100, 200, 300], [100, 200, 300], [(100, 100), (200, 200), (300, 300)]),
        # The nearest, before or after, but not beyond half a period.
        ([100, 200, 300], [110, 190, 310], [(100, 110), (200, 190), (300, 310)]),
        ([100, 200, 300, 400], [100, 270, 400], [(100, 100), (200, 270), (300, 270), (400, 400)]),
        ([100, 200, 300, 400, 500], [100, 201, 500, 501, 502], [
            (100, 100), (200, 201), (300, None), (400, None), (500, 500)]),
        # Depth that arrives late still finds its colour.
        ([100, 133, 166], [101, 134, 167], [(100, 101), (133, 134), (166, 167)]),
    ],
)  # fmt: skip
def test_pairs_by_stamp(colors_ms, depths_ms, expected, tmp_path):
    images = [color(s) for s in colors_ms] + [depth(s) for s in depths_ms]
    path = write_images(tmp_path / 'bag', sorted(images, key=lambda image: image[1]))
    assert pairs_of(path) == expected


def test_the_skew_of_depth_comes_along(tmp_path):
    images = [color(100), depth(110), color(200), depth(190), color(900)]
    with open_recording(write_images(tmp_path / 'bag', images)) as recording:
        found = [frame.depth_skew_ms for frame in frames(recording)]
    assert found == pytest.approx([10.0, -10.0, math.nan], nan_ok=True)


def test_a_time_line_that_begins_again_gets_its_own_depth(tmp_path):
    with RecordingWriter(tmp_path / 'bag') as writer:
        for log_ms, (topic, stamp_ms, encoding, pixels) in enumerate(
            [image for start in (100, 100) for k in range(5)
             for image in (color(start + 33 * k), depth(start + 33 * k))]
        ):  # fmt: skip
            writer.add_topic(topic, IMAGE)
            header = factory.header(stamp_ms * MS, 'optical')
            content = factory.image(header, encoding, pixels)
            writer.write_message(topic, (100 + 17 * log_ms) * MS, content)
    stamps_ms = [100 + 33 * k for k in range(5)]
    assert pairs_of(tmp_path / 'bag') == [(ms, ms) for ms in 2 * stamps_ms]


def test_order_in_the_file_does_not_matter(tmp_path):
    images = [depth(100), color(100), depth(200), color(200)]
    assert pairs_of(write_images(tmp_path / 'a', images)) == [(100, 100), (200, 200)]
    images = [color(100), depth(100), color(200), depth(200)]
    assert pairs_of(write_images(tmp_path / 'b', images)) == [(100, 100), (200, 200)]


def test_depth_alone_makes_frames(tmp_path):
    path = write_images(tmp_path / 'bag', [depth(100), depth(200)])
    with open_recording(path) as recording:
        found = list(frames(recording))
    assert [(f.rgb, f.stamp_ns) for f in found] == [(None, 100 * MS), (None, 200 * MS)]
    assert [int(f.depth.values[0, 0]) for f in found] == [100, 200]


def test_frames_come_back_as_they_were_written(write_recording, make_frame):
    written = [make_frame(i) for i in range(3)]
    with open_recording(write_recording(written)) as recording:
        found = list(frames(recording))
    assert len(found) == 3
    for before, after in zip(written, found, strict=True):
        assert after.stamp_ns == before.stamp_ns
        assert np.array_equal(after.rgb, before.rgb)
        assert np.array_equal(after.depth.values, before.depth.values)
        assert after.camera == replace(
            before.camera, distortion_model='plumb_bob', distortion=5 * (0.0,)
        )
        assert after.depth_is_aligned


def test_unaligned_depth_brings_its_camera_and_pose(write_recording, make_frame):
    depth_camera = CameraModel(16, 12, 20.0, 20.0, 7.5, 5.5)
    frame = make_frame(
        0,
        depth=DepthImage(np.ones((12, 16), np.uint16), 0.001),
        depth_camera=depth_camera,
        color_from_depth=POSE,
    )
    with open_recording(write_recording([frame])) as recording:
        (found,) = frames(recording)
        assert not camera_topics(recording).depth_is_aligned
    assert (found.depth_camera.width, found.depth_camera.fx) == (16, 20.0)
    assert np.allclose(found.color_from_depth.rotation, POSE.rotation, atol=1e-9)
    assert np.allclose(found.color_from_depth.translation_m, POSE.translation_m, atol=1e-9)


def test_unaligned_depth_without_extrinsics_is_left_out_and_reported_once(tmp_path):
    topic = '/camera/depth/image_rect_raw'
    images = []
    for stamp_ms in (100, 200):
        images += [color(stamp_ms), depth(stamp_ms, topic)]
    path = tmp_path / 'bag'
    with RecordingWriter(path) as writer:
        for name, stamp_ms, encoding, pixels in images:
            frame_id = 'color_optical' if 'color' in name else 'depth_optical'
            header = factory.header(stamp_ms * MS, frame_id)
            writer.add_topic(name, IMAGE)
            writer.write_message(name, stamp_ms * MS, factory.image(header, encoding, pixels))
    rejected = []
    with open_recording(path) as recording:
        found = list(frames(recording, on_rejected=lambda *why: rejected.append(why)))
    assert [f.depth for f in found] == [None, None]
    assert len(rejected) == 1
    assert 'align_depth.enable' in str(rejected[0][1])


def test_unaligned_depth_without_camera_info_is_left_out_and_reported_once(
    write_recording, make_frame
):
    depth_camera = CameraModel(16, 12, 20.0, 20.0, 7.5, 5.5)
    images = {
        'depth': DepthImage(np.ones((12, 16), np.uint16), 0.001),
        'depth_camera': depth_camera,
        'color_from_depth': POSE,
    }
    path = write_recording([make_frame(number, **images) for number in range(2)])
    rejected = []
    with open_recording(path) as recording:
        topics = replace(camera_topics(recording), depth_info=None)
        found = list(
            frames(recording, topics=topics, on_rejected=lambda *why: rejected.append(why))
        )
    assert [f.depth for f in found] == [None, None]
    assert len(rejected) == 1
    assert 'it has no camera_info' in str(rejected[0][1])


def written(path, messages):
    """A recording of [(topic, type, log time in ms, message)]."""
    with RecordingWriter(path) as writer:
        for topic, kind, log_ms, message in messages:
            writer.add_topic(topic, kind)
            writer.write_message(topic, log_ms * MS, message)
    return path


def read(path):
    """Frames as (stamp in ms, first depth value or None), and rejections."""
    rejected = []
    with open_recording(path) as recording:
        found = list(frames(recording, on_rejected=lambda *why: rejected.append(why)))
    values = [(f.stamp_ns // MS, int(f.depth.values[0, 0]) if f.depth else None) for f in found]
    return values, found, [f'{topic}: {error}' for topic, error in rejected]


@pytest.mark.parametrize(
    ('frame_id', 'reason'),
    [
        ('optical', ''),
        ('/optical', ''),
        ('rear_optical', "aligned depth is in frame 'rear_optical', colour in 'optical'"),
        ('', "aligned depth is in frame '', colour in 'optical'"),
    ],
)
def test_aligned_depth_of_another_frame_is_not_believed(frame_id, reason, tmp_path):
    images = []
    for topic, stamp_ms, encoding, pixels in (color(100), depth(100)):
        is_depth = encoding == '16UC1'
        header = factory.header(stamp_ms * MS, frame_id if is_depth else 'optical')
        images.append((topic, IMAGE, stamp_ms, factory.image(header, encoding, pixels)))
    values, _, rejected = read(written(tmp_path / 'bag', images))
    assert values == [(100, None if reason else 100)]
    assert len(rejected) == bool(reason)
    assert all(reason in text for text in rejected)


def stamped(image, stamp_ms, log_ms):
    """An image whose stamp differs from its log time."""
    topic, _, encoding, pixels = image
    header = factory.header(stamp_ms * MS, 'optical')
    return topic, IMAGE, log_ms, factory.image(header, encoding, pixels)


HOUR_MS = 3_600_000


@pytest.mark.parametrize('lag_ms', [0, 2000, HOUR_MS, -HOUR_MS])
@pytest.mark.parametrize('strange_ms', [0, 12, 9 * HOUR_MS])
def test_a_stamp_that_cannot_be_true_costs_its_image_alone(lag_ms, strange_ms, tmp_path):
    start_ms = 2 * HOUR_MS
    images = []
    for number in range(8):
        log_ms = start_ms + 100 * number
        stamp_ms = log_ms - lag_ms
        images.append(stamped(color(100), stamp_ms, log_ms))
        images.append(stamped(depth(number), strange_ms if number in (2, 3) else stamp_ms, log_ms))
    values, _, rejected = read(written(tmp_path / 'bag', images))
    assert [value for _, value in values] == [0, 1, None, None, 4, 5, 6, 7]
    reported = [text for text in rejected if 'stamp' in text]
    assert len(reported) == 2
    assert all(
        ('zero stamp' if strange_ms == 0 else 'cannot be true') in text for text in reported
    )


def test_a_clock_that_was_set_is_followed(tmp_path):
    """Of a device's own clock, whose stamps go on from somewhere else after a restart."""
    images = []
    for number in range(20):
        log_ms = HOUR_MS + 100 * number
        images.append(stamped(color(100), log_ms if number < 10 else 100 * number, log_ms))
    values, _, rejected = read(written(tmp_path / 'bag', images))
    assert len(values) == 16
    assert len(rejected) == 4


def test_a_pause_does_not_widen_the_pairing(tmp_path):
    """Depth of the other side of a pause of minutes belongs to no colour image."""
    images = [color(s) for s in (100, 200, 300, 600_000)]
    images += [depth(s) for s in (100, 200, 300)]
    path = write_images(tmp_path / 'bag', sorted(images, key=lambda image: image[1]))
    values, _, rejected = read(path)
    assert values == [(100, 100), (200, 200), (300, 300), (600_000, None)]
    assert '1 of 4 colour images have no depth within 50 ms' in rejected[0]


def test_a_constant_offset_of_depth_is_reported_once(tmp_path):
    images = []
    for number in range(5):
        log_ms = HOUR_MS + 100 * number
        images.append(stamped(color(100), log_ms, log_ms))
        images.append(stamped(depth(100), log_ms - 4300, log_ms))
    values, _, rejected = read(written(tmp_path / 'bag', images))
    assert [value for _, value in values] == 5 * [None]
    assert len(rejected) == 1
    assert '5 of 5 colour images have no depth' in rejected[0]
    assert 'ms off' in rejected[0]


def test_camera_info_of_another_size_is_not_used(tmp_path):
    camera = CameraModel(12, 8, 30.0, 30.0, 5.5, 3.5)
    info = factory.camera_info(factory.header(100 * MS, 'optical'), camera)
    topic, _, encoding, pixels = color(100)
    image = factory.image(factory.header(100 * MS, 'optical'), encoding, pixels)
    messages = [
        ('/camera/color/camera_info', CAMERA_INFO, 100, info),
        (topic, IMAGE, 100, image),
    ]
    _, found, rejected = read(written(tmp_path / 'bag', messages))
    assert [frame.camera for frame in found] == [None]
    assert 'is 6x4 but color/camera_info says 12x8' in rejected[0]


def test_an_unexpected_exception_of_one_image_costs_that_image_alone(tmp_path, monkeypatch):
    path = write_images(tmp_path / 'bag', [color(100), color(200), color(300)])
    numbers = iter(range(3))

    def decode(message):
        if next(numbers) == 1:
            raise ZeroDivisionError('what nobody expects')
        return color_from_message(message)

    monkeypatch.setattr('rs_ml_perception.recordings.frame_parts.color_from_message', decode)
    values, _, rejected = read(path)
    assert [stamp for stamp, _ in values] == [100, 300]
    assert 'unexpected ZeroDivisionError: what nobody expects' in rejected[0]


def test_rgb8_depth_is_rejected_and_colour_goes_on(tmp_path):
    topic = '/camera/aligned_depth_to_color/image_raw'
    images = [color(100), (topic, 100, 'rgb8', np.zeros((4, 6, 3), np.uint8))]
    path = write_images(tmp_path / 'bag', images)
    rejected = []
    with open_recording(path) as recording:
        found = list(frames(recording, on_rejected=lambda *why: rejected.append(why)))
        with pytest.raises(InputError, match='colorizer'):
            list(frames(recording))
    assert [f.depth for f in found] == [None]
    assert [name for name, _ in rejected] == [topic]


def test_a_short_image_is_rejected_and_the_others_go_on(tmp_path):
    images = [color(100), color(200), color(300)]
    path = tmp_path / 'bag'
    with RecordingWriter(path) as writer:
        for number, (topic, stamp_ms, encoding, pixels) in enumerate(images):
            content = factory.image(factory.header(stamp_ms * MS, 'f'), encoding, pixels)
            if number == 1:
                content.data = content.data[:-7]
            writer.add_topic(topic, IMAGE)
            writer.write_message(topic, stamp_ms * MS, content)
    rejected = []
    with open_recording(path) as recording:
        found = list(frames(recording, on_rejected=lambda *why: rejected.append(why)))
    assert [f.stamp_ns // MS for f in found] == [100, 300]
    assert len(rejected) == 1


def test_compressed_topics(tmp_path, make_frame):
    frame = make_frame(0)
    path = tmp_path / 'bag'
    encoded = {
        '/camera/camera/color/image_raw/compressed': encode_compressed_color(frame.rgb),
        '/camera/camera/aligned_depth_to_color/image_raw/compressedDepth': (
            encode_compressed_depth(frame.depth)
        ),
    }
    with RecordingWriter(path) as writer:
        for topic, (format_name, data) in encoded.items():
            content = factory.make(
                COMPRESSED_IMAGE,
                header=factory.header(frame.stamp_ns, 'optical'),
                format=format_name,
                data=np.frombuffer(data, np.uint8),
            )
            writer.add_topic(topic, COMPRESSED_IMAGE)
            writer.write_message(topic, frame.stamp_ns, content)
    with open_recording(path) as recording:
        (found,) = frames(recording)
    assert np.abs(found.rgb.astype(int) - frame.rgb).max() < 8
    assert np.array_equal(found.depth.values, frame.depth.values)


def test_no_images_is_one_sentence(tmp_path):
    path = tmp_path / 'bag'
    with RecordingWriter(path) as writer:
        writer.add_topic('/words', 'std_msgs/msg/String')
        writer.write_message('/words', 1, factory.make('std_msgs/msg/String', data=''))
    with open_recording(path) as recording, pytest.raises(InputError, match='only /words'):
        next(frames(recording))


@pytest.mark.parametrize(
    ('names', 'expected_color', 'expected_depth'),
    [
        (['/image'], '/image', None),
        (['/camera/color/image_raw', '/z'], '/camera/color/image_raw', '/z'),
        (['/camera/camera/color/image_raw', '/a/infra1/image_rect_raw'],
         '/camera/camera/color/image_raw', None),
    ],
)  # fmt: skip
def test_topics_are_guessed(names, expected_color, expected_depth, tmp_path):
    images = [depth(100, name) if name == '/z' else color(100, name) for name in names]
    with open_recording(write_images(tmp_path / 'bag', images)) as recording:
        topics = camera_topics(recording)
    assert (topics.color, topics.depth) == (expected_color, expected_depth)


@pytest.mark.parametrize(
    ('colors_ms', 'depths_ms', 'expected_ms'),
    [
        ([100], [100], 0),
        ([100], [150, 250], 100),
        ([100, 200, 300], [100, 200, 300], 50),
        ([100, 200, 300], [100, 300], 100),
    ],
)
def test_half_period(colors_ms, depths_ms, expected_ms, tmp_path):
    images = [color(s) for s in colors_ms] + [depth(s) for s in depths_ms]
    with open_recording(write_images(tmp_path / 'bag', images)) as recording:
        assert half_period_ns(recording, camera_topics(recording).images) // MS == expected_ms


@pytest.mark.parametrize(('name', 'count'), [('realsense_room', 10), ('nyu_people', 14)])
def test_real_recordings_are_paired_throughout(name, count, data_file):
    with open_recording(data_file(f'recordings/{name}')) as recording:
        found = list(frames(recording))
    assert len(found) == count
    assert all(f.depth is not None and f.camera is not None for f in found)
    assert all(f.frame_id == 'camera_color_optical_frame' for f in found)
