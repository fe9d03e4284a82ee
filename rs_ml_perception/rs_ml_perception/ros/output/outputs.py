"""The topics a node publishes, as a table that the offline run uses too; publishers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from std_msgs.msg import Header

from rs_ml_msgs.msg import LabelInfo
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.core.pipeline import Pipeline
from rs_ml_perception.ros.common_parameters import StreamParameters
from rs_ml_perception.ros.output import vision_messages
from rs_ml_perception.ros.output.result_messages import TargetFrame, label_info
from rs_ml_perception.ros.qos import latched, no_events, results

P = TypeVar('P', bound=StreamParameters)
"""Parameters of the node."""
L = TypeVar('L', bound=Pipeline[Any])
"""Pipeline that it hosts."""
R = TypeVar('R')
"""Result of the pipeline for one frame."""


@dataclass(frozen=True, eq=False)
class OutputContext(Generic[P, L]):
    """The context of a result that its messages need, in a node with parameters P and pipeline L.

    Attributes:
        header: of the message of the primary stream.
        frame: input of the task.
        parameters: of the node.
        pipeline: of the node.
        target: frame of positions.
        labels: names of the classes.
        model: name and version of the model.
        drawn: annotated images of this frame by topic, shared by raw and compressed messages.
    """

    header: Any
    frame: Frame
    parameters: P
    pipeline: L
    target: TargetFrame
    labels: LabelMap
    model: str = ''
    drawn: dict[str, np.ndarray | None] = field(default_factory=dict)


def _always(_: Any) -> bool:
    return True


@dataclass(frozen=True, eq=False)
class Output(Generic[R, P, L]):
    """One topic of a node with results R, parameters P and pipeline L.

    Attributes:
        topic: private name without '~/'.
        msg_type: message class, or a function that imports it.
        make: (result, context) -> message, or None if this frame has none.
        is_optional: whether to make it only while subscribed, and to leave it out if that fails.
        is_enabled: parameters -> whether the topic exists.
    """

    topic: str
    msg_type: Callable[[], type] | type
    make: Callable[[R, OutputContext[P, L]], Any]
    is_optional: bool = False
    is_enabled: Callable[[P], bool] = _always

    def message_class(self) -> type:
        return self.msg_type if isinstance(self.msg_type, type) else self.msg_type()


def make_messages(
    outputs: Iterable[Output[R, P, L]], result: R, context: OutputContext[P, L]
) -> tuple[list[tuple[Output[R, P, L], Any]], list[str]]:
    """Make the messages of one frame: all that are not optional, or none.

    Returns:
        (output, message) of each that has one, and a sentence for each that is left out.

    Raises:
        Exception: an output that is not optional cannot be made.
    """
    messages: list[tuple[Output[R, P, L], Any]] = []
    problems: list[str] = []
    for output in outputs:
        try:
            msg = output.make(result, context)
        except Exception as error:
            if not output.is_optional:
                raise
            kind = '' if isinstance(error, InputError) else f'{type(error).__name__}: '
            problems.append(f'{output.topic} is left out: {kind}{error}')
            continue
        if msg is not None:
            messages.append((output, msg))
    return messages, problems


class ResultPublisher(Generic[R, P, L]):
    """The publishers of a node's outputs."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._publishers: list[tuple[Output[R, P, L], Publisher]] = []

    def create(self, outputs: Iterable[Output[R, P, L]], parameters: P) -> None:
        """Create the publishers of the outputs that the parameters enable.

        Raises:
            ConfigError: a message package is not installed.
        """
        # All classes first: a missing one must not leave half of the publishers behind.
        wanted = [(o, o.message_class()) for o in outputs if o.is_enabled(parameters)]
        self._publishers = [(o, self._create(o.topic, kind)) for o, kind in wanted]

    def is_wanted(self, topic: str) -> bool:
        """Whether the output has a subscriber."""
        return any(
            output.topic == topic and publisher.get_subscription_count() > 0
            for output, publisher in self._publishers
        )

    def publish(self, result: R, context: OutputContext[P, L]) -> list[str]:
        """Make all outputs that are due, then publish them.

        Returns:
            A sentence for each output that is left out.

        Raises:
            Exception: an output that is not optional could not be made; nothing was published.
        """
        publishers = {
            output: publisher
            for output, publisher in self._publishers
            if not output.is_optional or publisher.get_subscription_count() > 0
        }
        messages, problems = make_messages(publishers, result, context)
        for output, msg in messages:
            publishers[output].publish(msg)
        return problems

    def destroy(self) -> None:
        for _, publisher in self._publishers:
            self._node.destroy_publisher(publisher)
        self._publishers = []

    def _create(self, topic: str, msg_type: type) -> Publisher:
        qos: QoSProfile = results()
        return self._node.create_publisher(
            msg_type, f'~/{topic}', qos, event_callbacks=no_events()
        )


def create_latched(node: Node, msg_type: type, topic: str) -> Publisher:
    """A publisher whose last message late subscribers receive."""
    return node.create_publisher(msg_type, f'~/{topic}', latched(), event_callbacks=no_events())


class LabelPublisher:
    """Publishes ~/label_info, latched, once for each model."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._publisher = create_latched(node, LabelInfo, 'label_info')
        self._vision_publisher: Publisher | None = None

    def publish(
        self, pipeline: Pipeline[Any], *, with_vision_msgs: bool, threshold: float
    ) -> None:
        """Publish the classes of a model."""
        header = Header(stamp=self._node.get_clock().now().to_msg())
        self._publisher.publish(label_info(pipeline.labels, header=header, model=pipeline.title))
        if with_vision_msgs:
            self._publish_vision(pipeline, header, threshold)

    def _publish_vision(self, pipeline: Pipeline[Any], header: Header, threshold: float) -> None:
        if self._vision_publisher is None:
            message = vision_messages.vision_msgs().LabelInfo
            self._vision_publisher = create_latched(self._node, message, 'vision/label_info')
        self._vision_publisher.publish(
            vision_messages.label_info(pipeline.labels, header=header, threshold=threshold)
        )
