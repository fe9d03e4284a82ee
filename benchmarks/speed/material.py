"""The frames that every section works on: a recording's, in memory."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.recordings.camera_topics import CameraTopics, camera_topics
from rs_ml_perception.recordings.depth_frames import depth_frames
from rs_ml_perception.recordings.frames import frames
from rs_ml_perception.recordings.messages import IMAGE
from rs_ml_perception.recordings.open_recording import open_recording, shipped_recording
from rs_ml_perception.recordings.recording import Recording

from benchmarks.speed.unpacked import (
    COLOR,
    DEPTH,
    INFO,
    INFRA,
    RAW_DEPTH,
    RAW_INFO,
    Moment,
    aligned,
    unpacked_moments,
)

DATA_VARIABLE = 'RS_ML_TEST_DATA'
MODEL_VARIABLE = 'RS_ML_MODEL_PATH'
BASE = {COLOR, DEPTH, INFO}


def default_recording() -> str:
    """The recording to measure with: a real one where there is one, else the shipped one.

    The models beside the real one are offered to the nodes.

    Raises:
        InputError: there is neither.
    """
    data = os.environ.get(DATA_VARIABLE)
    if not data:
        return str(shipped_recording())
    os.environ.setdefault(MODEL_VARIABLE, str(Path(data) / 'models'))
    return str(Path(data) / 'recordings' / 'nyu_people')


def load_frames(path: str) -> list[Frame]:
    """Every frame of a recording, its depth aligned to colour.

    Raises:
        InputError: there is none with colour.
    """
    with open_recording(path) as recording:
        found = [aligned(frame) for frame in frames(recording) if frame.rgb is not None]
    if not found:
        raise InputError(f'recording {path} holds no colour images to measure with')
    return found


def load_depth_frames(path: str) -> list[Frame]:
    """Every depth image of a recording, with infrared where it has any; none without depth."""
    with open_recording(path) as recording:
        if camera_topics(recording).sensor_depth is None:
            return []
        return list(depth_frames(recording))


def load_moments(path: str) -> list[Moment]:
    """Every moment of a recording at which colour, aligned depth and camera_info share a stamp.

    Where unaligned depth and infrared share it too, they are part of each moment. What is
    compressed or not aligned is unpacked and aligned here.

    Raises:
        InputError: there is none.
    """
    found = _complete(_recorded(path)) or _complete(_unpacked(path))
    if not found:
        raise InputError(
            'the benchmark needs colour with camera_info, and depth that is aligned to it or has '
            f'camera_info and extrinsics of its own, at one moment; {path} lacks that'
        )
    return found


def _complete(moments: list[Moment]) -> list[Moment]:
    """Those that hold most, cut to the same topics; none without colour, depth and camera_info."""
    fullest = max((set(moment) for moment in moments), key=len, default=set())
    for wanted in (fullest, BASE):
        found = [moment for moment in moments if wanted <= set(moment)]
        if found and wanted >= BASE:
            return [{role: moment[role] for role in wanted} for moment in found]
    return []


def _unpacked(path: str) -> list[Moment]:
    with open_recording(path) as recording:
        topics = camera_topics(recording)
    is_own = topics.sensor_depth != topics.depth or not topics.depth_is_aligned
    return unpacked_moments(load_frames(path), load_depth_frames(path) if is_own else [])


def _recorded(path: str) -> list[Moment]:
    """What shares a stamp, as it is; none where that is of no use."""
    by_stamp: dict[int, Moment] = {}
    with open_recording(path) as recording:
        topics = camera_topics(recording)
        roles = _roles(recording, topics)
        if roles:
            roles |= _sensor_roles(recording, topics)
        for message in recording.messages(list(roles)) if roles else ():
            by_stamp.setdefault(message.stamp_ns, {})[roles[message.topic]] = message.data
    return list(by_stamp.values())


def _roles(recording: Recording, topics: CameraTopics) -> dict[str, str]:
    """Topic of the recording -> name relative to the nodes' namespace; {}: not as it is."""
    raw = [name for name in topics.images if recording.topic(name).type == IMAGE]
    if len(raw) < 2 or not topics.depth_is_aligned or not topics.color_info:
        return {}
    return {topics.color: COLOR, topics.depth: DEPTH, topics.color_info: INFO}


def _sensor_roles(recording: Recording, topics: CameraTopics) -> dict[str, str]:
    """The same for unaligned depth beside aligned, where it is not compressed."""
    roles = {topics.sensor_depth: RAW_DEPTH, topics.sensor_depth_info: RAW_INFO}
    images = [name for name in (topics.sensor_depth, topics.infra) if name]
    is_raw = all(recording.topic(name).type == IMAGE for name in images)
    if topics.sensor_depth == topics.depth or not topics.sensor_depth_info or not is_raw:
        return {}
    return roles | ({topics.infra: INFRA} if topics.infra else {})


def restamp(data: bytes, stamp_ns: int) -> bytes:
    """Serialised message that begins with a header, its stamp replaced.

    CDR: 4 bytes of encapsulation, the second of which tells the byte order, then sec and nanosec.
    """
    order = '<' if data[1] & 1 else '>'
    stamp = struct.pack(f'{order}iI', *divmod(stamp_ns, 1_000_000_000))
    return b''.join((data[:4], stamp, data[12:]))


@dataclass(frozen=True)
class Size:
    """Pixels of an image."""

    width: int
    height: int

    def __str__(self) -> str:
        return f'{self.width}x{self.height}'


def resized(frame: Frame, size: Size) -> Frame:
    """The frame as a camera of that resolution would see it; depth by the nearest pixel."""
    pixels = size.width, size.height
    depth = frame.depth
    if depth is not None:
        values = cv2.resize(depth.values, pixels, interpolation=cv2.INTER_NEAREST)
        depth = DepthImage(values, depth.metres_per_unit)
    camera = frame.camera.resized(*pixels) if frame.camera is not None else None
    return replace(frame, rgb=cv2.resize(frame.rgb, pixels), depth=depth, camera=camera)
