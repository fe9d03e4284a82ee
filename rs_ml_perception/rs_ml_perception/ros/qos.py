"""Quality of service that matches what publishers offer."""

from __future__ import annotations

from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
)

try:
    from rclpy.event_handler import PublisherEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks

RELIABILITIES = ('auto', 'reliable', 'best_effort')

IMAGE_DEPTH = 10
"""Samples a reader keeps while the executor is busy: a third of a second at 30 Hz.

With 1, a frame that arrives while another callback runs is overwritten inside the middleware,
where nothing counts it; the latest-wins rule is kept behind the callback, in the Mailbox.
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
    """What this package publishes with: reliable, so that every subscriber can match it."""
    return profile(ReliabilityPolicy.RELIABLE)


def no_events() -> PublisherEventCallbacks:
    """For publishers: rclpy's default callbacks cost every wake-up of the executor 10 us each.

    Two a publisher make a third of the executor's time in a graph of four nodes. What they would
    log, a subscriber whose QoS does not match, the subscriber's side logs too.
    """
    return PublisherEventCallbacks(use_default_callbacks=False)


def choose_reliability(
    node: Node, topic: str, wanted: str, current: ReliabilityPolicy | None = None
) -> ReliabilityPolicy:
    """The policy to subscribe with.

    Args:
        node: any node of the graph.
        topic: absolute topic name.
        wanted: 'reliable', 'best_effort', or 'auto': reliable if all publishers offer it. With no
            publisher 'auto' keeps the current policy and starts reliable: a best-effort camera
            then does not match until the change, whereas a change after the match would lose what
            is sent meanwhile.
        current: policy of the subscription so far.
    """
    if wanted == 'best_effort':
        return ReliabilityPolicy.BEST_EFFORT
    if wanted == 'reliable':
        return ReliabilityPolicy.RELIABLE
    offers = [info.qos_profile.reliability for info in node.get_publishers_info_by_topic(topic)]
    if not offers:
        return current or ReliabilityPolicy.RELIABLE
    is_reliable = all(offer == ReliabilityPolicy.RELIABLE for offer in offers)
    return ReliabilityPolicy.RELIABLE if is_reliable else ReliabilityPolicy.BEST_EFFORT
