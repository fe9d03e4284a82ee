"""One frame with all that a picture or a recording holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.depth_frames import depth_frames
from rs_ml_perception.recordings.frames import frames
from rs_ml_perception.recordings.open_recording import is_recording, open_recording
from rs_ml_perception.recordings.pictures import read_color


def example_frame(path: Path) -> Frame:
    """The picture of a file, or the first colour, depth and infrared images of a recording.

    The images of a recording are those of one moment, not of one view: depth is as the sensor sees
    it.

    Raises:
        InputError: it is neither, or damaged.
    """
    if not is_recording(path):
        return Frame(rgb=read_color(path))
    with open_recording(path) as recording:
        topics = camera_topics(recording)
        color = next(frames(recording), None)
        depth = next(depth_frames(recording), None) if topics.sensor_depth else None
    if color is None:
        raise InputError(f'recording {path} holds no frame: give another, or a picture')
    if depth is None:
        return color
    return replace(color, depth=depth.depth, infrared=depth.infrared)
