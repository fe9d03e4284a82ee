"""Keeping a process alive whatever a callback or a request does.

In rclpy any exception that leaves a callback leaves `spin` too and takes every node with it.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node

from rs_ml_perception.core.printable import printable


def traceback_text() -> str:
    """The traceback of the exception at hand."""
    return printable(traceback.format_exc())


def guarded(node: Node, callback: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a callback: what it raises is logged with its traceback and goes no further."""

    @functools.wraps(callback)
    def run(*args: Any) -> Any:
        try:
            return callback(*args)
        except Exception:
            node.get_logger().error(f'callback failed:\n{traceback_text()}')
            return None

    return run


def _is_configure(transition: Transition) -> bool:
    """A label counts where there is one, as in rclpy."""
    if transition.label:
        return transition.label == 'configure'
    return transition.id == Transition.TRANSITION_CONFIGURE


def guard_change_state(node: LifecycleNode, load_ahead: Callable[[], Awaitable[None]]) -> None:
    """Answer an invalid transition with success=False, and load before `configure`.

    rclpy raises RCLError from the service callback instead, which ends the process
    (ros2/rclpy lifecycle/node.py, `__on_change_state`; Jazzy and Kilted).

    Args:
        node: whose service is guarded.
        load_ahead: awaited before a request to configure is served.
    """
    service = node._service_change_state
    change_state = service.callback

    async def answer(
        request: ChangeState.Request, response: ChangeState.Response
    ) -> ChangeState.Response:
        try:
            if _is_configure(request.transition):
                await load_ahead()
            return change_state(request, response)
        except Exception as error:
            wanted = request.transition.label or request.transition.id
            node.get_logger().warning(printable(f'transition {wanted} refused: {error}'))
            response.success = False
            return response

    service.callback = answer
    # While one request waits for a model, the node's other callbacks and requests go on.
    service.callback_group = ReentrantCallbackGroup()
    service.callback_group.add_entity(service)
