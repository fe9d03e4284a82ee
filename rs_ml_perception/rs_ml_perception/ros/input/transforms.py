"""Poses of frames from /tf, /tf_static and the driver, and the direction of gravity.

The TransformTree of core is used on every machine, with tf2_ros or without: the Python buffer of
tf2_ros, as tried on Jazzy, keeps the transforms of the first pass when a recording starts over and
refuses those of the second. Only this module imports tf2_msgs.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from rs_ml_perception.core.errors import InputError, printable, shortened
from rs_ml_perception.core.frames.messages import (
    check_frame_id,
    extrinsics_from_message,
    stamp_of,
    transform_from_message,
)
from rs_ml_perception.core.geometry.gravity import Up, UpSource
from rs_ml_perception.core.geometry.transforms import (
    Placed,
    RigidTransform,
    TransformTree,
    parse_static_transform,
)
from rs_ml_perception.ros.guards import guarded
from rs_ml_perception.ros.input.samples import TopicSample
from rs_ml_perception.ros.input.streams import TopicStream
from rs_ml_perception.ros.qos import latched, profile

HISTORY_DEPTH = 100
"""Transforms a reader keeps while the executor is busy."""


class Transforms:
    """Looks up target_from_source at a stamp.

    Transforms given as parameters override published ones. Without tf2_msgs there are no others.

    Args:
        node: owns the subscriptions.
        static_transforms: of the node itself, see `give`.
    """

    def __init__(self, node: Node, static_transforms: Iterable[str] = ()) -> None:
        self._node = node
        self._tree = TransformTree()
        self._given: dict[str, dict[str, Placed]] = {}
        self.give('', static_transforms)
        tf_message = _find('tf2_msgs.msg')
        if tf_message is None:
            node.get_logger().info('tf2_msgs is not installed: /tf is not read')
            return
        static_qos = latched()
        static_qos.depth = HISTORY_DEPTH
        self._listen(tf_message.TFMessage, '/tf_static', static_qos, self._add_static)
        moving_qos = profile(ReliabilityPolicy.RELIABLE, depth=HISTORY_DEPTH)
        self._listen(tf_message.TFMessage, '/tf', moving_qos, self._add_moving)

    def give(self, giver: str, static_transforms: Iterable[str]) -> None:
        """Set transforms, which replace the earlier ones of the same giver.

        Args:
            giver: name of a node, or '' for the process.
            static_transforms: 'parent child x y z qx qy qz qw' each.

        Raises:
            ConfigError: a text has another form.
        """
        rows = [parse_static_transform(text) for text in static_transforms]
        self._given[giver] = {child: (parent, pose) for parent, child, pose in rows}
        self._tree.give({k: v for given in self._given.values() for k, v in given.items()})

    def lookup(self, target: str, source: str, stamp_ns: int) -> RigidTransform | None:
        """target_from_source, None where the frames are not connected at that stamp."""
        return self._tree.lookup(target, source, stamp_ns)

    def _listen(
        self, message: type, topic: str, qos: QoSProfile, add: Callable[[Any], None]
    ) -> None:
        def receive(msg: Any) -> None:
            for transform in msg.transforms:
                add(transform)

        self._node.create_subscription(message, topic, guarded(self._node, receive), qos)

    def _add_static(self, msg: Any) -> None:
        if (parent_from_child := self._read(msg)) is not None:
            self._tree.set_static(msg.header.frame_id, msg.child_frame_id, parent_from_child)

    def _add_moving(self, msg: Any) -> None:
        if (parent_from_child := self._read(msg)) is not None:
            parent, child = msg.header.frame_id, msg.child_frame_id
            self._tree.add(parent, child, stamp_of(msg), parent_from_child)

    def _read(self, msg: Any) -> RigidTransform | None:
        """The transform; None, with a warning every ten seconds, if it is not rigid."""
        try:
            for frame_id in (msg.header.frame_id, msg.child_frame_id):
                check_frame_id(frame_id)
            return transform_from_message(msg.transform)
        except InputError as error:
            frames = printable(shortened(f'{msg.header.frame_id} -> {msg.child_frame_id}', 100))
            self._node.get_logger().warning(
                f'a transform {frames} is ignored: {error}', throttle_duration_sec=10.0
            )
            return None


def _find(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


class Extrinsics:
    """Looks up color_from_depth in TF, else in the driver's extrinsics topic.

    Attributes:
        problem: why the last look-up failed, '' after a success.
    """

    def __init__(self, transforms: Transforms, stream: TopicStream[TopicSample] | None) -> None:
        self.problem = ''
        self._transforms = transforms
        self._stream = stream

    def start(self) -> None:
        if self._stream is not None:
            self._stream.attach(self._on_extrinsics)

    def stop(self) -> None:
        if self._stream is not None:
            self._stream.detach(self._on_extrinsics)

    def color_from_depth(
        self, color_frame: str, depth_frame: str, stamp_ns: int
    ) -> RigidTransform | None:
        """The transform at a stamp, None if neither source knows it."""
        found = self._transforms.lookup(color_frame, depth_frame, stamp_ns)
        if found is None and self._stream is not None and self._stream.latest is not None:
            found = extrinsics_from_message(self._stream.latest.msg)
        self.problem = (
            ''
            if found is not None
            else (
                f'no transform from {depth_frame} to {color_frame}: depth is not used; publish TF '
                'or extrinsics/depth_to_color, or start the camera with align_depth.enable:=true'
            )
        )
        return found

    def _on_extrinsics(self, _: TopicSample) -> None:
        """Nothing to do: the stream keeps the latest message."""


class GravityInput:
    """Looks up the direction of gravity in TF, else in the accelerometer's readings."""

    def __init__(self, transforms: Transforms, stream: TopicStream[TopicSample]) -> None:
        self._source = UpSource(transforms.lookup)
        self._stream = stream

    def start(self) -> None:
        self._stream.attach(self._on_acceleration)

    def stop(self) -> None:
        self._stream.detach(self._on_acceleration)

    def up(self, camera_frame: str, stamp_ns: int, gravity_frame: str) -> Up | None:
        """Up in the colour optical frame at a stamp; see UpSource."""
        self._stream.poll()
        return self._source.up(camera_frame, stamp_ns, gravity_frame)

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each source that is missing or silent; '' for the others."""
        return self._source.problem, self._source.reading_problem, self._stream.problem

    def _on_acceleration(self, sample: TopicSample) -> None:
        a = sample.msg.linear_acceleration
        self._source.add_acceleration(sample.stamp_ns, sample.frame_id, (a.x, a.y, a.z))
