"""A camera of small images on every topic that a node may subscribe to."""

from __future__ import annotations

import time

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.ros.input.topics import (
    ALIGNED_DEPTH,
    COLOR,
    COLOR_INFO,
    INFRA,
    RAW_DEPTH,
    RAW_DEPTH_INFO,
)
from rs_ml_perception.ros.node import NAMESPACE
from rs_ml_perception.ros.output.images import camera_info, image
from rs_ml_perception.ros.qos import no_events, profile
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

WIDTH, HEIGHT = 64, 48
_COLOR_FRAME, _DEPTH_FRAME = 'camera_color_optical_frame', 'camera_depth_optical_frame'


class SmallCamera:
    """Publishes one constant noise image of 64x48 pixels, with depth from 2 m.

    Attributes:
        sent: frames so far, one message per topic each.
    """

    def __init__(self) -> None:
        self.sent = 0
        self._node = Node('small_camera', namespace=NAMESPACE)
        rng = np.random.default_rng(0)
        rgb = rng.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
        depth_mm = rng.integers(2000, 2400, (HEIGHT, WIDTH)).astype(np.uint16)
        model = CameraModel(WIDTH, HEIGHT, WIDTH, WIDTH, WIDTH / 2, HEIGHT / 2)
        # Depth and camera_info first: they wait for colour.
        self._messages = {
            COLOR_INFO: camera_info(model, Header(frame_id=_COLOR_FRAME)),
            RAW_DEPTH_INFO: camera_info(model, Header(frame_id=_DEPTH_FRAME)),
            INFRA: image(rgb[..., 0].copy(), 'mono8', Header(frame_id=_DEPTH_FRAME)),
            RAW_DEPTH: image(depth_mm, '16UC1', Header(frame_id=_DEPTH_FRAME)),
            ALIGNED_DEPTH: image(depth_mm, '16UC1', Header(frame_id=_COLOR_FRAME)),
            COLOR: image(rgb, 'rgb8', Header(frame_id=_COLOR_FRAME)),
        }
        self._publishers = {
            topic: self._node.create_publisher(
                CameraInfo if isinstance(message, CameraInfo) else Image,
                topic,
                profile(ReliabilityPolicy.RELIABLE),
                event_callbacks=no_events(),
            )
            for topic, message in self._messages.items()
        }

    def is_heard(self) -> bool:
        """Whether the wanted primary streams, colour or depth, are matched with a subscriber.

        Nodes create all their subscriptions at once, so these two stand for the others.
        """
        wanted = [t for t in (COLOR, RAW_DEPTH) if self._node.count_subscribers(self._name(t))]
        return bool(wanted) and all(
            self._publishers[topic].get_subscription_count() > 0 for topic in wanted
        )

    def send(self) -> None:
        """Publish one message per topic, all with one stamp."""
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        for topic, publisher in self._publishers.items():
            message = self._messages[topic]
            message.header.stamp = Time(sec=seconds, nanosec=nanoseconds)
            publisher.publish(message)
        self.sent += 1

    def close(self) -> None:
        self._node.destroy_node()

    def _name(self, topic: str) -> str:
        return self._node.resolve_topic_name(topic)
