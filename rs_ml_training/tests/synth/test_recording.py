"""Synthetic recordings: topics, pixels, cameras, gravity, truth, and what is refused."""

from __future__ import annotations

import dataclasses
import json

import cv2
import numpy as np
import pytest

pytest.importorskip('rosbags')

from rosbags.highlevel import AnyReader
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.recordings.message_types import message_types
from rs_ml_training.data.bag_writing import START_NS
from rs_ml_training.data.depth_maps import depth_maps
from rs_ml_training.synth.camera import CameraPose, accelerometer_samples, d435
from rs_ml_training.synth.frame import BoxTruth, PeopleTruth, Posture, SynthFrame
from rs_ml_training.synth.writing.recording import (
    TRUTH_TOPIC,
    RecordingOptions,
    write_recording,
)

CAMERA = '/camera/camera'
RATE_HZ = 20


def frame(number):
    """A frame of smooth shades, so that JPEG keeps it."""
    rig, pose = d435((64, 48), (40, 30)), CameraPose(1.2, pitch_rad=-0.1)
    shade, color_shade = (
        np.linspace(20, 200, s[0] * s[1]).reshape(s) for s in ((48, 64), (30, 40))
    )
    depth_m = np.where(shade > 150, 0, 0.01 * (number + 1) * shade.round()).astype(np.float32)
    aligned_m = (0.005 * color_shade.round()).astype(np.float32)
    box = np.array([[4, 5, 14, 25]], np.float32)
    one = np.array([1.7], np.float32)
    return SynthFrame(
        seed=7,
        left=shade.astype(np.uint8),
        right=shade.astype(np.uint8),
        depth_m=depth_m,
        raw_depth_m=depth_m,
        color=np.repeat(color_shade[..., None], 3, axis=2).astype(np.uint8),
        color_depth_m=aligned_m,
        aligned_depth_m=aligned_m,
        labels=np.full((30, 40), 11, np.uint8),
        people=PeopleTruth(box, one, one, (Posture.STANDING,), one / 2, np.array([False])),
        boxes=BoxTruth(box, np.zeros(1, np.int64), np.array([200])),
        rig=rig,
        pose=pose,
        accelerometer=accelerometer_samples(pose, np.random.default_rng(0)),
        emitter=True,
    )


def record(out, count=3, **options):
    counts = write_recording(map(frame, range(count)), out, RecordingOptions(RATE_HZ, **options))
    return counts, out


def read(path):
    """Topic -> [(log time, message)]."""
    found = {}
    with AnyReader([path], default_typestore=message_types()) as reader:
        for connection, log_time_ns, data in reader.messages():
            message = reader.deserialize(data, connection.msgtype)
            found.setdefault(connection.topic, []).append((log_time_ns, message))
    return found


@pytest.fixture(scope='module')
def topics(tmp_path_factory):
    return read(record(tmp_path_factory.mktemp('recorded') / 'raw')[1])


