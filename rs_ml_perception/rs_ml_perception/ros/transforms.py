"""Where frames are: tf2_ros where it is installed, else our own tree fed by /tf and /tf_static.

The only place that imports tf2.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any, Protocol

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from rs_ml_perception.core.messages import stamp_of, transform_from_message
from rs_ml_perception.core.rigid import RigidTransform
from rs_ml_perception.core.transform_tree import TransformTree, parse_static_transform
from rs_ml_perception.ros.guards import guarded
from rs_ml_perception.ros.qos import latched, profile

STATIC_DEPTH = 100


class Transforms(Protocol):
    """Looks up target_from_source at a stamp; None where it is not known."""

    def lookup(self, target: str, source: str, stamp_ns: int) -> RigidTransform | None: ...

    def set_static(self, parent: str, child: str, parent_from_child: RigidTransform) -> None: ...


def create_transforms(node: Node, static_transforms: Iterable[str] = ()) -> Transforms:
    """Listen to TF with whatever is installed.

    Args:
        node: owns the subscriptions.
        static_transforms: further ones, 'parent child x y z qx qy qz qw' each.
    """
    transforms: Transforms = Tf2Transforms(node) if _find('tf2_ros') else OwnTransforms(node)
    for text in static_transforms:
        transforms.set_static(*parse_static_transform(text))
    return transforms


class Tf2Transforms:
    """tf2_ros.Buffer; our static transforms come first, for they were given by hand."""

    def __init__(self, node: Node) -> None:
        tf2_ros = importlib.import_module('tf2_ros')
        self._time = importlib.import_module('rclpy.time').Time
        self._error = tf2_ros.TransformException
        self._buffer = tf2_ros.Buffer()
        self._listener = tf2_ros.TransformListener(self._buffer, node)
        self._given = TransformTree()

    def set_static(self, parent: str, child: str, parent_from_child: RigidTransform) -> None:
        self._given.set_static(parent, child, parent_from_child)

    def lookup(self, target: str, source: str, stamp_ns: int) -> RigidTransform | None:
        given = self._given.lookup(target, source, stamp_ns)
        if given is not None:
            return given
        stamp = self._time(nanoseconds=stamp_ns)
        try:
            return transform_from_message(
                self._buffer.lookup_transform(target, source, stamp).transform
            )
        except self._error:
            return None


class OwnTransforms:
    """The project's TransformTree. Without tf2_msgs it knows only what is set by hand."""

    def __init__(self, node: Node) -> None:
        self._tree = TransformTree()
        tf_message = _find('tf2_msgs.msg')
        if tf_message is None:
            node.get_logger().info('tf2_msgs is not installed: /tf is not read')
            return
        static_qos = latched()
        static_qos.depth = STATIC_DEPTH
        self._listen(node, tf_message.TFMessage, '/tf_static', static_qos, self._on_static)
        moving_qos = profile(ReliabilityPolicy.RELIABLE, depth=STATIC_DEPTH)
        self._listen(node, tf_message.TFMessage, '/tf', moving_qos, self._on_moving)

    def _listen(
        self, node: Node, message: type, topic: str, qos: QoSProfile, callback: Any
    ) -> None:
        node.create_subscription(message, topic, guarded(node, callback), qos)

    def set_static(self, parent: str, child: str, parent_from_child: RigidTransform) -> None:
        self._tree.set_static(parent, child, parent_from_child)

    def lookup(self, target: str, source: str, stamp_ns: int) -> RigidTransform | None:
        return self._tree.lookup(target, source, stamp_ns)

    def _on_static(self, msg: Any) -> None:
        for t in msg.transforms:
            parent_from_child = transform_from_message(t.transform)
            self._tree.set_static(t.header.frame_id, t.child_frame_id, parent_from_child)

    def _on_moving(self, msg: Any) -> None:
        for t in msg.transforms:
            parent_from_child = transform_from_message(t.transform)
            self._tree.add(t.header.frame_id, t.child_frame_id, stamp_of(t), parent_from_child)


def _find(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        return None
