"""One end of an image topic: publishes at a rate, or counts what arrives until it is stopped."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rs_ml_perception.core.frames.messages import stamp_ns
from rs_ml_perception.ros.output.images import image
from rs_ml_perception.ros.qos import profile
from rs_ml_perception.ros.tool_process import StopRequest
from sensor_msgs.msg import Image
from std_msgs.msg import Header

TOPIC = '/bench/image'
MATCH_SECS = 20.0
SETTLE_SECS = 0.5


def main() -> int:
    """Run the end that was asked for; prints one JSON object."""
    arguments = _parse()
    policy = ReliabilityPolicy[arguments.reliability.upper()]
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node(f'bench_{arguments.role}')
    try:
        if arguments.role == 'publish':
            print(json.dumps(_publish(node, policy, arguments)))
        else:
            print(json.dumps(_count(node, policy)))
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


def _publish(
    node: rclpy.node.Node, policy: ReliabilityPolicy, arguments: argparse.Namespace
) -> dict[str, float]:
    publisher = node.create_publisher(Image, TOPIC, profile(policy))
    end_secs = time.monotonic() + MATCH_SECS
    while publisher.get_subscription_count() == 0 and time.monotonic() < end_secs:
        time.sleep(0.02)
    matched = publisher.get_subscription_count()
    time.sleep(SETTLE_SECS)
    pixels = np.zeros((arguments.height, arguments.width, 3), np.uint8)
    start_secs = time.monotonic()
    for number in range(arguments.frames):
        time.sleep(max(0.0, start_secs + number / arguments.rate_hz - time.monotonic()))
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        header = Header(stamp=Time(sec=seconds, nanosec=nanoseconds))
        publisher.publish(image(pixels, 'rgb8', header))
    wall_secs = time.monotonic() - start_secs
    time.sleep(SETTLE_SECS)
    return {'sent': arguments.frames, 'matched': matched, 'wall_s': wall_secs}


def _count(node: rclpy.node.Node, policy: ReliabilityPolicy) -> dict[str, Any]:
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


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('role', choices=('publish', 'count'))
    parser.add_argument('--reliability', choices=('reliable', 'best_effort'), required=True)
    parser.add_argument('--width', type=int, default=1280)
    parser.add_argument('--height', type=int, default=720)
    parser.add_argument('--rate-hz', type=float, default=30.0)
    parser.add_argument('--frames', type=int, default=150)
    return parser.parse_args()


if __name__ == '__main__':
    sys.exit(main())
