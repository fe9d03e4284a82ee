#!/usr/bin/env python3
"""Traces one image through the detection node: `tools/run tools/live_image.py`.

The image is published on DDS and comes back as a DetectionArray, in one process, without depth.
Printed are the files and functions of the package that run in between, in order of first call.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

WIDTH, HEIGHT = 640, 480
START_NS, PERIOD_NS = 1_700_000_000_000_000_000, 33_333_333
WARM_UP_IMAGES, TRACED_IMAGES = 5, 10
PATIENCE_SECS = 60.0


@dataclass(frozen=True)
class LiveImage:
    """The way of one image through the package.

    Attributes:
        files: relative to the package, in order of first call.
        functions: 'file:qualified name', in order of first call.
        calls: number of calls.
    """

    files: tuple[str, ...]
    functions: tuple[str, ...]
    calls: int


class Tracer:
    """Records the calls of a package's functions in all threads that start inside `installed`."""

    def __init__(self, package: Path) -> None:
        self._prefix = f'{package}/'
        self._calls: list[str] = []
        self._is_on = False

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Observe this thread and those that start from here on."""
        threading.setprofile(self._observe)
        sys.setprofile(self._observe)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def traced(self, work: Callable[[], None]) -> list[str]:
        """The calls while the work runs, as 'file:qualified name'."""
        self._calls, self._is_on = [], True
        try:
            work()
        finally:
            self._is_on = False
        return self._calls

    def _observe(self, frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if self._is_on and event == 'call' and code.co_filename.startswith(self._prefix):
            name = getattr(code, 'co_qualname', code.co_name)
            self._calls.append(f'{code.co_filename[len(self._prefix) :]}:{name}')


class Loop:
    """A detection node and a camera in one context, spun by hand."""

    def __init__(self, domain: int, model: str) -> None:
        import rclpy
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.node import Node
        from rclpy.parameter import Parameter
        from rs_ml_perception.nodes.detection_node import DetectionNode
        from sensor_msgs.msg import CameraInfo, Image

        from rs_ml_msgs.msg import DetectionArray

        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._camera = Node('camera', context=self._context, use_global_arguments=False)
        values: dict[str, Any] = {'max_age_secs': 0.0, 'depth_source': 'none'}
        if model:
            values['model'] = model
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        self._node = DetectionNode(context=self._context, parameter_overrides=overrides)
        image = self._node.resolve_topic_name('color/image_raw')
        info = self._node.resolve_topic_name('color/camera_info')
        self._image = self._camera.create_publisher(Image, image, 10)
        self._info = self._camera.create_publisher(CameraInfo, info, 10)
        self._results: list[Any] = []
        topic = self._node.resolve_topic_name('~/detections')
        self._camera.create_subscription(DetectionArray, topic, self._results.append, 10)
        for node in (self._camera, self._node):
            self._executor.add_node(node)
        self._node.start()

    def close(self) -> None:
        """Stop the node and leave the domain."""
        for node in (self._node, self._camera):
            node.destroy_node()
        self._executor.shutdown()
        self._context.try_shutdown()

    def wait_for_subscriptions(self) -> None:
        """Spin until the node listens and is heard."""
        publishers = (self._image, self._info)
        self._spin_until(lambda: all(p.get_subscription_count() for p in publishers))
        self._info.publish(self._info_message(0))

    def send(self, number: int) -> None:
        """Publish an image and spin until its detections have come back."""
        count = len(self._results)
        self._image.publish(self._image_message(number))
        self._spin_until(lambda: len(self._results) > count)

    def _spin_until(self, condition: Callable[[], bool]) -> None:
        end_secs = time.monotonic() + PATIENCE_SECS
        while not condition():
            if time.monotonic() > end_secs:
                raise TimeoutError('the detection node does not answer')
            self._executor.spin_once(timeout_sec=0.01)

    def _header(self, number: int) -> Any:
        from builtin_interfaces.msg import Time
        from std_msgs.msg import Header

        seconds, nanoseconds = divmod(START_NS + number * PERIOD_NS, 10**9)
        stamp = Time(sec=seconds, nanosec=nanoseconds)
        return Header(stamp=stamp, frame_id='camera_color_optical_frame')

    def _image_message(self, number: int) -> Any:
        from sensor_msgs.msg import Image

        msg = Image(header=self._header(number), width=WIDTH, height=HEIGHT, encoding='rgb8')
        msg.step = 3 * WIDTH
        msg.data.frombytes(bytes([64]) * (msg.step * HEIGHT))
        return msg

    def _info_message(self, number: int) -> Any:
        from sensor_msgs.msg import CameraInfo

        msg = CameraInfo(header=self._header(number), width=WIDTH, height=HEIGHT)
        msg.k = [600.0, 0.0, 319.5, 0.0, 600.0, 239.5, 0.0, 0.0, 1.0]
        return msg


def trace_live_image(model: str = '') -> LiveImage:
    """Send images through the detection node and trace the last ones.

    What does not run for every image, as diagnostics once a second, does not count.

    Args:
        model: name or path of a detection model; '': the default of the node.
    """
    from rs_ml_perception.ros.dds_domain import reserved_domain

    import rs_ml_perception

    tracer = Tracer(Path(rs_ml_perception.__file__).parent)
    with reserved_domain() as domain, tracer.installed():
        loop = Loop(domain, model)
        try:
            loop.wait_for_subscriptions()
            for number in range(WARM_UP_IMAGES):
                loop.send(number)
            ways = [
                tracer.traced(lambda n=WARM_UP_IMAGES + i: loop.send(n))  # type: ignore[misc]
                for i in range(TRACED_IMAGES)
            ]
        finally:
            loop.close()
    always = set.intersection(*map(set, ways))
    calls = [call for call in min(ways, key=len) if call in always]
    files = dict.fromkeys(call.partition(':')[0] for call in calls)
    return LiveImage(tuple(files), tuple(dict.fromkeys(calls)), len(calls))


def main() -> None:
    """Print the way of an image."""
    found = trace_live_image(*sys.argv[1:2])
    print('\n'.join(found.functions))
    print(
        f'{len(found.files)} files, {len(found.functions)} functions, {found.calls} calls: '
        + ' '.join(found.files)
    )


if __name__ == '__main__':
    main()