def test_topics_of_the_driver(topics):
    images = ('color/image_raw', 'depth/image_rect_raw', 'infra1/image_rect_raw')
    for topic in (*images, 'aligned_depth_to_color/image_raw', 'depth/camera_info'):
        stamps = [stamp for stamp, _ in topics[f'{CAMERA}/{topic}']]
        assert stamps == [START_NS + i * 1_000_000_000 // RATE_HZ for i in range(3)]
    assert len(topics[f'{CAMERA}/accel/sample']) == 9
    assert {'/tf_static', f'{CAMERA}/extrinsics/depth_to_color', TRUTH_TOPIC} < set(topics)


@pytest.mark.parametrize(
    ('topic', 'frame_id', 'expected'),
    [
        ('color/image_raw', 'color', lambda f: f.color),
        ('depth/image_rect_raw', 'depth', lambda f: np.rint(1000 * f.raw_depth_m)),
        ('infra1/image_rect_raw', 'infra1', lambda f: f.left),
        ('aligned_depth_to_color/image_raw', 'color', lambda f: np.rint(1000 * f.aligned_depth_m)),
    ],
)
def test_pixels(topics, topic, frame_id, expected):
    message = topics[f'{CAMERA}/{topic}'][1][1]
    dtype = np.uint16 if message.encoding == '16UC1' else np.uint8
    stored = message.data.view(dtype).reshape(message.height, message.width, -1).squeeze()
    np.testing.assert_array_equal(stored, expected(frame(1)))
    assert message.header.frame_id == f'camera_{frame_id}_optical_frame'


@pytest.mark.parametrize(
    ('stream', 'camera'), [('color', 'color'), ('depth', 'depth'), ('infra1', 'depth')]
)
def test_cameras(topics, stream, camera):
    info = topics[f'{CAMERA}/{stream}/camera_info'][0][1]
    expected = getattr(frame(0).rig, camera)
    assert (info.width, info.height) == (expected.width, expected.height)
    assert (info.k[0], info.k[2], info.k[5]) == (expected.fx, expected.cx, expected.cy)


def test_color_camera_is_next_to_the_depth_camera(topics):
    extrinsics = topics[f'{CAMERA}/extrinsics/depth_to_color'][0][1]
    np.testing.assert_allclose(extrinsics.translation, [0.015, 0, 0])
    np.testing.assert_allclose(extrinsics.rotation, np.eye(3).ravel())
    tree = {t.child_frame_id: t.transform for t in topics['/tf_static'][0][1].transforms}
    place = tree['camera_color_frame'].translation
    # To the left is along the y of the body.
    assert (place.x, place.y, place.z) == pytest.approx((0, 0.015, 0))
    assert tree['camera_depth_frame'].rotation.w == 1


def test_accelerometer_feels_the_tilt(topics):
    stamps, samples = zip(*topics[f'{CAMERA}/accel/sample'], strict=True)
    assert stamps[2] == START_NS
    assert sorted(stamps) == list(stamps)
    felt = np.mean([[s.linear_acceleration.x, s.linear_acceleration.y] for s in samples], axis=0)
    assert felt == pytest.approx([0, -9.8], abs=0.2)
    assert samples[0].header.frame_id == 'camera_accel_optical_frame'


def test_truth_goes_along(topics):
    truths = [json.loads(message.data) for _, message in topics[TRUTH_TOPIC]]
    assert [truth['image'] for truth in truths] == ['0', '1', '2']
    assert truths[0]['people'][0]['stature_m'] == 1.7


def test_compressed_depth_loses_nothing(tmp_path):
    _, out = record(tmp_path / 'small', jpeg_quality=90)
    topics = read(out)
    assert f'{CAMERA}/depth/image_rect_raw' not in topics
    for found, number in zip(depth_maps(str(out)), range(3), strict=True):
        np.testing.assert_allclose(found, frame(number).raw_depth_m, atol=0.0005)
    for topic, expected in (('color/image_raw', 'color'), ('infra1/image_rect_raw', 'left')):
        message = topics[f'{CAMERA}/{topic}/compressed'][0][1]
        picture = cv2.imdecode(message.data, cv2.IMREAD_UNCHANGED)
        assert message.format.startswith({'color': 'rgb8', 'left': 'mono8'}[expected])
        np.testing.assert_allclose(picture, getattr(frame(0), expected), atol=8)


def test_without_aligned_depth(tmp_path):
    counts, _ = record(tmp_path / 'bag', aligned=False)
    assert not any('aligned' in topic for topic in counts)


def test_the_same_frames_give_the_same_bytes(tmp_path):
    files = [record(tmp_path / name / 'bag')[1] / 'bag.mcap' for name in ('one', 'other')]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ({'rate_hz': 0}, 'rate_hz must lie in'),
        ({'storage': 'zip'}, 'zip'),
        ({'jpeg_quality': 101}, '101'),
        ({'camera': '9'}, 'no namespace'),
    ],
)
def test_senseless_options(options, words):
    with pytest.raises(ConfigError, match=words):
        dataclasses.replace(RecordingOptions(), **options)
