"""ROS in a process that starts others and listens to them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import rclpy
from rclpy.signals import SignalHandlerOptions

from rs_ml_perception.ros.dds_domain import DOMAIN_VARIABLE, reserved_domain


@contextmanager
def ros_session(*, is_domain_chosen: bool = False) -> Iterator[None]:
    """Rclpy in a domain of its own, which child processes inherit: nobody else is heard.

    Args:
        is_domain_chosen: stay in the one of ROS_DOMAIN_ID.

    Raises:
        ConfigError: every domain is in use.
    """
    with ExitStack() as stack:
        if not is_domain_chosen:
            stack.enter_context(_own_domain())
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        stack.callback(rclpy.try_shutdown)
        yield


@contextmanager
def _own_domain() -> Iterator[None]:
    before = os.environ.get(DOMAIN_VARIABLE)
    with reserved_domain() as domain:
        os.environ[DOMAIN_VARIABLE] = str(domain)
        try:
            yield
        finally:
            del os.environ[DOMAIN_VARIABLE]
            if before is not None:
                os.environ[DOMAIN_VARIABLE] = before
