"""Frames and messages of a recording in memory, as input of every section."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.registration import register_depth
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.recordings.camera_topics import CameraTopics, camera_topics
from rs_ml_perception.recordings.depth_frames import depth_frames
from rs_ml_perception.recordings.frames import frames
from rs_ml_perception.recordings.message_factory import (
    camera_info,
    depth_image,
    header,
    image,
    serialise,
)
from rs_ml_perception.recordings.messages import CAMERA_INFO, IMAGE
from rs_ml_perception.recordings.open_recording import open_recording, shipped_recording
from rs_ml_perception.recordings.recording import Recording

DATA_VARIABLE = 'RS_ML_TEST_DATA'
MODEL_VARIABLE = 'RS_ML_MODEL_PATH'
COLOR, DEPTH, INFO = 'color/image_raw', 'aligned_depth_to_color/image_raw', 'color/camera_info'
RAW_DEPTH, RAW_INFO, INFRA = 'depth/image_rect_raw', 'depth/camera_info', 'infra1/image_rect_raw'
REQUIRED = {COLOR, DEPTH, INFO}

MessageSet = dict[str, bytes]
"""Messages of one stamp: topic relative to the nodes' namespace -> serialised message."""


@dataclass(frozen=True)
class Size:
    """Pixels of an image."""

    width: int
    height: int

    def __str__(self) -> str:
        return f'{self.width}x{self.height}'


def default_recording() -> str:
    """The real recording of the test data if there is one, else the shipped one.

    Models in the folder of the test data become available to the nodes.

    Raises:
        InputError: there is neither.
    """
    data = os.environ.get(DATA_VARIABLE)
    if not data:
        return str(shipped_recording())
    os.environ.setdefault(MODEL_VARIABLE, str(Path(data) / 'models'))
    return str(Path(data) / 'recordings' / 'nyu_people')


def load_frames(path: str) -> list[Frame]:
    """Every frame of a recording with colour, its depth aligned to colour.

    Raises:
        InputError: there is none, or unaligned depth has no camera_info.
    """
    with open_recording(path) as recording:
        found = [_aligned(frame) for frame in frames(recording) if frame.rgb is not None]
    if not found:
        raise InputError(f'recording {path} holds no colour images to measure with')
    return found


def load_depth_frames(path: str) -> list[Frame]:
    """Every unaligned depth image of a recording, with infrared if there is any."""
    with open_recording(path) as recording:
        if camera_topics(recording).sensor_depth is None:
            return []
        return list(depth_frames(recording))


def load_message_sets(path: str) -> list[MessageSet]:
    """Every set of colour, aligned depth and camera_info that share a stamp.

    Unaligned depth and infrared of the same stamp belong to the set. Compressed images are
    decoded, and unaligned depth is aligned.

    Raises:
        InputError: there is none.
    """
    found = _complete(_recorded(path)) or _complete(_converted(path))
    if not found:
        raise InputError(
            'the benchmark needs colour with camera_info, and depth that is aligned to it or has '
            f'camera_info and extrinsics of its own, at one moment; {path} lacks that'
        )
    return found


def depth_of(frame: Frame) -> DepthImage:
    """The depth image.

    Raises:
        InputError: the frame has none.
    """
    if frame.depth is None:
        raise InputError('there is no depth image, only colour')
    return frame.depth


def restamp(data: bytes, stamp_ns: int) -> bytes:
    """A serialised message that begins with a header, with another stamp.

    CDR: 4 bytes of encapsulation, the second of which is the byte order, then sec and nanosec.
    """
    order = '<' if data[1] & 1 else '>'
    stamp = struct.pack(f'{order}iI', *divmod(stamp_ns, 1_000_000_000))
    return b''.join((data[:4], stamp, data[12:]))


def resized(frame: Frame, size: Size) -> Frame:
    """The frame of a camera of that resolution; depth by the nearest pixel."""
    pixels = size.width, size.height
    depth = frame.depth
    if depth is not None:
        values = cv2.resize(depth.values, pixels, interpolation=cv2.INTER_NEAREST)
        depth = DepthImage(values, depth.metres_per_unit)
    camera = frame.camera.resized(*pixels) if frame.camera is not None else None
    rgb = cv2.resize(frame.color_image, pixels)
    return replace(frame, rgb=rgb, depth=depth, camera=camera)


