"""A camera, nodes with a fake pipeline and an observer, on real DDS inside one process.

The test spins the executor in its thread until a condition holds. Each test has a separate
context, and so a separate DDS participant. rclpy is imported late: tests skip without it.
docs/testing.md explains the rig.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rs_ml_perception.core.objects.detections import Detections, place_detections
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.core.objects.tracking import Tracker
from rs_ml_perception.ros.dds_domain import reserved_domain
from rs_ml_perception.tasks.detection import DetectionOptions, DetectionResult

WIDTH, HEIGHT = 64, 48
START_NS = 1_700_000_000_000_000_000
PERIOD_NS = 33_333_333
PATIENCE_SECS = 60.0
ASK_AGAIN_SECS = 5.0
FRAME_ID = 'camera_color_optical_frame'
BOX = (16.0, 12.0, 48.0, 36.0)


def stamp(ns: int) -> Any:
    from builtin_interfaces.msg import Time

    return Time(sec=ns // 10**9, nanosec=ns % 10**9)


def stamp_ns(msg: Any) -> int:
    return msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec


class FakePipeline:
    """A detector that always sees one person, waits at a gate and raises on demand."""

    title, backend, score_threshold = 'fake 1.0', 'none', 0.3
    concerns: tuple[str, ...] = ()
    labels = LabelMap({1: 'person', 2: 'cat'})

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.error: Exception | None = None
        self.boxes: list[tuple[float, ...]] = [BOX]
        self.frames: list[Any] = []
        self.resets = 0
        self.is_closed = False
        self._options = DetectionOptions()
        self._tracker = Tracker()

    @property
    def options(self) -> DetectionOptions:
        return self._options

    @options.setter
    def options(self, options: DetectionOptions) -> None:
        self.labels.known_ids(options.classes, model=self.title)
        self._options = options

    def __call__(self, frame: Any) -> DetectionResult:
        self.frames.append(frame)
        self.entered.release()
        assert self.gate.wait(PATIENCE_SECS), 'the gate stayed closed'
        if self.error is not None:
            raise self.error
        n = len(self.boxes)
        found = Detections(
            np.array(self.boxes, np.float32).reshape(-1, 4),
            np.full(n, 0.9, np.float32),
            np.full(n, 1, np.int32),
        )
        placed = place_detections(frame, self._tracker(found, frame.stamp_ns))
        return DetectionResult(*placed, placed_in=frame.depth)

    def describe(self) -> dict[str, str]:
        return {'model': self.title, 'backend': self.backend}

    def warm_up(self) -> float:
        return 0.1

    def readings(self) -> dict[str, float]:
        return {}

    def reset(self) -> None:
        self.resets += 1
        self._tracker.reset()

    def take_stages(self) -> dict[str, float]:
        return {'infer': 0.1}

    def close(self) -> None:
        self.is_closed = True


class Camera:
    """Publishes as realsense2_camera does; fields of each message can be changed."""

    def __init__(self, node: Any, prefix: str = '') -> None:
        self.node = node
        self.prefix = prefix
        self.sent = 0
        self._publishers: dict[str, Any] = {}

    def publisher(self, topic: str, msg_type: type, reliability: str = 'reliable') -> Any:
        """The publisher of a topic, made at first use."""
        from rclpy.qos import QoSProfile, ReliabilityPolicy

        if topic not in self._publishers:
            policy = ReliabilityPolicy[reliability.upper()]
            qos = QoSProfile(depth=100, reliability=policy)
            self._publishers[topic] = self.node.create_publisher(
                msg_type, f'{self.prefix}{topic}', qos
            )
        return self._publishers[topic]

    def remove(self, topic: str) -> None:
        self.node.destroy_publisher(self._publishers.pop(topic))

    def announce(self, *, depth: str = 'aligned', reliability: str = 'reliable') -> None:
        """Make the publishers, so that nodes can match them before the first frame."""
        from sensor_msgs.msg import CameraInfo, Image

        for topic in ('color/image_raw', *self.depth_topics(depth)[:1]):
            self.publisher(topic, Image, reliability)
        for topic in ('color/camera_info', *self.depth_topics(depth)[1:]):
            self.publisher(topic, CameraInfo, reliability)

    @staticmethod
    def depth_topics(depth: str) -> tuple[str, ...]:
        return {
            'aligned': ('aligned_depth_to_color/image_raw',),
            'raw': ('depth/image_rect_raw', 'depth/camera_info'),
            '': (),
        }[depth]

    def header(self, ns: int, frame_id: str = FRAME_ID) -> Any:
        from std_msgs.msg import Header

        return Header(stamp=stamp(ns), frame_id=frame_id)

    def color(self, ns: int, **changes: Any) -> None:
        from sensor_msgs.msg import Image

        msg = Image(header=self.header(ns), width=WIDTH, height=HEIGHT, encoding='rgb8')
        msg.step = 3 * WIDTH
        msg.data.frombytes(bytes(3 * WIDTH * HEIGHT))
        self._send('color/image_raw', msg, changes)
        self.sent += 1

    def depth(self, ns: int, kind: str = 'aligned', depth_mm: int = 2000, **changes: Any) -> None:
        from sensor_msgs.msg import Image

        frame_id = FRAME_ID if kind == 'aligned' else 'camera_depth_optical_frame'
        msg = Image(header=self.header(ns, frame_id), width=WIDTH, height=HEIGHT)
        msg.encoding, msg.step = '16UC1', 2 * WIDTH
        msg.data.frombytes(np.full((HEIGHT, WIDTH), depth_mm, np.uint16).tobytes())
        self._send(self.depth_topics(kind)[0], msg, changes)

    def infrared(self, ns: int, level: int = 100, **changes: Any) -> None:
        from sensor_msgs.msg import Image

        header = self.header(ns, 'camera_infra1_optical_frame')
        msg = Image(header=header, width=WIDTH, height=HEIGHT, encoding='mono8', step=WIDTH)
        msg.data.frombytes(bytes([level]) * WIDTH * HEIGHT)
        self._send('infra1/image_rect_raw', msg, changes)

    def info(self, ns: int, topic: str = 'color/camera_info', **changes: Any) -> None:
        from sensor_msgs.msg import CameraInfo

        msg = CameraInfo(header=self.header(ns), width=WIDTH, height=HEIGHT)
        msg.k = [60.0, 0.0, 31.5, 0.0, 60.0, 23.5, 0.0, 0.0, 1.0]
        self._send(topic, msg, changes)

    def frame(self, number: int, *, depth: str = 'aligned', offset_ns: int = 0) -> int:
        """One frame on every topic, depth first; returns its stamp in nanoseconds."""
        ns = START_NS + number * PERIOD_NS
        self.info(ns)
        if depth:
            self.depth(ns + offset_ns, depth)
        if depth == 'raw':
            self.info(ns, 'depth/camera_info')
        self.color(ns)
        return ns

    def _send(self, topic: str, msg: Any, changes: dict[str, Any]) -> None:
        for name, value in changes.items():
            setattr(msg, name, value)
        self.publisher(topic, type(msg)).publish(msg)


class Rig:
    """A context with one executor, spun until something has happened."""

    def __init__(self, domain: int) -> None:
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        self.domain = domain
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=self.domain)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.perception: list[Any] = []
        self._plain: list[Any] = []
        self.observer = self.plain_node('observer')
        self.camera = Camera(self.plain_node('camera'))

    def plain_node(self, name: str) -> Any:
        from rclpy.node import Node

        node = Node(name, namespace='/rs_ml', context=self.context, use_global_arguments=False)
        self.executor.add_node(node)
        self._plain.append(node)
        return node

    def add(self, node_class: type, *args: Any, load: Any = None, **parameters: Any) -> Any:
        """A perception node; load(parameters) replaces the loading of a model."""
        from rclpy.parameter import Parameter

        if load is not None:
            node_class = type(
                node_class.__name__, (node_class,), {'load_pipeline': staticmethod(load)}
            )
        overrides = [
            Parameter(name.replace('__', '.'), value=value) for name, value in parameters.items()
        ]
        node = node_class(*args, context=self.context, parameter_overrides=overrides)
        self.executor.add_node(node)
        self.perception.append(node)
        return node

    def detection(self, pipeline: FakePipeline | None = None, **parameters: Any) -> Any:
        """A detection node around a fake pipeline, old stamps allowed unless asked otherwise."""
        from rs_ml_perception.nodes.detection_node import DetectionNode

        fake = pipeline or FakePipeline()
        parameters = {'max_age_secs': 0.0, **parameters}
        node = self.add(DetectionNode, load=lambda _: fake, **parameters)
        node.fake = fake
        return node

    def add_sharing(self, other: Any) -> Any:
        """A second detection node around the hub of another one."""
        from rclpy.parameter import Parameter
        from rs_ml_perception.nodes.detection_node import DetectionNode

        fake = FakePipeline()
        twin = type('Twin', (DetectionNode,), {'default_name': 'twin'})
        twin.load_pipeline = staticmethod(lambda _: fake)
        limit = Parameter('max_age_secs', value=0.0)
        node = twin(other.hub, context=self.context, parameter_overrides=[limit])
        node.fake = fake
        self.executor.add_node(node)
        self.perception.append(node)
        return node

    def started(self, node: Any, *, depth: str = 'aligned') -> Any:
        """Start the node and wait until it listens to the camera."""
        self.camera.announce(depth=depth)
        node.start()
        assert node.phase == 'active', node.failure
        self.until(lambda: self.is_listening(depth), 'subscriptions')
        return node

    def is_listening(self, depth: str = 'aligned') -> bool:
        topics = ('color/image_raw', 'color/camera_info', *self.camera.depth_topics(depth))
        camera = self.camera
        return all(camera._publishers[t].get_subscription_count() > 0 for t in topics)

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Spin until the condition holds; returns its value."""
        deadline = time.monotonic() + PATIENCE_SECS
        while not (found := condition()):
            assert time.monotonic() < deadline, f'waited in vain for {what}'
            self.executor.spin_once(timeout_sec=0.01)
        return found

    def spin_some(self, count: int = 20) -> None:
        """Spin a little, for conditions that must stay false."""
        for _ in range(count):
            self.executor.spin_once(timeout_sec=0.01)

    def collect(self, msg_type: type, topic: str, *, is_latched: bool = False) -> list[Any]:
        """A list that every message of the topic is appended to."""
        from rclpy.qos import DurabilityPolicy, QoSProfile

        qos = QoSProfile(depth=100)
        if is_latched:
            qos.durability = DurabilityPolicy.TRANSIENT_LOCAL
        messages: list[Any] = []
        self.observer.create_subscription(msg_type, topic, messages.append, qos)
        return messages

    def call(self, srv_type: type, name: str, request: Any) -> Any:
        """Call a service and return the response."""
        client = self.observer.create_client(srv_type, name)
        self.until(client.service_is_ready, name)
        future = self._answer(client, request, name)
        self.observer.destroy_client(client)
        return future.result()

    def _answer(self, client: Any, request: Any, name: str) -> Any:
        """An answer is lost where a busy server has not yet matched the client: ask again."""
        asked: list[tuple[float, Any]] = []

        def answered() -> Any:
            now = time.monotonic()
            if not asked or now - asked[-1][0] > ASK_AGAIN_SECS:
                asked.append((now, client.call_async(request)))
            return next((future for _, future in asked if future.done()), None)

        return self.until(answered, f'answer of {name}')

    def set_parameter(self, node: Any, name: str, value: Any) -> Any:
        """As `ros2 param set` does it; returns the SetParametersResult."""
        from rcl_interfaces.srv import SetParameters
        from rclpy.parameter import Parameter

        kind = Parameter.Type.STRING_ARRAY if value == [] else None
        parameter = Parameter(name, kind, value).to_parameter_msg()
        request = SetParameters.Request(parameters=[parameter])
        return self.call(SetParameters, f'{node.get_fully_qualified_name()}/set_parameters',
                         request).results[0]  # fmt: skip

    def settled(self, node: Any, received: int) -> Any:
        """Wait until as many frames have come and all have an outcome; returns the counts."""

        def is_settled() -> Any:
            counts = node.counters.snapshot()
            assert counts.in_flight >= 0, counts
            return counts if counts.received >= received and counts.in_flight == 0 else None

        return self.until(is_settled, f'{received} frames, got {node.counters.snapshot()}')

    def close(self) -> None:
        import rclpy

        for node in self.perception:
            if getattr(node, 'fake', None) is not None:
                node.fake.gate.set()
            node.stop()
        self.executor.shutdown()
        for node in (*self.perception, *self._plain):
            node.destroy_node()
        rclpy.try_shutdown(context=self.context)


