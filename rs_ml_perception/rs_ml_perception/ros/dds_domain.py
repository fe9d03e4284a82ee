"""A DDS domain that no other process on this machine uses, and rclpy in it.

Domain d has 250 UDP ports from 7400 + 250 d on. Ports 0 and 1 are for multicast, and each
participant has two from port 10 on (DDSI-RTPS, well-known ports). Port 9 is unused, so it serves
as a lock on the domain: the system gives it to one process at a time and frees it when that
process ends, however it ends. Other ROS nodes do not take the lock; their open ports show them.
"""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from rs_ml_perception.core.errors import ConfigError

DOMAIN_VARIABLE = 'ROS_DOMAIN_ID'

DOMAINS = range(1, 101)
"""0 is the default of ROS; ports of higher domains lie in Linux' ephemeral range (from 32768)."""

_FIRST_PORT, _PORTS = 7400, 250
_LOCK_PORT = 9
_LOCAL, _EVERYWHERE = '127.0.0.1', ''

# Processes start at different domains, and a process takes another one each time, so that it does
# not hear the remains of its last session.
_turns = itertools.count(os.getpid())


@contextmanager
def reserved_domain(candidates: Sequence[int] = DOMAINS) -> Iterator[int]:
    """Reserve a domain that is empty.

    Args:
        candidates: numbers to choose from.

    Yields:
        Its number.

    Raises:
        ConfigError: all are in use.
    """
    domain, holder = _reserve(candidates)
    with holder:
        yield domain


def _reserve(candidates: Sequence[int]) -> tuple[int, socket.socket]:
    turn = next(_turns)
    for i in range(len(candidates)):
        domain = candidates[(turn + i) % len(candidates)]
        holder = _bound(_LOCAL, _port(domain, _LOCK_PORT))
        if holder is None:
            continue
        if _is_quiet(domain):
            return domain, holder
        holder.close()
    raise ConfigError(
        f'every one of {len(candidates)} ROS domains is in use: end what runs there, or choose '
        f'one by {DOMAIN_VARIABLE}'
    )


def _is_quiet(domain: int) -> bool:
    """Whether none of its other ports is in use."""
    for number in range(_PORTS):
        if number != _LOCK_PORT:
            probe = _bound(_EVERYWHERE, _port(domain, number))
            if probe is None:
                return False
            probe.close()
    return True


def _port(domain: int, number: int) -> int:
    return _FIRST_PORT + _PORTS * domain + number


def _bound(host: str, port: int) -> socket.socket | None:
    """A UDP socket bound to the port; None if the port is in use."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        return None
    return bound


@contextmanager
def ros_session(*, is_domain_chosen: bool = False) -> Iterator[None]:
    """Rclpy in a reserved domain, which child processes inherit.

    Args:
        is_domain_chosen: use the domain of ROS_DOMAIN_ID instead.

    Raises:
        ConfigError: every domain is in use.
    """
    import rclpy  # here: domains are reserved, and tests collected, without ROS too
    from rclpy.signals import SignalHandlerOptions

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
