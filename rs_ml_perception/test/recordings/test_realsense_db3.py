"""Recordings of present librealsense, written by it from a software device."""

from __future__ import annotations

import shutil
import sqlite3
import time

import numpy as np
import pytest
from rs_ml_perception.recordings.frames import frames
from rs_ml_perception.recordings.message_types import message_types
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.recordings.realsense_streams import REORDER_NS, in_order_of_stamps

WIDTH, HEIGHT, COUNT = 64, 48, 4
DEPTH_UNIT_M = 0.0001
START_MS, PERIOD_MS = 1000.0, 33.0
ANGLE = 0.1
ROTATION = np.array(
    [[np.cos(ANGLE), -np.sin(ANGLE), 0], [np.sin(ANGLE), np.cos(ANGLE), 0], [0, 0, 1]]
)
TRANSLATION = [0.015, 0.001, 0.002]


class SoftwareCamera:
    """A software device with depth, left infrared, colour and accelerometer."""

    def __init__(self, rs):
        self.rs = rs
        self.device = rs.software_device()
        self.stereo = self.device.add_sensor('Stereo Module')
        self.camera = self.device.add_sensor('RGB Camera')
        self.motion = self.device.add_sensor('Motion Module')
        self.stereo.add_read_only_option(rs.option.depth_units, DEPTH_UNIT_M)
        self.depth = self._video(self.stereo, rs.stream.depth, 1, 0, rs.format.z16, 50.0)
        self.infra = self._video(self.stereo, rs.stream.infrared, 2, 1, rs.format.y8, 50.0)
        self.color = self._video(self.camera, rs.stream.color, 3, 0, rs.format.rgb8, 60.0)
        stream = rs.motion_stream()
        stream.type, stream.uid, stream.index, stream.fps = rs.stream.accel, 4, 0, 100
        stream.fmt = rs.format.motion_xyz32f
        self.accel = self.motion.add_motion_stream(stream)
        self._place()

    def _video(self, sensor, kind, uid, index, pixel_format, focal):
        rs = self.rs
        stream = rs.video_stream()
        stream.type, stream.uid, stream.index, stream.fmt = kind, uid, index, pixel_format
        stream.width, stream.height, stream.fps = WIDTH, HEIGHT, 30
        stream.bpp = {rs.format.z16: 2, rs.format.y8: 1, rs.format.rgb8: 3}[pixel_format]
        intrinsics = rs.intrinsics()
        intrinsics.width, intrinsics.height = WIDTH, HEIGHT
        intrinsics.fx = intrinsics.fy = focal
        intrinsics.ppx, intrinsics.ppy = 31.5, 23.5
        intrinsics.model, intrinsics.coeffs = rs.distortion.brown_conrady, 5 * [0.0]
        stream.intrinsics = intrinsics
        return sensor.add_video_stream(stream)

    def _place(self):
        color_from_depth, same = self.rs.extrinsics(), self.rs.extrinsics()
        color_from_depth.rotation = ROTATION.flatten(order='F').tolist()
        color_from_depth.translation = TRANSLATION
        same.rotation, same.translation = np.eye(3).ravel().tolist(), [0.0, 0.0, 0.0]
        self.depth.register_extrinsics_to(self.color, color_from_depth)
        self.depth.register_extrinsics_to(self.infra, same)
        self.depth.register_extrinsics_to(self.accel, same)

    def send(self, number):
        """One frame of each stream."""
        pictures = (
            (self.stereo, self.depth, np.full((HEIGHT, WIDTH), 12345, np.uint16)),
            (self.stereo, self.infra, np.full((HEIGHT, WIDTH), 10 * number, np.uint8)),
            (self.camera, self.color, np.full((HEIGHT, WIDTH, 3), (number, 0, 200), np.uint8)),
        )
        for sensor, profile, pixels in pictures:
            frame = self.rs.software_video_frame()
            frame.pixels, frame.stride = pixels.tobytes(), pixels[0].nbytes
            frame.bpp = pixels[0].nbytes // WIDTH
            self._stamp(frame, number, profile.as_video_stream_profile())
            sensor.on_video_frame(frame)
        frame = self.rs.software_motion_frame()
        push = self.rs.vector()
        push.x, push.y, push.z = 0.0, -9.75, 0.5
        frame.data = push
        self._stamp(frame, number, self.accel.as_motion_stream_profile())
        self.motion.on_motion_frame(frame)

    def _stamp(self, frame, number, profile):
        frame.timestamp = START_MS + PERIOD_MS * number
        frame.domain = self.rs.timestamp_domain.hardware_clock
        frame.frame_number, frame.profile = number + 1, profile


