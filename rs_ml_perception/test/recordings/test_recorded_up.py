"""Up by the accelerometer of a recording."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.gravity import UpMethod
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.recordings.gravity import RecordedUp, frames_with_up
from rs_ml_perception.recordings.message_factory import header, image, imu, tf_message
from rs_ml_perception.recordings.messages import IMAGE, IMU, TF_MESSAGE
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.recordings.writer import RecordingWriter, qos_profile

MS = 1_000_000
COLOR, ACCEL = '/camera/color/image_raw', '/camera/accel/sample'
LEVEL, TILTED, FALLING = (0.0, -9.81, 0.0), (0.0, -6.94, -6.94), (0.0, -0.1, 0.0)
ROLLED = RigidTransform(np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]), np.zeros(3))


def write(path, images_ms, readings, transforms=None):
    """Readings of [(stamp in ms, m/s2)]; None in place of m/s2: a message that is cut off."""
    with RecordingWriter(path) as writer:
        if transforms:
            writer.add_topic('/tf_static', TF_MESSAGE, qos=[qos_profile(latched=True)])
            writer.write_message('/tf_static', 0, tf_message(0, transforms))
        writer.add_topic(COLOR, IMAGE)
        writer.add_topic(ACCEL, IMU)
        for stamp_ms in images_ms:
            black = np.zeros((4, 6, 3), np.uint8)
            content = image(header(stamp_ms * MS, 'color'), 'rgb8', black)
            writer.write_message(COLOR, stamp_ms * MS, content)
        for stamp_ms, reading in readings:
            if reading is None:
                writer.write(ACCEL, stamp_ms * MS, b'\x00\x01\x00\x00')
                continue
            content = imu(header(stamp_ms * MS, 'imu'), np.zeros(3), np.array(reading))
            writer.write_message(ACCEL, stamp_ms * MS, content)
    return path


def ups(path, **options):
    with open_recording(path) as recording:
        return [frame.up for frame in frames_with_up(recording, **options)]


@pytest.mark.parametrize(
    ('readings', 'expected'),
    [
        ([], [None, None]),
        ([(90, LEVEL)], [LEVEL, None]),
        ([(90, LEVEL), (890, TILTED)], [LEVEL, TILTED]),
        ([(110, LEVEL), (890, TILTED)], [None, TILTED]),
        ([(90, FALLING), (890, TILTED)], [None, TILTED]),
    ],
    ids=['none', 'too old', 'two', 'only later ones', 'not gravity alone'],
)
def test_readings_of_the_last_half_second(tmp_path, readings, expected):
    found = ups(write(tmp_path / 'bag', [100, 900], readings))
    assert [up is None for up in found] == [reading is None for reading in expected]
    for up, reading in zip(found, expected, strict=True):
        if up is not None:
            assert up.method is UpMethod.IMU
            np.testing.assert_allclose(up.vector, reading / np.linalg.norm(reading), atol=1e-6)


def test_the_position_of_the_imu_comes_from_transforms(tmp_path):
    path = write(tmp_path / 'bag', [100], [(90, LEVEL)], {('color', 'imu'): ROLLED})
    (up,) = ups(path)
    np.testing.assert_allclose(up.vector, [-1, 0, 0], atol=1e-6)


def test_a_frame_that_stands_upright_goes_first(tmp_path):
    path = write(tmp_path / 'bag', [100], [(90, LEVEL)], {('color', 'map'): ROLLED})
    with open_recording(path) as recording:
        up = RecordedUp(recording).at('color', 100 * MS, 'map')
    assert up.method is UpMethod.TF
    np.testing.assert_allclose(up.vector, [0, 0, 1], atol=1e-6)


def test_a_broken_reading_is_reported_and_left_out(tmp_path):
    path = write(tmp_path / 'bag', [100], [(80, None), (90, LEVEL)])
    rejected = []
    (up,) = ups(path, on_rejected=lambda name, error: rejected.append(name))
    assert (up.method, rejected) == (UpMethod.IMU, [ACCEL])
    with pytest.raises(InputError, match='accel'):
        ups(path)


def test_readings_before_a_damage_of_the_file_count(tmp_path):
    """Frames are read apart from them and may go on, or tell of the damage themselves."""
    path, rejected = write(tmp_path / 'bag', [100], [(90, LEVEL), (95, TILTED)]), []
    with open_recording(path) as recording:
        whole = recording.messages

        def damaged(topics):
            yield next(whole(topics))
            raise InputError('chunk is cut off')

        recording.messages = damaged
        with pytest.raises(InputError, match='cut off'):
            RecordedUp(recording)
        up = RecordedUp(recording, lambda name, error: rejected.append(name))
    assert up.at('color', 100 * MS).method is UpMethod.IMU
    assert rejected == [ACCEL]
