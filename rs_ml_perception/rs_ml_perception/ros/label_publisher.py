"""Latched class names of a model."""

from __future__ import annotations

from rclpy.node import Node
from std_msgs.msg import Header

from rs_ml_msgs.msg import LabelInfo
from rs_ml_perception.core.pipeline import Pipeline
from rs_ml_perception.ros import vision_messages
from rs_ml_perception.ros.outputs import create_latched
from rs_ml_perception.ros.result_messages import label_info


class LabelPublisher:
    """Publishes ~/label_info once; it stays until the node ends or publishes again."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._publisher = create_latched(node, LabelInfo, 'label_info')
        self._vision_publisher = None

    def publish(self, pipeline: Pipeline, *, with_vision_msgs: bool, threshold: float) -> None:
        """Announce the classes of a model that has just been loaded."""
        header = Header(stamp=self._node.get_clock().now().to_msg())
        self._publisher.publish(label_info(pipeline.labels, header=header, model=pipeline.title))
        if with_vision_msgs:
            self._publish_vision(pipeline, header, threshold)

    def _publish_vision(self, pipeline: Pipeline, header: Header, threshold: float) -> None:
        if self._vision_publisher is None:
            message = vision_messages.vision_msgs().LabelInfo
            self._vision_publisher = create_latched(self._node, message, 'vision/label_info')
        self._vision_publisher.publish(
            vision_messages.label_info(pipeline.labels, header=header, threshold=threshold)
        )
