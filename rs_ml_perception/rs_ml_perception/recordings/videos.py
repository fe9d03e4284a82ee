"""Frames of video files and webcams."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.files import check_regular
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.images.image_files import check_pixels

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mkv', '.mov', '.webm', '.m4v', '.mpg', '.mpeg', '.mjpeg')
_SIZE = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)


@dataclass(frozen=True)
class VideoInfo:
    """The header of a video file.

    Attributes:
        fps: frames per second; None: unknown.
        frame_count: None: unknown.
    """

    fps: float | None
    frame_count: int | None


def video_frames(path: Path) -> Iterator[Frame]:
    """Yield the frames of a video file, stamped by their time in the video.

    Raises:
        InputError: no decoder can read it.
    """
    check_regular(path, max_bytes=sys.maxsize)
    capture = cv2.VideoCapture(str(path))
    try:
        width, height = (int(capture.get(p)) for p in _SIZE)
        if width and height:
            check_pixels(width, height, name=str(path))
        count = 0
        for frame in _read(capture):
            count += 1
            yield frame
        if not count:
            raise _undecodable(path)
    finally:
        capture.release()


def video_info(path: Path) -> VideoInfo:
    """The header of a video file whose first frame can be decoded.

    Raises:
        InputError: no decoder can read it.
    """
    check_regular(path, max_bytes=sys.maxsize)
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.read()[0]:
            raise _undecodable(path)
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        fps = capture.get(cv2.CAP_PROP_FPS)
        return VideoInfo(fps if fps > 0 else None, count if count > 0 else None)
    finally:
        capture.release()


def webcam_frames(index: int) -> Iterator[Frame]:
    """Yield the frames of a local camera until it is unplugged.

    Raises:
        InputError: there is no camera of this index.
    """
    capture = cv2.VideoCapture(index)
    try:
        if not capture.isOpened():
            raise InputError(f'there is no camera {index}: check `ls /dev/video*`')
        yield from _read(capture)
    finally:
        capture.release()


def _undecodable(path: Path) -> InputError:
    return InputError(f'{path} holds no frame that OpenCV can decode: convert it with ffmpeg')


def _read(capture: cv2.VideoCapture) -> Iterator[Frame]:
    while True:
        found, bgr = capture.read()
        if not found:
            return
        stamp_ns = int(1e6 * capture.get(cv2.CAP_PROP_POS_MSEC))  # of the frame just read
        yield Frame(rgb=cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), stamp_ns=max(0, stamp_ns))
