"""The camera as one process sees it: each topic subscribed, decoded and paired once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from rclpy.node import Node

from rs_ml_perception.core.streams.synchronizer import Synchronizer, SyncOptions
from rs_ml_perception.ros.guards import steady_timer
from rs_ml_perception.ros.input.depth_synchronizer import DepthSynchronizer
from rs_ml_perception.ros.input.detections_synchronizer import (
    DetectionsInput,
    DetectionsSynchronizer,
    LocalDetections,
    TopicDetections,
)
from rs_ml_perception.ros.input.frame_synchronizer import (
    ColorSynchronizer,
    FrameSynchronizer,
    Pending,
)
from rs_ml_perception.ros.input.message_filters_synchronizer import (
    check_synchronizer,
    create_synchronizer,
)
from rs_ml_perception.ros.input.samples import ImageSample
from rs_ml_perception.ros.input.streams import TopicStream
from rs_ml_perception.ros.input.topics import (
    ALIGNED_DEPTH,
    COLOR,
    COLOR_INFO,
    DETECTIONS,
    INFRA,
    RAW_DEPTH,
    RAW_DEPTH_INFO,
    StreamOptions,
    create_stream,
)
from rs_ml_perception.ros.input.transforms import Transforms

A = TypeVar('A', bound=FrameSynchronizer)

TICK_SECS = 0.1
"""Each tick wakes the executor: 0.5 to 1 ms of CPU in a graph of four nodes."""

REFRESH_TICKS = 5

DETECTIONS_DEPTH_HISTORY = 45
"""Depth images kept: detections may come 1.5 s late at 30 Hz (28 MB of 640x480)."""


class CameraHub:
    """Owns the subscriptions of a process; nodes attach to what they need and detach again.

    Attributes:
        transforms: where frames are.
        local_detections: set where a detection node of this process hands its results on.
        inference_threads: for each network of this process; 0: what the backend thinks best.
    """

    def __init__(self, node: Node, static_transforms: tuple[str, ...] = ()) -> None:
        self.transforms = Transforms(node, static_transforms)
        self.local_detections: LocalDetections | None = None
        self.inference_threads = 0
        self._node = node
        self._streams: dict[Hashable, TopicStream | None] = {}
        self._synchronizers: dict[tuple[Hashable, ...], FrameSynchronizer] = {}
        self._ticks = 0
        self._timer = steady_timer(node, TICK_SECS, self._tick)

    @staticmethod
    def check(options: StreamOptions) -> None:
        """Raise ConfigError for options that cannot be had here."""
        check_synchronizer(options.synchronizer)

    def stream(self, role: str, options: StreamOptions) -> TopicStream | None:
        """The stream of an input; None where its message type is not installed."""
        # Nodes that pair in different ways still share their subscriptions.
        key = role, options.reliability, options.image_transport
        if key not in self._streams:
            self._streams[key] = create_stream(self._node, role, options)
        return self._streams[key]

    def color(self, depth_source: str, options: StreamOptions) -> ColorSynchronizer:
        """The source of colour images, paired with depth unless depth_source is 'none'."""
        return self._shared(
            ('color', depth_source, options),
            lambda: ColorSynchronizer(
                self.stream(COLOR, options),
                self._infos(options),
                self._depths(options),
                depth_source,
                _synchronizer_factory(options),
            ),
        )

    def depth(self, depth_source: str, infrared: str, options: StreamOptions) -> DepthSynchronizer:
        """The source of depth images, paired with infrared ones as the mode says."""
        return self._shared(
            ('depth', depth_source, infrared, options),
            lambda: DepthSynchronizer(
                {**self._depths(options), INFRA: self.stream(INFRA, options)},
                self._infos(options),
                depth_source,
                infrared,
                _synchronizer_factory(options),
            ),
        )

    def detections(self, depth_source: str, options: StreamOptions) -> DetectionsSynchronizer:
        """The source of detections with their depth."""
        return self._shared(
            ('detections', depth_source, options),
            lambda: DetectionsSynchronizer(
                self._detections_input(options),
                self.stream(COLOR, options),
                self._infos(options),
                self._depths(options),
                depth_source,
                _synchronizer_factory(
                    options, takes_neighbours=True, capacity=DETECTIONS_DEPTH_HISTORY
                ),
            ),
        )

    def problems(self, topics: Iterable[str]) -> list[str]:
        """Why the topics cannot arrive, one sentence each, in the order of the topics."""
        by_topic = {s.topic: s.problem for s in self._streams.values() if s and s.problem}
        return [by_topic[topic] for topic in topics if topic in by_topic]

    def _shared(self, key: tuple[Hashable, ...], make: Callable[[], A]) -> A:
        """The synchronizer of that key, made when it is asked for first."""
        if key not in self._synchronizers:
            self._synchronizers[key] = make()
        return self._synchronizers[key]

    def _detections_input(self, options: StreamOptions) -> DetectionsInput:
        if self.local_detections is not None:
            return self.local_detections
        # Results are published reliably; only images go by the camera's reliability.
        return TopicDetections(self.stream(DETECTIONS, StreamOptions()))

    def _infos(self, options: StreamOptions) -> dict[str, TopicStream]:
        return {role: self.stream(role, options) for role in (COLOR_INFO, RAW_DEPTH_INFO)}

    def _depths(self, options: StreamOptions) -> dict[str, TopicStream]:
        return {role: self.stream(role, options) for role in (ALIGNED_DEPTH, RAW_DEPTH)}

    def _tick(self) -> None:
        for synchronizer in tuple(self._synchronizers.values()):
            if synchronizer.is_running:
                synchronizer.tick()
        self._ticks += 1
        is_turn = self._ticks % REFRESH_TICKS == 0
        for stream in tuple(self._streams.values()):
            if stream is not None and (is_turn or stream.is_refresh_due):
                stream.refresh()


def _synchronizer_factory(
    options: StreamOptions, **sync_options: Any
) -> Callable[[], Synchronizer[Pending, ImageSample]]:
    """Makes synchronizers of the kind and with the skew that a node asks for."""
    wanted = SyncOptions(max_skew_ns=options.max_skew_ns, **sync_options)
    return lambda: create_synchronizer(options.synchronizer, wanted)