@pytest.fixture(scope='module')
def db3(tmp_path_factory, librealsense):
    rs = librealsense
    path = tmp_path_factory.mktemp('db3') / 'camera.db3'
    camera = SoftwareCamera(rs)
    try:
        recorder = rs.recorder(str(path), camera.device)
    except RuntimeError as error:
        pytest.skip(f'this librealsense does not record .db3: {error}')
    sensors, queue = recorder.query_sensors(), rs.frame_queue(100)
    for sensor in sensors:
        sensor.open(sensor.get_stream_profiles())
        sensor.start(queue)
    for number in range(COUNT):
        camera.send(number)
        time.sleep(0.05)  # the recorder writes in a thread of its own
    time.sleep(0.3)
    for sensor in sensors:
        sensor.stop()
        sensor.close()
    del recorder, sensors
    return path


def test_topics_are_those_of_the_driver(db3):
    camera = '/camera/camera'
    with open_recording(db3) as recording:
        assert {topic.name: topic.count for topic in recording.topics} == {
            f'{camera}/accel/sample': COUNT,
            f'{camera}/color/camera_info': COUNT,
            f'{camera}/color/image_raw': COUNT,
            f'{camera}/depth/camera_info': COUNT,
            f'{camera}/depth/image_rect_raw': COUNT,
            f'{camera}/infra1/camera_info': COUNT,
            f'{camera}/infra1/image_rect_raw': COUNT,
            f'{camera}/extrinsics/depth_to_color': 1,
            '/tf_static': 1,
        }
        messages = list(recording.messages())
        assert len(messages) == sum(topic.count for topic in recording.topics)
        assert [m.log_time_ns for m in messages] == sorted(m.log_time_ns for m in messages)


def test_frames_have_true_stamps_millimetres_and_the_pose(db3):
    with open_recording(db3) as recording:
        found = list(frames(recording))
    assert [f.stamp_ns for f in found] == [
        round(1e6 * (START_MS + PERIOD_MS * number)) for number in range(COUNT)
    ]
    for number, frame in enumerate(found):
        assert (frame.rgb == (number, 0, 200)).all()
        assert (frame.depth.values == 1234).all()
        assert frame.depth.metres_per_unit == 0.001
        assert (frame.camera.fx, frame.depth_camera.fx) == (60.0, 50.0)
        assert np.allclose(frame.color_from_depth.rotation, ROTATION, atol=1e-5)
        assert np.allclose(frame.color_from_depth.translation_m, TRANSLATION, atol=1e-6)


def test_infrared_and_accelerometer(db3):
    with open_recording(db3) as recording:
        infra = recording.first('/camera/camera/infra1/image_rect_raw')
        accel = recording.first('/camera/camera/accel/sample')
    assert (infra.encoding, infra.width, infra.header.frame_id) == (
        'mono8',
        WIDTH,
        'camera_infra1_optical_frame',
    )
    assert (accel.linear_acceleration.y, accel.linear_acceleration.z) == (-9.75, 0.5)
    assert accel.header.frame_id == 'camera_accel_optical_frame'


@pytest.mark.parametrize('text', ['', 'timestamp=', 'frame_number=3'])
def test_a_frame_without_a_time_is_named_and_the_others_go_on(db3, text, tmp_path):
    """Of one colour frame the metadata are damaged."""
    damaged = tmp_path / 'damaged.db3'
    shutil.copy(db3, damaged)
    with sqlite3.connect(damaged) as database:
        (number,) = database.execute(
            'SELECT m.id FROM messages m JOIN topics t ON m.topic_id = t.id '
            "WHERE t.name LIKE '%Color_0/image/metadata' ORDER BY m.timestamp LIMIT 1"
        ).fetchone()
        message = message_types().types['std_msgs/msg/String'](data=text)
        data = bytes(message_types().serialize_cdr(message, 'std_msgs/msg/String'))
        database.execute('UPDATE messages SET data = ? WHERE id = ?', (data, number))
    database.close()
    rejected = []
    with open_recording(damaged) as recording:
        found = list(frames(recording, on_rejected=lambda *why: rejected.append(why)))
    assert len(found) == COUNT - 1
    assert {topic for topic, _ in rejected} >= {'/camera/camera/color/image_raw'}
    assert any('its metadata are missing' in str(error) for _, error in rejected)


@pytest.mark.parametrize(
    ('stamps', 'expected'),
    [
        ([], []),
        ([1], [1]),
        ([2, 1, 3], [1, 2, 3]),
        ([2 * REORDER_NS, REORDER_NS + 1, 4 * REORDER_NS], None),
        # Too late to be put in order: passed on, not lost.
        ([0, 4 * REORDER_NS, 1], [0, 1, 4 * REORDER_NS]),
    ],
)
def test_order_of_stamps(stamps, expected):
    found = [stamp for stamp, _ in in_order_of_stamps((stamp, None) for stamp in stamps)]
    assert found == (sorted(stamps) if expected is None else expected)