@pytest.fixture
def rig(domain: int) -> Iterator[Rig]:
    rig = Rig(domain)
    yield rig
    rig.close()


@pytest.fixture
def make_rig() -> Iterator[Callable[..., Rig]]:
    """For another process on the same network: pass the domain of the first; else on its own."""
    with ExitStack() as stack:

        def make(domain: int | None = None) -> Rig:
            made = Rig(stack.enter_context(reserved_domain()) if domain is None else domain)
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def fake_pipeline() -> type[FakePipeline]:
    return FakePipeline


class Process:
    """A process under test; its output goes to a file."""

    def __init__(self, arguments: Sequence[str], log: Path, env: Mapping[str, str]) -> None:
        self._log = log
        with log.open('w') as file:
            self._popen = subprocess.Popen(
                [sys.executable, *arguments],
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, 'PYTHONUNBUFFERED': '1', **env},
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._log.read_text(errors='replace')

    @property
    def has_ended(self) -> bool:
        return self._popen.poll() is not None

    def wait_for(self, words: str) -> None:
        """Wait until it has said the words."""
        deadline = time.monotonic() + PATIENCE_SECS
        while words not in self.output:
            assert not self.has_ended, f'ended before {words!r}: {self.output}'
            assert time.monotonic() < deadline, f'waited in vain for {words!r}: {self.output}'
            time.sleep(0.02)

    def signal(self, *numbers: int) -> None:
        for number in numbers:
            self._popen.send_signal(number)

    def wait(self) -> int:
        """Wait for the end; returns the exit code."""
        return self._popen.wait(PATIENCE_SECS)

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait()


@pytest.fixture
def start_process(tmp_path: Path, domain: int) -> Iterator[Callable[..., Process]]:
    """Call with Python's arguments and environment variables; in the test's domain by default."""
    processes: list[Process] = []

    def start(*arguments: str, **env: str) -> Process:
        log = tmp_path / f'process{len(processes)}.log'
        env = {'ROS_DOMAIN_ID': str(domain), **env}
        processes.append(Process(arguments, log, env))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
