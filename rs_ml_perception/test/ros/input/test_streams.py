"""Streams that do not wake the executor."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rs_ml_perception.ros import guards
from rs_ml_perception.ros.input.topics import ACCEL, COLOR_INFO, StreamOptions, create_stream
from sensor_msgs.msg import CameraInfo, Imu

pytestmark = pytest.mark.ros


@pytest.mark.parametrize(('name', 'is_polled'), [('take_message', True), ('_renamed', False)])
def test_readings_wait_for_the_poll(rig, monkeypatch, capfd, name, is_polled):
    monkeypatch.setattr(guards, 'TAKE_MESSAGE', name)
    stream, arrived = create_stream(rig.plain_node('reader'), ACCEL, StreamOptions()), []
    publisher = rig.camera.publisher(ACCEL, Imu)
    rig.until(lambda: stream.has_publisher, 'publisher')
    stream.attach(lambda sample: arrived.append(sample.stamp_ns))
    rig.until(publisher.get_subscription_count, 'match')
    for ns in (1, 2, 3):
        publisher.publish(Imu(header=rig.camera.header(ns)))
    rig.spin_some()
    if is_polled:
        assert arrived == []
        rig.until(lambda: stream.poll() or len(arrived) == 3, 'readings')
    rig.until(lambda: len(arrived) == 3, 'readings')
    assert arrived == [1, 2, 3]
    assert ('costs CPU time' in capfd.readouterr().err) != is_polled


@pytest.mark.parametrize(('name', 'heard'), [('take_message', [1]), ('_renamed', [1, 2, 3])])
def test_intrinsics_are_taken_when_asked_for(rig, monkeypatch, name, heard):
    monkeypatch.setattr(guards, 'TAKE_MESSAGE', name)
    stream, arrived = create_stream(rig.plain_node('reader'), COLOR_INFO, StreamOptions()), []
    publisher = rig.camera.publisher(COLOR_INFO, CameraInfo)
    rig.until(lambda: stream.has_publisher, 'publisher')
    stream.attach(lambda sample: arrived.append(sample.stamp_ns))
    rig.until(publisher.get_subscription_count, 'match')
    assert stream.latest is None
    for ns in (1, 2, 3):
        publisher.publish(CameraInfo(header=rig.camera.header(ns)))
        rig.until(lambda ns=ns: stream.latest and stream.latest.stamp_ns == ns, 'intrinsics')
    assert (arrived, stream.received) == (heard, 3)


def test_a_stream_without_listeners_is_polled_in_vain(rig):
    stream, arrived = create_stream(rig.plain_node('reader'), ACCEL, StreamOptions()), []
    stream.attach(arrived.append)
    stream.detach(arrived.append)
    stream.poll()
    assert stream.received == 0
