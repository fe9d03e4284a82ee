"""The truth in the shipped recording agrees with its images."""

import json

import numpy as np
import pytest
from rs_ml_perception.core.geometry.gravity import up_from_accelerometer
from rs_ml_perception.core.objects.detections import Detections
from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.frames import frames
from rs_ml_perception.recordings.open_recording import open_recording, shipped_recording
from rs_ml_perception.tasks.height import HeightEstimator

TRUTH = '/ground_truth/frame'


@pytest.fixture(scope='module')
def recording():
    with open_recording(shipped_recording()) as opened:
        yield opened


@pytest.fixture(scope='module')
def shown(recording):
    return list(frames(recording))


@pytest.fixture(scope='module')
def truths(recording):
    return [json.loads(recording.decode(m).data) for m in recording.messages([TRUTH])]


def test_every_frame_is_complete(shown, truths):
    assert len(shown) == len(truths) == 14
    steps_ns = np.diff([frame.stamp_ns for frame in shown])
    assert np.ptp(steps_ns) < 1000
    for frame in shown:
        assert frame.rgb.shape == (480, 640, 3)
        assert frame.depth.values.shape == (480, 848)
        assert 0.8 < np.mean(frame.depth.values > 0) < 1
        assert frame.color_from_depth.translation_m == pytest.approx([0.015, 0, 0])


def test_two_people_are_in_view(truths):
    for truth in truths:
        standing, walking = truth['people']
        assert (standing['posture'], walking['posture']) == ('standing', 'walking')
        assert not standing['cut']
        assert standing['visible_share'] > 0.9


def test_the_accelerometer_knows_the_tilt(recording, truths):
    topic = camera_topics(recording).accel
    readings = [
        recording.decode(message).linear_acceleration for message in recording.messages([topic])
    ]
    up = up_from_accelerometer(np.array([[a.x, a.y, a.z] for a in readings]))
    off_deg = np.degrees(np.arccos(up.vector @ truths[7]['camera']['up_in_camera']))
    assert off_deg < 1.5


def test_heights_are_measured(shown, truths):
    estimator, errors_m = HeightEstimator(), []
    for frame, truth in zip(shown, truths, strict=True):
        standing = truth['people'][0]
        box = np.array([standing['box']], np.float32)
        people = Detections(box, np.ones(1, np.float32), np.zeros(1, np.int32))
        heights = estimator(frame, people)
        errors_m.append(float(heights.height_m[0]) - standing['stature_m'])
    assert abs(np.median(errors_m)) < 0.05
