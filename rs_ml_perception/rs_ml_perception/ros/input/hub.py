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
)
from rs_ml_perception.ros.input.message_filters_synchronizer import (
    check_synchronizer,
    create_synchronizer,
)
from rs_ml_perception.ros.input.samples import ImageSample, TopicSample
from rs_ml_perception.ros.input.streams import ImageStream, TopicStream
from rs_ml_perception.ros.input.topics import (
    ALIGNED_DEPTH,
    COLOR,
    COLOR_INFO,
    DETECTIONS,
    INFRA,
    RAW_DEPTH,
    RAW_DEPTH_INFO,
    StreamOptions,
    create_extrinsics_stream,
    create_image_stream,
    create_stream,
)
from rs_ml_perception.ros.input.transforms import Transforms

Key = tuple[Hashable, ...]
V = TypeVar('V')

TICK_SECS = 0.1
"""Each tick wakes the executor: 0.5 to 1 ms of CPU in a graph of four nodes."""

REFRESH_TICKS = 5

DETECTIONS_DEPTH_HISTORY = 45
"""Depth images kept: detections may come 1.5 s late at 30 Hz (28 MB of 640x480)."""


class CameraHub:
    """Owns the subscriptions of a process, which its nodes share.

    Attributes:
        transforms: poses of frames.
        extrinsics: stream of the driver's extrinsics, None if its messages are not installed.
        local_detections: set if the process has a detection node and a consumer of its results.
        inference_threads: threads of each network of this process; 0: default of the backend.
    """

    def __init__(self, node: Node, static_transforms: tuple[str, ...] = ()) -> None:
        self.transforms = Transforms(node, static_transforms)
        self.local_detections: LocalDetections | None = None
        self.inference_threads = 0
        self._node = node
        self.extrinsics = create_extrinsics_stream(node)
        self._images: dict[Key, ImageStream] = {}
        self._streams: dict[Key, TopicStream[TopicSample]] = {}
        self._colors: dict[Key, ColorSynchronizer] = {}
        self._depths: dict[Key, DepthSynchronizer] = {}
        self._detections: dict[Key, DetectionsSynchronizer] = {}
        self._ticks = 0
        self._timer = steady_timer(node, TICK_SECS, self._tick)

    @staticmethod
    def check(options: StreamOptions) -> None:
        """Raise ConfigError for options that this installation does not offer."""
        check_synchronizer(options.synchronizer)

    def images(self, role: str, options: StreamOptions) -> ImageStream:
        """The stream of an image input."""
        key = _stream_key(role, options)
        return _shared(self._images, key, lambda: create_image_stream(self._node, role, options))

    def stream(self, role: str, options: StreamOptions) -> TopicStream[TopicSample]:
        """The stream of any other input."""
        key = _stream_key(role, options)
        return _shared(self._streams, key, lambda: create_stream(self._node, role, options))

    def color(self, depth_source: str, options: StreamOptions) -> ColorSynchronizer:
        """The source of colour images, with depth unless depth_source is 'none'."""
        return _shared(
            self._colors,
            (depth_source, options),
            lambda: ColorSynchronizer(
                self.images(COLOR, options),
                self._infos(options),
                self._depth_streams(options),
                depth_source,
                _synchronizer_factory(options),
            ),
        )

    def depth(self, depth_source: str, infrared: str, options: StreamOptions) -> DepthSynchronizer:
        """The source of depth images, with infrared; see `infrared_partner` for its modes."""
        return _shared(
            self._depths,
            (depth_source, infrared, options),
            lambda: DepthSynchronizer(
                {**self._depth_streams(options), INFRA: self.images(INFRA, options)},
                self._infos(options),
                depth_source,
                infrared,
                _synchronizer_factory(options),
            ),
        )

    def detections(self, depth_source: str, options: StreamOptions) -> DetectionsSynchronizer:
        """The source of detections with their depth."""
        return _shared(
            self._detections,
            (depth_source, options),
            lambda: DetectionsSynchronizer(
                self._detections_input(),
                self.images(COLOR, options),
                self._infos(options),
                self._depth_streams(options),
                depth_source,
                _synchronizer_factory(
                    options, takes_neighbours=True, capacity=DETECTIONS_DEPTH_HISTORY
                ),
            ),
        )

    def problems(self, topics: Iterable[str]) -> list[str]:
        """A sentence for each topic that cannot arrive, in the order of the topics."""
        by_topic = {s.topic: s.problem for s in self._all_streams() if s.problem}
        return [by_topic[topic] for topic in topics if topic in by_topic]

    def _detections_input(self) -> DetectionsInput:
        if self.local_detections is not None:
            return self.local_detections
        # Results are published reliably; the parameter is about images.
        return TopicDetections(self.stream(DETECTIONS, StreamOptions()))

    def _infos(self, options: StreamOptions) -> dict[str, TopicStream[TopicSample]]:
        return {role: self.stream(role, options) for role in (COLOR_INFO, RAW_DEPTH_INFO)}

    def _depth_streams(self, options: StreamOptions) -> dict[str, ImageStream]:
        return {role: self.images(role, options) for role in (ALIGNED_DEPTH, RAW_DEPTH)}

    def _all_streams(self) -> list[ImageStream | TopicStream[TopicSample]]:
        extrinsics = [] if self.extrinsics is None else [self.extrinsics]
        return [*self._images.values(), *self._streams.values(), *extrinsics]

    def _tick(self) -> None:
        sources: tuple[FrameSynchronizer[Any], ...] = (
            *self._colors.values(),
            *self._depths.values(),
            *self._detections.values(),
        )
        for source in sources:
            if source.is_running:
                source.tick()
        self._ticks += 1
        is_turn = self._ticks % REFRESH_TICKS == 0
        for polled in self._streams.values():
            polled.poll()
        for stream in self._all_streams():
            if is_turn or stream.is_refresh_due:
                stream.refresh()


def _stream_key(role: str, options: StreamOptions) -> Key:
    """The options of the subscription alone: nodes that pair differently still share it."""
    return role, options.reliability, options.image_transport


def _shared(known: dict[Key, V], key: Key, make: Callable[[], V]) -> V:
    """The value of the key, made at first use."""
    if key not in known:
        known[key] = make()
    return known[key]


def _synchronizer_factory(
    options: StreamOptions, **sync_options: Any
) -> Callable[[], Synchronizer[Any, ImageSample]]:
    """Makes synchronizers of the requested kind and skew."""
    wanted = SyncOptions(max_skew_ns=options.max_skew_ns, **sync_options)
    return lambda: create_synchronizer(options.synchronizer, wanted)