def _complete(sets: list[MessageSet]) -> list[MessageSet]:
    """The largest sets, cut to the same topics; [] if none has all required ones."""
    largest = max((set(messages) for messages in sets), key=len, default=set())
    for topics in (largest, REQUIRED):
        found = [messages for messages in sets if topics <= set(messages)]
        if found and topics >= REQUIRED:
            return [{topic: messages[topic] for topic in topics} for messages in found]
    return []


def _recorded(path: str) -> list[MessageSet]:
    """Recorded messages grouped by stamp; [] if they need conversion."""
    by_stamp: dict[int, MessageSet] = {}
    with open_recording(path) as recording:
        topics = camera_topics(recording)
        names = _published_names(recording, topics)
        if names:
            names |= _sensor_names(recording, topics)
        for message in recording.messages(list(names)) if names else ():
            by_stamp.setdefault(message.stamp_ns, {})[names[message.topic]] = message.data
    return list(by_stamp.values())


def _published_names(recording: Recording, topics: CameraTopics) -> dict[str, str]:
    """Topic of the recording -> name relative to the nodes' namespace; {} if not raw, aligned."""
    color, depth, info = topics.color, topics.depth, topics.color_info
    if not (color and depth and info and topics.depth_is_aligned):
        return {}
    if not _are_raw(recording, color, depth):
        return {}
    return {color: COLOR, depth: DEPTH, info: INFO}


def _sensor_names(recording: Recording, topics: CameraTopics) -> dict[str, str]:
    """The same for uncompressed, unaligned depth."""
    depth, info, infra = topics.sensor_depth, topics.sensor_depth_info, topics.infra
    if not (depth and info) or depth == topics.depth:
        return {}
    names = {depth: RAW_DEPTH, info: RAW_INFO} | ({infra: INFRA} if infra else {})
    images = (depth, infra) if infra else (depth,)
    return names if _are_raw(recording, *images) else {}


def _are_raw(recording: Recording, *names: str) -> bool:
    """Whether the topics are uncompressed images."""
    return all(topic.type == IMAGE for topic in recording.topics if topic.name in names)


def _converted(path: str) -> list[MessageSet]:
    """Sets of decoded and aligned frames, as a driver without compression publishes them."""
    with open_recording(path) as recording:
        topics = camera_topics(recording)
    has_sensor_depth = topics.sensor_depth != topics.depth or not topics.depth_is_aligned
    sensor_frames = load_depth_frames(path) if has_sensor_depth else []
    sensor = {
        frame.stamp_ns: _sensor_messages(frame, frame.camera)
        for frame in sensor_frames
        if frame.camera is not None
    }
    return [
        _color_messages(frame, frame.camera) | sensor.get(frame.stamp_ns, {})
        for frame in load_frames(path)
        if frame.depth is not None and frame.camera is not None
    ]


def _aligned(frame: Frame) -> Frame:
    """The frame with its depth, if any, in the pixels of colour."""
    depth, camera, depth_camera = frame.depth, frame.camera, frame.depth_camera
    color_from_depth = frame.color_from_depth
    if depth is None or color_from_depth is None:
        return frame
    if camera is None or depth_camera is None:
        raise InputError('depth is not aligned to colour, and camera_info to align it is missing')
    depth = register_depth(depth, depth_camera, camera, color_from_depth)
    return replace(frame, depth=depth, depth_camera=None, color_from_depth=None)


def _color_messages(frame: Frame, camera: CameraModel) -> MessageSet:
    head = header(frame.stamp_ns, frame.frame_id)
    return {
        COLOR: _bytes(IMAGE, image(head, 'rgb8', frame.color_image)),
        DEPTH: _bytes(IMAGE, depth_image(head, depth_of(frame))),
        INFO: _bytes(CAMERA_INFO, camera_info(head, camera)),
    }


def _sensor_messages(frame: Frame, camera: CameraModel) -> MessageSet:
    head = header(frame.stamp_ns, frame.frame_id)
    messages = {
        RAW_DEPTH: _bytes(IMAGE, depth_image(head, depth_of(frame))),
        RAW_INFO: _bytes(CAMERA_INFO, camera_info(head, camera)),
    }
    if frame.infrared is None:
        return messages
    return messages | {INFRA: _bytes(IMAGE, image(head, 'mono8', frame.infrared))}


def _bytes(kind: str, content: Any) -> bytes:
    return serialise('', kind, 0, content).data
