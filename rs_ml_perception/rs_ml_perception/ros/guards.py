"""Keeps a process alive whatever a callback raises, and rclpy's private attributes in one place.

In rclpy any exception that leaves a callback leaves `spin` too and takes every node with it. The
private attributes used here are the same in Humble, Jazzy and Kilted; a release that renames one
costs the feature that the warning names, and the node runs on.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from rclpy.callback_groups import CallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import InvalidHandle
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.subscription import Subscription
from rclpy.timer import Timer

from rs_ml_perception.core.errors import printable

A = ParamSpec('A')
R = TypeVar('R')

CHANGE_STATE_SERVICE = '_service_change_state'
PARAMETER_OVERRIDES = '_parameter_overrides'
TAKE_MESSAGE = 'take_message'


def traceback_text() -> str:
    """The traceback of the current exception."""
    return printable(traceback.format_exc())


def guarded(node: Node, callback: Callable[A, R]) -> Callable[A, R | None]:
    """Wrap a callback so that an exception is logged with its traceback and goes no further."""

    @functools.wraps(callback)
    def run(*args: A.args, **kwargs: A.kwargs) -> R | None:
        try:
            return callback(*args, **kwargs)
        except Exception:
            node.get_logger().error(f'callback failed:\n{traceback_text()}')
            return None

    return run


def steady_timer(node: Node, period_secs: float, callback: Callable[[], None]) -> Timer:
    """A guarded timer on the steady clock.

    With use_sim_time and no /clock an ordinary timer never fires.
    """
    steady = Clock(clock_type=ClockType.STEADY_TIME)
    return node.create_timer(period_secs, guarded(node, callback), clock=steady)


class PolledGroup(CallbackGroup):
    """Once closed, the executor neither wakes up for its subscriptions nor calls them.

    Attributes:
        is_open: whether the executor calls them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_open = True
        self._can_close = True

    def can_execute(self, entity: Any) -> bool:
        return self.is_open

    def beginning_execution(self, entity: Any) -> bool:
        return self.is_open

    def ending_execution(self, entity: Any) -> None:
        """Nothing to do: the callbacks of this group exclude nothing."""

    def check(self, node: Node, subscription: Subscription) -> None:
        """Keep the group open, after a warning, where `take` cannot work."""
        self._can_close = hasattr(subscription.handle, TAKE_MESSAGE)
        if not self._can_close:
            _warn(node, TAKE_MESSAGE, f'each message of {subscription.topic_name} costs CPU time')

    def close(self) -> None:
        """Leave the messages to `take`."""
        self.is_open = not self._can_close


def take(subscription: Subscription) -> tuple[Any, Any] | None:
    """The next message of a subscription and its info; None if there is none. Any thread."""
    try:
        with subscription.handle:
            taking: Callable[..., tuple[Any, Any] | None]
            taking = getattr(subscription.handle, TAKE_MESSAGE)
            return taking(subscription.msg_type, subscription.raw)
    except InvalidHandle:  # destroyed by another thread just now
        return None


def change_state_service(node: LifecycleNode) -> Any:
    """The rclpy Service behind ~/change_state, whose callback can be replaced.

    Returns:
        None, after a warning, where this rclpy has no such attribute.
    """
    service = getattr(node, CHANGE_STATE_SERVICE, None)
    if not hasattr(service, 'callback'):
        _warn(node, CHANGE_STATE_SERVICE, 'an invalid transition request ends the process')
        return None
    return service


def parameter_overrides(node: Node) -> dict[str, Parameter]:
    """Initial values from YAML and the command line by name; assign to change them.

    Returns:
        Empty, after a warning, where this rclpy has no such attribute.
    """
    overrides = getattr(node, PARAMETER_OVERRIDES, None)
    if not isinstance(overrides, dict):
        effect = 'unknown parameters are ignored silently, and 1 cannot be given for 1.0'
        _warn(node, PARAMETER_OVERRIDES, effect)
        return {}
    return overrides


def _warn(node: Node, name: str, effect: str) -> None:
    node.get_logger().warning(f'this rclpy has no {type(node).__name__}.{name}: {effect}')
