"""Frames as the messages of a driver that compresses nothing and aligns depth to colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.registration import register_depth
from rs_ml_perception.recordings.message_factory import (
    camera_info,
    depth_image,
    header,
    image,
    serialise,
)
from rs_ml_perception.recordings.messages import CAMERA_INFO, IMAGE

COLOR, DEPTH, INFO = 'color/image_raw', 'aligned_depth_to_color/image_raw', 'color/camera_info'
RAW_DEPTH, RAW_INFO, INFRA = 'depth/image_rect_raw', 'depth/camera_info', 'infra1/image_rect_raw'

Moment = dict[str, bytes]
"""What the driver publishes at one moment: relative topic -> serialised message."""


def aligned(frame: Frame) -> Frame:
    """The frame with its depth, if any, in the pixels of colour."""
    if frame.depth is None or frame.depth_is_aligned:
        return frame
    depth = register_depth(frame.depth, frame.depth_camera, frame.camera, frame.color_from_depth)
    return replace(frame, depth=depth, depth_camera=None, color_from_depth=None)


def unpacked_moments(frames: Iterable[Frame], sensor_frames: Iterable[Frame]) -> list[Moment]:
    """One moment for each frame of colour and aligned depth whose camera is known.

    Args:
        frames: of colour.
        sensor_frames: of depth as the sensor sees it, for the moments that share their stamp.
    """
    sensor = {frame.stamp_ns: _sensor_moment(frame) for frame in sensor_frames if frame.camera}
    return [
        _color_moment(frame) | sensor.get(frame.stamp_ns, {})
        for frame in frames
        if frame.depth is not None and frame.camera is not None
    ]


def _color_moment(frame: Frame) -> Moment:
    head = header(frame.stamp_ns, frame.frame_id)
    return {
        COLOR: _bytes(IMAGE, image(head, 'rgb8', frame.rgb)),
        DEPTH: _bytes(IMAGE, depth_image(head, frame.depth)),
        INFO: _bytes(CAMERA_INFO, camera_info(head, frame.camera)),
    }


def _sensor_moment(frame: Frame) -> Moment:
    head = header(frame.stamp_ns, frame.frame_id)
    moment = {
        RAW_DEPTH: _bytes(IMAGE, depth_image(head, frame.depth)),
        RAW_INFO: _bytes(CAMERA_INFO, camera_info(head, frame.camera)),
    }
    if frame.infrared is None:
        return moment
    return moment | {INFRA: _bytes(IMAGE, image(head, 'mono8', frame.infrared))}


def _bytes(kind: str, content: Any) -> bytes:
    return serialise('', kind, 0, content).data
