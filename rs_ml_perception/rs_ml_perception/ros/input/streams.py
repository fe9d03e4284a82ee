"""Subscriptions: one per topic for all listeners, with the QoS that the publishers offer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from rclpy.node import Node
from rclpy.qos import QoSCompatibility, qos_check_compatible
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo

from rs_ml_perception.core.streams.counters import Missed, SequenceGaps
from rs_ml_perception.ros.guards import PolledGroup, guarded, take
from rs_ml_perception.ros.input.samples import ImageSample, TopicSample
from rs_ml_perception.ros.qos import IMAGE_DEPTH, LATCHED, SubscriptionQos, choose_qos

try:
    from rclpy.event_handler import SubscriptionEventCallbacks as SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks as SubscriptionEventCallbacks

S = TypeVar('S', bound=TopicSample)
Listener = Callable[[S], None]


class TopicStream(Generic[S]):
    """A topic, subscribed to while it has listeners.

    Args:
        node: subscribes.
        msg_type: class of the messages.
        topic: relative to the node.
        make_sample: message -> sample.
        reliability: 'auto', 'reliable' or 'best_effort', see `choose_qos`.
        follows_durability: whether to ask for messages published before the subscription.
        is_latched: whether to ask for them before any publisher is known.
        polled_depth: if not 0, messages wait for `poll`, at most so many, and do not wake the
            executor, which costs more CPU time than any message of a few numbers.
        keeps_latest: listeners hear of the first message; later ones do not wake the executor,
            and whoever asks for `latest` gets them.

    Attributes:
        topic: absolute name.
        problem: why no message can arrive, with the remedy; '' for no known fault.
        received: number of messages.
        is_refresh_due: whether `refresh` should be called at once.
    """

    def __init__(
        self,
        node: Node,
        msg_type: type,
        topic: str,
        make_sample: Callable[[Any], S],
        *,
        reliability: str = 'auto',
        follows_durability: bool = False,
        is_latched: bool = False,
        polled_depth: int = 0,
        keeps_latest: bool = False,
    ) -> None:
        self.topic = node.resolve_topic_name(topic)
        self.problem = ''
        self.received = 0
        self._latest: S | None = None
        self._node = node
        self._msg_type = msg_type
        self.is_refresh_due = False
        self._wanted_reliability = reliability
        self._follows_durability = follows_durability
        self._make_sample = make_sample
        self._listeners: list[Listener[S]] = []
        self._subscription: Subscription | None = None
        self._qos = LATCHED if is_latched else SubscriptionQos()
        self._lost = 0
        self._gaps = SequenceGaps()
        self._polled_depth = IMAGE_DEPTH if keeps_latest else polled_depth
        self._keeps_latest = keeps_latest
        self._group = PolledGroup()
        self._polling = threading.Lock()

    @property
    def latest(self) -> S | None:
        """The last sample, None before the first."""
        if self._keeps_latest:
            self.poll()
        return self._latest

    @property
    def missed(self) -> Missed:
        """Messages sent that never arrived."""
        gaps = self._gaps.missed
        return Missed(self._lost, None if gaps is None else max(0, gaps - self._lost))

    @property
    def has_publisher(self) -> bool:
        return self._node.count_publishers(self.topic) > 0

    def attach(self, listener: Listener[S]) -> None:
        """Call the listener with every sample from now on, in the executor's thread.

        A stream that is polled calls it in the thread of `poll`.
        """
        self._listeners.append(listener)
        if self._subscription is None:
            publishers = self._node.get_publishers_info_by_topic(self.topic)
            self._subscribe(self._choose(publishers))

    def detach(self, listener: Listener[S]) -> None:
        """Stop calling the listener; without listeners the subscription ends."""
        if listener in self._listeners:
            self._listeners.remove(listener)
        if not self._listeners:
            self._unsubscribe()

    def refresh(self) -> None:
        """Follow the offers of the publishers; call it regularly."""
        self.is_refresh_due = False
        if self._subscription is None:
            return
        publishers = self._node.get_publishers_info_by_topic(self.topic)
        wanted = self._choose(publishers)
        if wanted != self._qos:
            self._node.get_logger().info(f'{self.topic}: now subscribing {wanted}')
            self._unsubscribe()
            self._subscribe(wanted)
        self._gaps.confirm([tuple(info.endpoint_gid) for info in publishers])
        problem, self.problem = self.problem, self._find_problem(publishers)
        if self.problem and self.problem != problem:
            self._node.get_logger().warning(self.problem)

    def poll(self) -> None:
        """Call the listeners with what has arrived, if the stream is polled; from any thread."""
        if self._group.is_open:
            return
        with self._polling:
            for _ in range(self._polled_depth):
                subscription = self._subscription  # the executor may end it meanwhile
                taken = None if subscription is None else take(subscription)
                if taken is None:
                    return
                guarded(self._node, self._on_polled)(*taken)

    def _choose(self, publishers: Sequence[TopicEndpointInfo]) -> SubscriptionQos:
        return choose_qos(
            publishers,
            self._wanted_reliability,
            self._qos,
            follows_durability=self._follows_durability,
        )

    def _subscribe(self, qos: SubscriptionQos) -> None:
        self._qos = qos
        if self._polled_depth:
            self._subscribe_polled(qos)
            return
        events = SubscriptionEventCallbacks(
            incompatible_qos=guarded(self._node, self._on_incompatible_qos),
            message_lost=guarded(self._node, self._on_lost),
            use_default_callbacks=False,
        )
        # rclpy's type of a callback lacks the message info, its second argument.
        on_message: Callable[..., None] = guarded(self._node, self._on_message)
        self._subscription = self._node.create_subscription(
            self._msg_type,
            self.topic,
            on_message,
            qos.profile,
            event_callbacks=events,
        )

    def _subscribe_polled(self, qos: SubscriptionQos) -> None:
        self._group, profile = PolledGroup(), qos.profile
        profile.depth = self._polled_depth
        on_message: Callable[..., None] = guarded(self._node, self._on_message)
        self._subscription = self._node.create_subscription(
            self._msg_type,
            self.topic,
            on_message,
            profile,
            callback_group=self._group,
            event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False),
        )
        self._group.check(self._node, self._subscription)
        if not self._keeps_latest:
            self._group.close()

    def _unsubscribe(self) -> None:
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        self._subscription = None
        self.problem = ''
        self._gaps.restart()

    def _on_message(self, msg: Any, info: Mapping[str, Any]) -> None:
        sample = self._admit(msg, info)
        for listener in tuple(self._listeners):
            listener(sample)
        if self._keeps_latest:
            self._group.close()

    def _on_polled(self, msg: Any, info: Mapping[str, Any]) -> None:
        sample = self._admit(msg, info)
        for listener in () if self._keeps_latest else tuple(self._listeners):
            listener(sample)

    def _admit(self, msg: Any, info: Mapping[str, Any]) -> S:
        self.received += 1
        # Absent in Humble, None where the middleware does not count.
        self._gaps.add(info.get('publication_sequence_number'))
        self._latest = self._make_sample(msg)
        return self._latest

    def _on_lost(self, event: Any) -> None:
        self._lost += event.total_count_change

    def _on_incompatible_qos(self, _: Any) -> None:
        self.is_refresh_due = True

    def _find_problem(self, publishers: Sequence[TopicEndpointInfo]) -> str:
        """Why no publisher can reach this subscription; '' if one can, or if there is none."""
        wanted = f'{self._msg_type.__module__.split(".")[0]}/msg/{self._msg_type.__name__}'
        typed = [info for info in publishers if info.topic_type == wanted]
        if publishers and not typed:
            offered = ', '.join(sorted({info.topic_type for info in publishers}))
            return f'{self.topic} carries {offered}, expected {wanted}'
        offers = [qos_check_compatible(info.qos_profile, self._qos.profile) for info in typed]
        if any(verdict != QoSCompatibility.ERROR for verdict, _ in offers):
            return ''
        return self._remedy(offers[0][1]) if offers else ''

    def _remedy(self, reason: str) -> str:
        return (
            f'no publisher of {self.topic} fits: {reason.rstrip("; ")}: set the parameter '
            'reliability to auto or best_effort, or change the camera'
        )


class ImageStream:
    """The TopicStream of the first transport that has a publisher.

    A transport that loses its publisher is kept until another one has one.

    Args:
        transports: topics of the same images, in order of preference.
    """

    def __init__(self, transports: Sequence[TopicStream[ImageSample]]) -> None:
        self._transports = tuple(transports)
        self._current = self._transports[0]
        self._listeners: list[Listener[ImageSample]] = []

    @property
    def topic(self) -> str:
        return self._current.topic

    @property
    def problem(self) -> str:
        return self._current.problem

    @property
    def received(self) -> int:
        return sum(stream.received for stream in self._transports)

    @property
    def missed(self) -> Missed:
        return self._current.missed

    @property
    def latest(self) -> ImageSample | None:
        return self._current.latest

    @property
    def is_refresh_due(self) -> bool:
        return self._current.is_refresh_due

    @property
    def has_publisher(self) -> bool:
        return any(stream.has_publisher for stream in self._transports)

    def attach(self, listener: Listener[ImageSample]) -> None:
        """See TopicStream."""
        self._follow()
        self._listeners.append(listener)
        self._current.attach(listener)

    def detach(self, listener: Listener[ImageSample]) -> None:
        """See TopicStream."""
        if listener in self._listeners:
            self._listeners.remove(listener)
            self._current.detach(listener)

    def refresh(self) -> None:
        """Follow the publishers; call it regularly."""
        self._follow()
        self._current.refresh()

    def _follow(self) -> None:
        published = (stream for stream in self._transports if stream.has_publisher)
        wanted = next(published, self._current)
        if wanted is self._current:
            return
        for listener in self._listeners:
            self._current.detach(listener)
            wanted.attach(listener)
        self._current = wanted
