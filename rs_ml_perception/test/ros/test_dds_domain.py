"""Domains are reserved, freed, and skipped while other nodes use them."""

import signal
import socket
import subprocess
import sys
from contextlib import ExitStack

import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.ros.dds_domain import DOMAINS, reserved_domain

FIRST_EPHEMERAL_PORT = 32768
HOLD = (
    'from rs_ml_perception.ros.dds_domain import reserved_domain\n'
    'with reserved_domain([{}]):\n'
    '    print("held", flush=True)\n'
    '    input()\n'
)


@pytest.fixture
def pair():
    """Two unused domains."""
    with reserved_domain() as first, reserved_domain() as second:
        return first, second


def test_domains_are_valid_and_below_ephemeral_ports():
    assert DOMAINS[0] == 1
    assert 7400 + 250 * (DOMAINS[-1] + 1) <= FIRST_EPHEMERAL_PORT


def test_reservations_differ_until_all_domains_are_in_use(pair):
    with ExitStack() as stack:
        held = [stack.enter_context(reserved_domain(pair)) for _ in pair]
        assert sorted(held) == sorted(pair)
        with pytest.raises(ConfigError, match='every one of 2 ROS domains is in use'):
            stack.enter_context(reserved_domain(pair))
    with reserved_domain(pair[:1]) as again:
        assert again == pair[0]


def test_a_process_takes_another_domain_each_time(pair):
    found = []
    for _ in range(2):
        with reserved_domain(pair) as domain:
            found.append(domain)
    assert found[0] != found[1]


@pytest.mark.parametrize(
    'number',
    [
        pytest.param(0, id='discovery'),
        pytest.param(1, id='multicast'),
        pytest.param(10, id='the first participant'),
        pytest.param(11, id='its data'),
        pytest.param(12, id='the second, the first has gone'),
        pytest.param(248, id='the last'),
    ],
)
@pytest.mark.parametrize('host', ['', '127.0.0.1'])
def test_a_domain_with_an_open_port_is_skipped(pair, number, host):
    taken, free = pair
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as participant:
        participant.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        participant.bind((host, 7400 + 250 * taken + number))
        for _ in pair:
            with reserved_domain(pair) as domain:
                assert domain == free


@pytest.mark.ros
def test_a_domain_with_a_node_is_skipped(pair):
    rclpy = pytest.importorskip('rclpy', reason='rclpy is not installed')
    taken, free = pair
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=taken)
    node = rclpy.create_node('anybody', context=context)
    try:
        for _ in pair:
            with reserved_domain(pair) as domain:
                assert domain == free
    finally:
        node.destroy_node()
        rclpy.try_shutdown(context=context)


@pytest.mark.parametrize('end', [signal.SIGKILL, signal.SIGTERM])
def test_a_process_holds_its_domain_until_its_end(pair, end):
    held = pair[:1]
    process = subprocess.Popen(
        [sys.executable, '-c', HOLD.format(*held)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b'held\n'
    with pytest.raises(ConfigError), reserved_domain(held):
        pass
    process.send_signal(end)
    process.communicate(timeout=30)
    with reserved_domain(held) as domain:
        assert domain == held[0]
