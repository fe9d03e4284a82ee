"""Processes for tests: `node` with a made-up pipeline, and `camera` that sends in lockstep.

python fake_process.py node --load-secs 3 --fail-on 2 --ros-args ...
python fake_process.py camera --count 20 --width 1280 --height 720
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rs_ml_perception.core.objects.detections import Detections, Placements
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.nodes.detection_node import DetectionNode
from rs_ml_perception.nodes.runner import run
from rs_ml_perception.tasks.detection import DetectionResult
from sensor_msgs.msg import Image

from rs_ml_msgs.msg import FrameReport

ANSWER_SECS = 0.3
"""A frame without an answer for so long is lost."""


class Pipeline:
    """Finds nothing, slowly loaded, raising on one frame if asked to."""

    title, backend, labels, options = 'fake 1.0', 'none', LabelMap({1: 'person'}), None
    score_threshold, concerns = 0.3, ()

    def __init__(self, load_secs: float, fail_on: int, frame_secs: float) -> None:
        print('loading', flush=True)
        time.sleep(load_secs)
        self._left = fail_on
        self._frame_secs = frame_secs

    def __call__(self, _):
        if self._frame_secs:
            print('at work', flush=True)
            time.sleep(self._frame_secs)
        self._left -= 1
        if self._left == 0:
            raise ValueError('asked to fail')
        return DetectionResult(Detections.empty(), Placements.unknown(0))

    def describe(self):
        return {'model': self.title}

    def warm_up(self):
        return 0.0

    def readings(self):
        return {}

    def reset(self):
        pass

    def take_stages(self):
        return {}

    def close(self):
        print('freed', flush=True)


def run_node(options: argparse.Namespace) -> int:
    class FakeNode(DetectionNode):
        @classmethod
        def load_pipeline(cls, _):
            return Pipeline(options.load_secs, options.fail_on, options.frame_secs)

    return run(FakeNode)


class LockstepCamera:
    """Sends best-effort images, the next only once the last was answered or is lost."""

    def __init__(self, options: argparse.Namespace) -> None:
        rclpy.init()
        self._node = Node('camera', namespace='/rs_ml')
        qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
        self._images = self._node.create_publisher(Image, 'color/image_raw', qos)
        self._answered: set[int] = set()
        self._node.create_subscription(FrameReport, 'detection/frames', self._on_report, 100)
        self._msg = Image(width=options.width, height=options.height, encoding='rgb8')
        self._msg.step = 3 * options.width
        self._msg.data.frombytes(np.zeros(3 * options.width * options.height, np.uint8))

    def _on_report(self, report: FrameReport) -> None:
        self._answered.add(report.header.stamp.sec)

    def wait(self, condition, secs: float) -> bool:
        deadline = time.monotonic() + secs
        while not condition() and time.monotonic() < deadline:
            rclpy.spin_once(self._node, timeout_sec=0.01)
        return condition()

    def send(self, number: int) -> bool:
        self._msg.header.stamp.sec = number
        self._images.publish(self._msg)
        return self.wait(lambda: number in self._answered, ANSWER_SECS)

    def is_matched(self) -> bool:
        reports = self._node.count_publishers('/rs_ml/detection/frames')
        return reports > 0 and self._images.get_subscription_count() > 0


def run_camera(options: argparse.Namespace) -> int:
    camera = LockstepCamera(options)
    if not camera.wait(camera.is_matched, 30.0):
        print('no node came', file=sys.stderr)
        return 1
    arrived = [camera.send(1 + number) for number in range(options.count)]
    print(f'arrived {sum(arrived)}', flush=True)
    rclpy.try_shutdown()
    return 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument('role', choices=('node', 'camera'))
    parser.add_argument('--load-secs', type=float, default=0.0)
    parser.add_argument('--frame-secs', type=float, default=0.0)
    parser.add_argument('--fail-on', type=int, default=0)
    parser.add_argument('--count', type=int, default=20)
    parser.add_argument('--width', type=int, default=64)
    parser.add_argument('--height', type=int, default=48)
    options, _ = parser.parse_known_args()
    return {'node': run_node, 'camera': run_camera}[options.role](options)


if __name__ == '__main__':
    sys.exit(main())
