"""The process of a node that does one job and ends: signals, errors, exit status."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from rs_ml_perception.core.errors import ConfigError, RsMlError

N = TypeVar('N', bound=Node)


class StopRequest:
    """Set by SIGINT or SIGTERM; more signals change nothing.

    It is no threading.Event: `Event.set` holds a lock, and a second signal during it would wait
    for that lock in the same thread, for ever.
    """

    def __init__(self) -> None:
        self._is_set = False

    def set(self, *_: object) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set

    def catch_signals(self) -> None:
        """Let SIGINT and SIGTERM set it."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.set)


def run_tool(
    create: Callable[[], N],
    work: Callable[[N, StopRequest], int],
    *,
    args: Sequence[str] | None = None,
) -> int:
    """Create the node, let it work until it is done or asked to stop, and clean up.

    rclpy's handlers invalidate the context before the node can clean up, and a second Ctrl-C ends
    in a traceback, so these are not used.

    Args:
        create: makes the node.
        work: gets the node and the stop request, and must check that several times a second.
        args: command line; None: sys.argv.

    Returns:
        The status of `work`, or 1 after an RsMlError.
    """
    stop = StopRequest()
    stop.catch_signals()
    node = None
    try:
        _init(args)
        node = create()
        return work(node, stop)
    except RsMlError as error:
        if os.environ.get('RS_ML_DEBUG'):
            raise
        print(error, file=sys.stderr)
        return 1
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
        ignore_signals()


def ignore_signals() -> None:
    """Ignore signals at the end: Ctrl-C while Python finalises would give status -2."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _init(args: Sequence[str] | None) -> None:
    try:
        rclpy.init(
            args=None if args is None else list(args),
            signal_handler_options=SignalHandlerOptions.NO,
        )
    except Exception as error:  # RCLError is private to rclpy
        raise ConfigError(f'ROS arguments cannot be used: {error}') from error
