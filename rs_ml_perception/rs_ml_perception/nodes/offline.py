"""The nodes on a recording without middleware: every frame, in order, reproducibly."""

from __future__ import annotations

import heapq
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.transforms import parse_static_transform
from rs_ml_perception.core.streams.stamps import RateLimit
from rs_ml_perception.nodes.parameter_files import read_parameters
from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.recordings.camera_topics import camera_topics, choose_depth
from rs_ml_perception.recordings.depth_frames import depth_frames
from rs_ml_perception.recordings.frames import frames
from rs_ml_perception.recordings.gravity import RecordedUp
from rs_ml_perception.recordings.message_types import canonical_cdr, one_line
from rs_ml_perception.recordings.recording import Recording
from rs_ml_perception.recordings.writer import RecordingWriter, check_apart, qos_profile
from rs_ml_perception.ros.node import NAMESPACE
from rs_ml_perception.ros.output.outputs import Output, OutputContext, make_messages
from rs_ml_perception.ros.output.result_messages import find_target, label_info
from rs_ml_perception.tasks.blur import BlurOptions, Blurrer

Work = tuple[Frame, Sequence['OfflineNode']]
Shown = Callable[[Iterable[Work], int], Iterable[Work]]
"""Wraps the frames and their number, as a progress bar does."""
LATCHED = qos_profile(latched=True, depth=1)


@dataclass(frozen=True)
class FrameChoice:
    """The frames a node works on: depth or colour images, source and maximum skew of depth."""

    is_depth_primary: bool
    depth_source: str
    max_skew_ns: int


class OfflineNode:
    """Pipeline, parameters and outputs of a node, without ROS.

    Attributes:
        name: of the node.
        parameters: as read from the parameter file.
        pipeline: loaded.
    """

    def __init__(self, name: str, params_file: str, *, with_pictures: bool) -> None:
        node_class = NODES[name].node_class()
        self.name = name
        self.parameters = read_parameters(node_class.parameters_type, name, params_file)
        self.pipeline = node_class.load_pipeline(self.parameters)
        self._outputs = [
            output
            for output in node_class.outputs
            if output.is_enabled(self.parameters)
            and output.msg_type is not CompressedImage
            and (with_pictures or not _is_picture(output))
        ]

        self._rate_limit = RateLimit()

    @property
    def frame_choice(self) -> FrameChoice:
        parameters = self.parameters
        return FrameChoice(
            NODES[self.name].is_depth_primary,
            parameters.depth_source,
            parameters.streams.max_skew_ns,
        )

    def is_too_soon(self, stamp_ns: int) -> bool:
        """Whether max_rate_hz drops the frame."""
        return self._rate_limit.is_too_soon(stamp_ns, self.parameters.max_rate_hz)

    def topics(self) -> Iterator[tuple[str, type]]:
        """(topic, message class) of every output."""
        for output in self._outputs:
            yield f'{NAMESPACE}/{self.name}/{output.topic}', output.message_class()

    def messages(
        self, result: Any, context: OutputContext[Any, Any]
    ) -> tuple[list[tuple[str, Any]], list[str]]:
        """(topic, message) of every output for this frame, and problems of those left out."""
        messages, problems = make_messages(self._outputs, result, context)
        return [(f'{NAMESPACE}/{self.name}/{o.topic}', msg) for o, msg in messages], problems


