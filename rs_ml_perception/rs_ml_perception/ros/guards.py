"""Keeping a process alive whatever a callback or a request does.

In rclpy any exception that leaves a callback leaves `spin` too and takes every node with it.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from typing import Any

from lifecycle_msgs.srv import ChangeState
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


def guard_change_state(node: LifecycleNode) -> None:
    """Answer an invalid transition with success=False.

    rclpy raises RCLError from the service callback instead, which ends the process
    (ros2/rclpy lifecycle/node.py, `__on_change_state`; Jazzy and Kilted).
    """
    service = node._service_change_state
    change_state = service.callback

    def answer(
        request: ChangeState.Request, response: ChangeState.Response
    ) -> ChangeState.Response:
        try:
            return change_state(request, response)
        except Exception as error:
            wanted = request.transition.label or request.transition.id
            node.get_logger().warning(printable(f'transition {wanted} refused: {error}'))
            response.success = False
            return response

    service.callback = answer
