"""Quality of service that matches the offers of the publishers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
)
from rclpy.topic_endpoint_info import TopicEndpointInfo

try:
    from rclpy.event_handler import PublisherEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks

RELIABILITIES = ('auto', 'reliable', 'best_effort')

IMAGE_DEPTH = 10
"""Samples a reader keeps while the executor is busy: a third of a second at 30 Hz.

With 1, a frame that arrives while another callback runs is overwritten inside the middleware,
where nothing counts it. The Mailbox behind the callback keeps the latest only, and counts.
"""


def profile(
    reliability: ReliabilityPolicy, *, depth: int = IMAGE_DEPTH, latched: bool = False
) -> QoSProfile:
    """A keep-last profile."""
    durability = DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=reliability,
        durability=durability,
    )


def latched() -> QoSProfile:
    """Reliable and transient local: a late subscriber gets the last message."""
    return profile(ReliabilityPolicy.RELIABLE, depth=1, latched=True)


def results() -> QoSProfile:
    """The profile of results: reliable, so that every subscriber matches."""
    return profile(ReliabilityPolicy.RELIABLE)


def no_events() -> PublisherEventCallbacks:
    """For publishers: rclpy's default callbacks cost every wake-up of the executor 10 us each.

    Two for each publisher take a third of the executor's time in a graph of four nodes. They would
    log subscribers whose QoS does not match; the subscriber logs that too.
    """
    return PublisherEventCallbacks(use_default_callbacks=False)


@dataclass(frozen=True)
class SubscriptionQos:
    """The policies of a subscription that depend on its publishers."""

    reliability: ReliabilityPolicy = ReliabilityPolicy.RELIABLE
    durability: DurabilityPolicy = DurabilityPolicy.VOLATILE

    @property
    def is_reliable(self) -> bool:
        return self.reliability == ReliabilityPolicy.RELIABLE

    @property
    def is_latched(self) -> bool:
        return self.durability == DurabilityPolicy.TRANSIENT_LOCAL

    @property
    def profile(self) -> QoSProfile:
        return profile(self.reliability, latched=self.is_latched)

    def __str__(self) -> str:
        return self.reliability.name.lower() + (', transient local' * self.is_latched)


LATCHED = SubscriptionQos(durability=DurabilityPolicy.TRANSIENT_LOCAL)


def choose_qos(
    publishers: Sequence[TopicEndpointInfo],
    wanted: str,
    current: SubscriptionQos,
    *,
    follows_durability: bool,
) -> SubscriptionQos:
    """The policies to subscribe with.

    They stay as they are without a publisher. A subscription that starts reliable does not match a
    best-effort camera until it is changed, so the change loses no message.

    Args:
        publishers: of the topic.
        wanted: 'reliable', 'best_effort', or 'auto': reliable if all publishers offer it.
        current: policies of the subscription so far.
        follows_durability: whether to ask for messages published earlier, if all publishers keep
            them. Only reliable subscribers receive these.
    """
    offers = [info.qos_profile for info in publishers]
    if not offers:
        is_kept, offers_reliable = current.is_latched, current.is_reliable
    else:
        is_kept = all(offer.durability == DurabilityPolicy.TRANSIENT_LOCAL for offer in offers)
        offers_reliable = all(o.reliability == ReliabilityPolicy.RELIABLE for o in offers)
    if follows_durability and is_kept and offers_reliable:
        return LATCHED
    is_reliable = offers_reliable if wanted == 'auto' else wanted == 'reliable'
    reliability = ReliabilityPolicy.RELIABLE if is_reliable else ReliabilityPolicy.BEST_EFFORT
    return SubscriptionQos(reliability)
