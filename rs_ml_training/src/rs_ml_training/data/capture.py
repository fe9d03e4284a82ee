"""Pictures for a data set from a video, a webcam or a RealSense camera."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.recordings.realsense_camera import import_pyrealsense2, require_camera

from rs_ml_training.data import geometry
from rs_ml_training.data.encodings import encode
from rs_ml_training.data.output_folder import png_of, write_file
from rs_ml_training.data.sample import Sample
from rs_ml_training.data.text_files import CAMERA_FILE, read_camera, write_camera

REALSENSE = 'realsense'
_WAIT_MS = 5000


@dataclass(frozen=True)
class Captured:
    """A frame and when it was taken.

    Attributes:
        time_s: since some moment [s].
        sample: with an image, maybe depth in its frame and the camera.
    """

    time_s: float
    sample: Sample


def frames(source: str) -> Iterator[Captured]:
    """Frames of a source until it ends.

    Args:
        source: a video file, the number of a webcam, `realsense`, `realsense:SERIAL` or
            `realsense:FILE.bag`.

    Raises:
        InputError: it cannot be opened.
        BackendError: pyrealsense2 is not installed.
    """
    kind, _, device = source.partition(':')
    return realsense_frames(device) if kind == REALSENSE else video_frames(source)


def at_rate(captured: Iterable[Captured], per_second: float) -> Iterator[Captured]:
    """Some of the frames, evenly in time; all of them for a rate of 0."""
    due, start_s = 0, None
    for frame in captured:
        start_s = frame.time_s if start_s is None else start_s
        steps = (frame.time_s - start_s) * per_second + 1e-6
        if not per_second or steps >= due:
            due = int(steps) + 1
            yield frame


def write_captured(
    captured: Iterable[Captured],
    out: Path,
    *,
    count: int | None = None,
    roi: tuple[int, int, int, int] | None = None,
    chosen: Callable[[Sample], bool | None] = lambda _: True,
) -> int:
    """Write `rgb/N.png`, `depth/N.tif` (16-bit millimetres) and the camera; go on numbering.

    A camera has no last frame: Ctrl-C is how its capture ends.

    Args:
        captured: the frames.
        out: folder; what is there is kept.
        count: stop after so many.
        roi: x, y, width, height of the part that is kept [px].
        chosen: whether a frame is kept; None ends the capture.

    Returns:
        How many were written.

    Raises:
        InputError: a file cannot be written, or the folder holds pictures of another camera.
    """
    number, written = _next_number(out), 0
    with suppress(KeyboardInterrupt):  # which is how a capture without a count ends
        for frame in captured:
            sample = geometry.cropped(frame.sample, *roi) if roi else frame.sample
            keep = chosen(sample)
            if keep is None:
                break
            if not keep:
                continue
            _write(sample, out, number + written)
            written += 1
            if written == count:
                break
    return written


def video_frames(source: str) -> Iterator[Captured]:
    """Frames of a video file, or of the webcam with this number.

    Raises:
        InputError: it cannot be opened.
    """
    is_webcam = source.isdigit()
    video = cv2.VideoCapture(int(source) if is_webcam else source)
    if not video.isOpened():
        raise InputError(f'{source} is no video that can be read, nor the number of a webcam')
    try:
        rate = video.get(cv2.CAP_PROP_FPS) or 30.0
        index = 0
        while True:
            found, bgr = video.read()
            if not found:
                return
            time_s = time.monotonic() if is_webcam else index / rate
            image = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            yield Captured(time_s, Sample(str(index), image=image))
            index += 1
    finally:
        video.release()


def realsense_frames(device: str = '') -> Iterator[Captured]:
    """Colour with aligned depth from a RealSense camera or one of its recordings.

    Args:
        device: serial number or .bag file; '': the first camera found.

    Raises:
        BackendError: pyrealsense2 is not installed.
        InputError: no such camera.
    """
    rs = import_pyrealsense2()
    pipeline, config = rs.pipeline(), rs.config()
    is_file = device.endswith('.bag')
    if is_file:
        config.enable_device_from_file(device, repeat_playback=False)
    else:
        require_camera(rs, device)
        if device:
            config.enable_device(device)
        config.enable_stream(rs.stream.color, rs.format.rgb8)
        config.enable_stream(rs.stream.depth, rs.format.z16)
    try:
        profile = pipeline.start(config)
    except RuntimeError as error:
        raise InputError(f'RealSense {device or "camera"} does not start: {error}') from error
    if is_file:
        profile.get_device().as_playback().set_real_time(False)
    try:
        yield from _aligned(rs, pipeline, profile)
    finally:
        pipeline.stop()


def _aligned(rs: Any, pipeline: Any, profile: Any) -> Iterator[Captured]:
    align = rs.align(rs.stream.color)
    unit_m = np.float32(profile.get_device().first_depth_sensor().get_depth_scale())
    camera = profile.get_stream(rs.stream.color).as_video_stream_profile().get_intrinsics()
    intrinsics = CameraModel(
        camera.width, camera.height, camera.fx, camera.fy, camera.ppx, camera.ppy
    )
    while True:
        found, frameset = pipeline.try_wait_for_frames(_WAIT_MS)
        if not found:
            return
        both = align.process(frameset)
        color, depth = both.get_color_frame(), both.get_depth_frame()
        if not color or not depth:
            continue
        # The buffers belong to librealsense and are used again.
        sample = Sample(
            str(color.get_frame_number()),
            image=_rgb(rs, color),
            depth_m=np.array(depth.get_data()) * unit_m,
            intrinsics=intrinsics,
        )
        yield Captured(color.get_timestamp() / 1000, sample)


def _rgb(rs: Any, color: Any) -> np.ndarray:
    array = np.array(color.get_data())
    formats = {rs.format.rgb8: slice(None), rs.format.bgr8: slice(None, None, -1)}
    found = color.get_profile().format()
    if found not in formats:
        raise InputError(f'colour of the recording is {found}, not rgb8 or bgr8')
    return np.ascontiguousarray(array[..., formats[found]])


def _next_number(out: Path) -> int:
    taken = [int(p.stem) for p in (out / 'rgb').glob('*.png') if p.stem.isdigit()]
    return max(taken, default=-1) + 1


def _write(sample: Sample, out: Path, number: int) -> None:
    """The colour picture last: without it a frame does not count."""
    files = {f'rgb/{number:06}.png': png_of(sample.image)}
    if sample.depth_m is not None:
        depth_mm = encode(sample.depth_m, 'mm')
        files = {f'depth/{number:06}.tif': cv2.imencode('.tif', depth_mm)[1].tobytes(), **files}
    try:
        for name in files:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
        before = read_camera(out)
        if sample.intrinsics and before is None and not number:
            write_camera(sample.intrinsics, out)
        elif sample.intrinsics != before:
            raise InputError(
                f'{out / CAMERA_FILE} is not of the camera or the part now captured: '
                'name a new folder'
            )
    except OSError as error:
        raise InputError(f'{out} cannot be written: {error.strerror}') from error
    for name, data in files.items():
        # An interrupted capture may have left depth of this number, but no colours.
        write_file(out / name, data, replace=True)