class OfflineRun:
    """Runs nodes over a recording.

    Attributes:
        counts: (node or topic, 'published' or the problem) -> frames.
        damage: why the recording could not be read to its end, '' if it could.
    """

    def __init__(
        self,
        recording: Recording,
        nodes: Sequence[OfflineNode],
        writer: RecordingWriter,
        blur: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.damage = ''
        self._recording = recording
        self._nodes = nodes
        self._writer = writer
        self._blur = blur
        self._results: dict[str, tuple[int, Any]] = {}
        self._up = RecordedUp(recording, self._on_rejected)

    def run(self, shown: Shown = lambda frames, _: frames) -> None:
        """Process every frame of the recording."""
        for node in self._nodes:
            for topic, message_class in node.topics():
                self._writer.add_topic(topic, _type_name(message_class))
        try:
            for number, (frame, nodes) in enumerate(shown(*self._work())):
                if number == 0:
                    self._announce(frame)
                self._process(frame, nodes)
        except InputError as error:  # results of earlier frames are kept
            self.damage = str(error)

    def _work(self) -> tuple[Iterator[Work], int]:
        """Frames in order of their stamps, each with its nodes, and the number of their images."""
        groups: dict[FrameChoice, list[OfflineNode]] = {}
        for node in self._nodes:
            groups.setdefault(node.frame_choice, []).append(node)
        sources = [
            zip(self._frames(choice, nodes[0].name), itertools.repeat(nodes))
            for choice, nodes in groups.items()
        ]
        count = sum(self._count(choice) for choice in groups)
        return heapq.merge(*sources, key=lambda work: work[0].stamp_ns), count

    def _count(self, choice: FrameChoice) -> int:
        topics = choose_depth(camera_topics(self._recording), choice.depth_source)
        primary = topics.sensor_depth if choice.is_depth_primary else topics.color
        return 0 if primary is None else self._recording.count(primary)

    def _frames(self, choice: FrameChoice, name: str) -> Iterator[Frame]:
        topics = choose_depth(camera_topics(self._recording), choice.depth_source)
        read = depth_frames if choice.is_depth_primary else frames
        if choice.is_depth_primary and topics.sensor_depth is None:
            source = choice.depth_source
            which = '' if source == 'auto' else f', and depth_source is {source}'
            self._on_rejected(name, InputError(f'the recording has no depth images{which}'))
            return iter(())
        return read(
            self._recording,
            topics=topics,
            max_skew_ns=choice.max_skew_ns or None,
            on_rejected=self._on_rejected,
        )

    def _process(self, frame: Frame, nodes: Sequence[OfflineNode]) -> None:
        header = _header(frame)
        try:
            shown = self._shown(frame)
        except InputError as error:
            for node in nodes:
                self._on_rejected(node.name, error)
            return
        for node in nodes:
            if node.is_too_soon(frame.stamp_ns):
                self.counts[node.name, 'superseded: max_rate_hz'] += 1
                continue
            try:
                result = self._result(node, frame)
                self._publish(node, result, shown, header)
            except InputError as error:
                self._on_rejected(node.name, error)
                continue
            except ConfigError:  # the disk is full: later frames would fail as well
                raise
            except Exception as error:  # costs this frame only
                if os.environ.get('RS_ML_DEBUG'):
                    raise
                reason = f'unexpected {type(error).__name__}: {one_line(error)}'
                self.counts[node.name, f'failed: {reason}'] += 1
                continue
            self._results[node.name] = frame.stamp_ns, result
            self.counts[node.name, 'published'] += 1

    def _shown(self, frame: Frame) -> Frame:
        """The frame whose colours may be written; InputError if people cannot be blurred."""
        if self._blur is None or frame.rgb is None:
            return frame
        return replace(frame, rgb=self._blur(frame.rgb))

    def _result(self, node: OfflineNode, frame: Frame) -> Any:
        spec = NODES[node.name]
        if frame.rgb is None and not spec.is_depth_primary:
            raise InputError('this frame has no colour')
        consumed = [self._consumed(source, frame.stamp_ns) for source in spec.consumes]
        if spec.requires_depth and (frame.depth is None or frame.camera is None):
            raise InputError('this frame has no depth')
        if spec.uses_gravity:
            up = self._up.at(frame.frame_id, frame.stamp_ns, node.parameters.gravity_frame)
            frame = replace(frame, up=up)
            if self._up.reading_problem:
                self.counts[node.name, self._up.reading_problem] += 1
        return node.pipeline(frame, *consumed)

    def _consumed(self, source: str, stamp_ns: int) -> Any:
        """The result of another node for the same frame."""
        found_ns, result = self._results.get(source, (None, None))
        if found_ns != stamp_ns:
            raise InputError(f'this frame has no {NODES[source].result}')
        return result

    def _publish(self, node: OfflineNode, result: Any, frame: Frame, header: Header) -> None:
        wanted = node.parameters.target_frame
        target, problem = find_target(self._up.tree.lookup, wanted, frame.frame_id, frame.stamp_ns)
        if problem:
            self.counts[node.name, problem] += 1
        context = OutputContext(
            header=header,
            frame=frame,
            parameters=node.parameters,
            pipeline=node.pipeline,
            target=target,
            labels=node.pipeline.labels,
            model=node.pipeline.title,
        )
        messages, problems = node.messages(result, context)
        for problem in problems:
            self.counts[node.name, problem] += 1
        for topic, msg in messages:
            self._write(topic, frame.stamp_ns, msg)

    def _write(self, topic: str, stamp_ns: int, msg: Any) -> None:
        data = canonical_cdr(serialize_message(msg), _type_name(type(msg)))
        self._writer.write(topic, stamp_ns, data)

    def _announce(self, frame: Frame) -> None:
        """Class names, as the nodes latch them."""
        for node in self._nodes:
            if node.pipeline.labels.names:
                topic = f'{NAMESPACE}/{node.name}/label_info'
                labels, title = node.pipeline.labels, node.pipeline.title
                msg = label_info(labels, header=_header(frame, frame_id=''), model=title)
                self._writer.add_topic(topic, _type_name(type(msg)), qos=[LATCHED])
                self._write(topic, frame.stamp_ns, msg)

    def _on_rejected(self, where: str, error: InputError) -> None:
        self.counts[where, f'rejected: {error}'] += 1


def run_offline(
    recording: Recording,
    names: Sequence[str],
    out: Path,
    *,
    params_file: str = '',
    with_pictures: bool = False,
    overwrite: bool = False,
    blur: BlurOptions | None = None,
    shown: Shown = lambda frames, _: frames,
) -> OfflineRun:
    """Process a recording into another; returns the run with the outcome of the frames.

    Raises:
        ConfigError: an argument or a parameter is wrong, or `out` cannot be written.
        InputError: the recording contains no readable images.
    """
    check_apart(recording.path, out)
    blurrer = Blurrer.load(blur or BlurOptions())
    nodes = [OfflineNode(name, params_file, with_pictures=with_pictures) for name in names]
    # As in a graph, all nodes know the transforms of each.
    for text in (text for node in nodes for text in node.parameters.static_transforms):
        recording.give_static_transform(*parse_static_transform(text))
    try:
        with RecordingWriter(out, overwrite=overwrite) as writer:
            run = OfflineRun(recording, nodes, writer, blurrer)
            run.run(shown)
    finally:
        for node in nodes:
            node.pipeline.close()
        if blurrer is not None:
            blurrer.close()
    return run


def _is_picture(output: Output[Any, Any, Any]) -> bool:
    return output.is_optional and output.msg_type is Image


def _type_name(message_class: type) -> str:
    return f'{message_class.__module__.split(".")[0]}/msg/{message_class.__name__}'


def _header(frame: Frame, frame_id: str | None = None) -> Header:
    sec, nanosec = divmod(frame.stamp_ns, 1_000_000_000)
    stamp = Time(sec=sec, nanosec=nanosec)
    return Header(stamp=stamp, frame_id=frame.frame_id if frame_id is None else frame_id)
