"""Fraction of 1280x720 images at 30 Hz that reach another process, by transport and reliability.

`python -m benchmarks.speed.delivery publish|count` is one end of the topic.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.flags import FlagParser, add_flags, from_flags
from rs_ml_perception.core.frames.messages import stamp_ns
from rs_ml_perception.core.options import REQUIRED, Options, option
from rs_ml_perception.core.tether import tethered
from rs_ml_perception.ros.dds_domain import DOMAIN_VARIABLE, reserved_domain
from rs_ml_perception.ros.output.images import image
from rs_ml_perception.ros.qos import profile
from rs_ml_perception.ros.tool_process import StopRequest
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from benchmarks.speed.sections import SpeedOptions
from benchmarks.tables import Row
from benchmarks.timing import alternate

PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
GOAL_FRACTION = 1.0
LIMIT_SECS, MATCH_SECS, SETTLE_SECS = 120.0, 20.0, 0.5
TOPIC = '/bench/image'
WIDTH, HEIGHT, RATE_HZ = 1280, 720, 30.0


def measure(options: SpeedOptions, logs: Path) -> dict[str, Any]:
    """Every combination of transport and reliability.

    Raises:
        ConfigError: the profile is not set in the environment.
    """
    if not all(Path(os.environ.get(name, '')).is_file() for name in PROFILE_VARIABLES):
        raise ConfigError(
            f'{" and ".join(PROFILE_VARIABLES)} must name config/fastdds.xml: run through '
            '`make bench` or tools/run'
        )
    delays: dict[str, list[float]] = {}

    def send(name: str, reliability: str, with_profile: bool) -> float:
        outcome = deliver(reliability, with_profile=with_profile, frames=options.delivery_frames)
        delays.setdefault(name, []).extend(outcome['delays_ms'])
        return float(outcome['received'] / outcome['sent'])

    ways = {
        f'{title}, {reliability}': (reliability, with_profile)
        for title, with_profile in (('config/fastdds.xml', True), ('default transport', False))
        for reliability in ('best_effort', 'reliable')
    }
    fractions = alternate(
        {name: partial(send, name, *way) for name, way in ways.items()},
        rounds=min(options.rounds, 3),
    )
    return {
        name: {
            'share': statistics.median(values),
            'delay_ms': statistics.median(delays[name]) if delays[name] else None,
            'rounds': values,
        }
        for name, values in fractions.items()
    }


def deliver(reliability: str, *, with_profile: bool, frames: int) -> dict[str, Any]:
    """Send images from one process to another: how many were sent, received, and the delays."""
    common = ['--reliability', reliability]
    with reserved_domain() as domain:
        environment = {**os.environ, DOMAIN_VARIABLE: str(domain)}
        if not with_profile:
            for name in PROFILE_VARIABLES:
                del environment[name]
        counter = _start('count', common, environment)
        try:
            sender = _start('publish', [*common, '--frames', str(frames)], environment)
            sent = json.loads(_output(sender))
        finally:
            counter.send_signal(signal.SIGINT)
        return {**json.loads(_output(counter)), **sent}


def _start(role: str, args: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = tethered('benchmarks.speed.delivery', [role, *args])
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)


def _output(process: subprocess.Popen[bytes]) -> bytes:
    """The last line of its output, once it has ended."""
    try:
        text, _ = process.communicate(timeout=LIMIT_SECS)
    except subprocess.TimeoutExpired:
        process.kill()
        text, _ = process.communicate()
    return (text.splitlines() or [b'{}'])[-1]


def rows(result: dict[str, Any]) -> list[Row]:
    """One row per combination; the project's own transport has a goal."""
    lines = []
    for name, part in result.items():
        text = f'{100 * part["share"]:.1f} % arrive'
        if part['delay_ms'] is not None:
            text += f', after {part["delay_ms"]:.1f} ms'
        is_ours = name.startswith('config/')
        is_met = part['share'] >= GOAL_FRACTION if is_ours else None
        lines.append(Row(name, text, '100 %' if is_ours else '', is_met))
    return lines


@dataclass(frozen=True, kw_only=True)
class EndOptions(Options):
    """Flags of one end."""

    reliability: str = option(REQUIRED, 'of the topic', choices=('reliable', 'best_effort'))
    frames: int = option(150, 'to publish', low=1)


def main() -> int:
    """Publish at a rate, or count arriving images until SIGINT; prints one JSON object."""
    parser = FlagParser(description='One end of an image topic.')
    parser.add_argument('role', choices=('publish', 'count'))
    add_flags(parser, EndOptions)
    arguments = parser.parse_args()
    options = from_flags(EndOptions, arguments)
    policy = ReliabilityPolicy[options.reliability.upper()]
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node(f'bench_{arguments.role}')
    try:
        if arguments.role == 'publish':
            print(json.dumps(_publish(node, policy, options.frames)))
        else:
            print(json.dumps(_count(node, policy)))
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


def _publish(node: Node, policy: ReliabilityPolicy, frames: int) -> dict[str, float]:
    publisher = node.create_publisher(Image, TOPIC, profile(policy))
    end_secs = time.monotonic() + MATCH_SECS
    while publisher.get_subscription_count() == 0 and time.monotonic() < end_secs:
        time.sleep(0.02)
    matched = publisher.get_subscription_count()
    time.sleep(SETTLE_SECS)
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    start_secs = time.monotonic()
    for number in range(frames):
        time.sleep(max(0.0, start_secs + number / RATE_HZ - time.monotonic()))
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        header = Header(stamp=Time(sec=seconds, nanosec=nanoseconds))
        publisher.publish(image(pixels, 'rgb8', header))
    wall_secs = time.monotonic() - start_secs
    time.sleep(SETTLE_SECS)
    return {'sent': frames, 'matched': matched, 'wall_s': wall_secs}


def _count(node: Node, policy: ReliabilityPolicy) -> dict[str, Any]:
    stop = StopRequest()
    stop.catch_signals()
    delay_ms: dict[int, float] = {}

    def on_image(msg: Image) -> None:
        sent_ns = stamp_ns(msg.header.stamp)
        delay_ms[sent_ns] = 1e-6 * (time.time_ns() - sent_ns)

    node.create_subscription(Image, TOPIC, on_image, profile(policy))
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    while not stop.is_set():
        executor.spin_once(timeout_sec=0.1)
    executor.shutdown()
    return {'received': len(delay_ms), 'delays_ms': list(delay_ms.values())}


if __name__ == '__main__':
    sys.exit(main())
