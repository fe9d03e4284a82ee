"""The topic of a waiting depth image, and how long it waits for its infrared image."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rs_ml_perception.core.streams.synchronizer import PATIENCE, Synchronizer, SyncOptions
from rs_ml_perception.ros.input.depth_synchronizer import DepthSynchronizer
from rs_ml_perception.ros.input.samples import TopicSample
from rs_ml_perception.ros.input.topics import (
    ALIGNED_DEPTH,
    COLOR_INFO,
    INFRA,
    RAW_DEPTH,
    RAW_DEPTH_INFO,
)
from sensor_msgs.msg import Image

pytestmark = pytest.mark.ros


class Stream:
    """A topic without middleware."""

    def __init__(self, topic):
        self.topic, self.has_publisher, self.latest = topic, False, None
        self.listeners = []

    def attach(self, listener):
        self.listeners.append(listener)

    def detach(self, listener):
        self.listeners.remove(listener)

    def send(self, number, *, is_old=False):
        msg = Image()
        msg.header.stamp.sec = 1 + number
        sample = TopicSample(msg)
        sample.received_secs -= float(is_old)
        for listener in tuple(self.listeners):
            listener(sample)


class Consumer:
    def __init__(self):
        self.received, self.frames = 0, []

    def on_received(self, _):
        self.received += 1

    def on_frames(self, frames):
        self.frames.append(frames)


class Source:
    """A depth synchronizer between its streams and a consumer."""

    def __init__(self, published, mode='auto'):
        roles = (RAW_DEPTH, ALIGNED_DEPTH, INFRA, COLOR_INFO, RAW_DEPTH_INFO)
        self.streams = {role: Stream(role) for role in roles}
        for role in published:
            self.streams[role].has_publisher = True
        infos = {role: self.streams[role] for role in (COLOR_INFO, RAW_DEPTH_INFO)}
        self.consumer = Consumer()
        self.synchronizer = DepthSynchronizer(
            self.streams, infos, 'auto', mode, lambda: Synchronizer(SyncOptions())
        )
        self.synchronizer.attach(self.consumer)


def test_a_waiting_image_keeps_its_topic():
    source = Source([ALIGNED_DEPTH, COLOR_INFO])
    source.streams[ALIGNED_DEPTH].send(0)
    assert source.consumer.frames == []  # intrinsics are due
    source.streams[RAW_DEPTH].has_publisher = True
    source.synchronizer.tick()
    (frames,) = source.consumer.frames
    assert not frames.depth_is_raw
    assert source.synchronizer.primary_topic == RAW_DEPTH


@pytest.mark.parametrize('mode', ['auto', 'require'])
def test_a_silent_infrared_stream_delays_only_some_images(mode):
    source = Source([RAW_DEPTH, INFRA], mode)
    depth, infra, frames = source.streams[RAW_DEPTH], source.streams[INFRA], source.consumer.frames
    for number in range(PATIENCE):
        depth.send(number, is_old=True)
        source.synchronizer.tick()
        assert len(frames) == number + 1
    depth.send(PATIENCE)
    assert all('no infrared' in found.missing for found in frames)
    assert len(frames) == source.synchronizer.partner_counts().without == PATIENCE + 1
    infra.send(PATIENCE + 1)
    depth.send(PATIENCE + 1)
    assert frames[-1].infra is not None
    depth.send(PATIENCE + 2)
    assert len(frames) == PATIENCE + 2  # it speaks: it is waited for again
    infra.send(PATIENCE + 2)
    assert frames[-1].infra is not None
    assert source.consumer.received == len(frames) == PATIENCE + 3
