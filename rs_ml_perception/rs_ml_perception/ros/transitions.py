"""Lifecycle transitions that report why they failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rclpy.lifecycle import TransitionCallbackReturn
from std_srvs.srv import SetBool

from rs_ml_perception.core.errors import RsMlError
from rs_ml_perception.core.printable import printable
from rs_ml_perception.ros.guards import traceback_text
from rs_ml_perception.ros.node_status import report_status

if TYPE_CHECKING:
    from rs_ml_perception.ros.node import PerceptionNode


def transition(
    node: PerceptionNode,
    what: str,
    action: Callable[[], None],
    phase: str,
    *,
    undo: Callable[[], None] | None = None,
) -> TransitionCallbackReturn:
    """Run the action of a transition and report; rclpy would swallow what it raises.

    Args:
        node: gets the new phase, or why there is none.
        what: the transition in words.
        action: does it.
        phase: of the node after success.
        undo: run when the action failed half-way.
    """
    try:
        action()
    except Exception as error:
        node.failure = f'cannot {what}: {_words(error)}'
        node.get_logger().error(node.failure + _trace(error))
        if undo is not None:
            undo()
        report_status(node)
        return TransitionCallbackReturn.FAILURE
    node.failure = ''
    node.phase = phase
    report_status(node)
    return TransitionCallbackReturn.SUCCESS


async def answer_enable(
    node: PerceptionNode, request: SetBool.Request, response: SetBool.Response
) -> SetBool.Response:
    """Serve ~/enable: activate, configuring first where need be, or deactivate."""
    try:
        if request.data:
            await node.load_ahead()
            node.start()
        elif node.phase == 'active':
            node.trigger_deactivate()
    except Exception as error:
        node.failure = printable(str(error))
    response.success = (node.phase == 'active') == request.data
    response.message = node.phase if response.success else node.failure or node.phase
    return response


def _words(error: Exception) -> str:
    kind = '' if isinstance(error, RsMlError) else f'{type(error).__name__}: '
    return printable(f'{kind}{error}')


def _trace(error: Exception) -> str:
    """The traceback of what nobody foresaw."""
    return '' if isinstance(error, RsMlError) else f'\n{traceback_text()}'
