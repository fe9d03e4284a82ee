"""Images for a data set from a video, a webcam or a RealSense camera."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.registration import register_depth
from rs_ml_perception.recordings.realsense_camera import camera_frames
from rs_ml_perception.recordings.videos import video_frames, webcam_frames

from rs_ml_training.data import geometry
from rs_ml_training.data.encodings import encode
from rs_ml_training.data.output_folder import png_of, write_file
from rs_ml_training.data.sample import Sample
from rs_ml_training.data.text_files import CAMERA_FILE, read_camera, write_camera

REALSENSE = 'realsense'


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
    for index, (time_s, frame) in enumerate(_timed(source)):
        yield Captured(time_s, _sample(str(index), frame))


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
        out: folder; existing files are kept.
        count: stop after so many.
        roi: x, y, width, height of the part that is kept [px].
        chosen: whether a frame is kept; None ends the capture.

    Returns:
        How many were written.

    Raises:
        InputError: a file cannot be written, or the folder holds images of another camera.
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


def _timed(source: str) -> Iterator[tuple[float, Frame]]:
    """Frames with the time of each [s]; OpenCV has none for all webcams."""
    if source.isdigit():
        return ((time.monotonic(), frame) for frame in webcam_frames(int(source)))
    kind, _, device = source.partition(':')
    found = _realsense_frames(device) if kind == REALSENSE else video_frames(Path(source))
    return ((1e-9 * frame.stamp_ns, frame) for frame in found)


def _realsense_frames(device: str) -> Iterator[Frame]:
    """Frames with both colour and depth of a camera, or of a recording of one."""
    if not device.endswith('.bag'):
        yield from camera_frames(device)
        return
    # rosbags is needed by recordings alone.
    from rs_ml_perception.recordings.frames import frames as recorded_frames
    from rs_ml_perception.recordings.open_recording import open_recording

    with open_recording(Path(device)) as recording:
        for frame in recorded_frames(recording):
            if frame.rgb is not None and frame.depth is not None:
                yield frame


def _sample(name: str, frame: Frame) -> Sample:
    """Depth in the pixels of colour; of the lens only the pinhole is kept."""
    depth, camera, extrinsics = frame.depth, frame.camera, frame.color_from_depth
    if depth and camera and frame.depth_camera and extrinsics:
        depth = register_depth(depth, frame.depth_camera, camera, extrinsics)
    return Sample(
        name,
        image=frame.rgb,
        depth_m=None if depth is None else np.nan_to_num(depth.depth_m),
        intrinsics=camera and replace(camera, distortion_model='', distortion=()),
    )


def _next_number(out: Path) -> int:
    taken = [int(p.stem) for p in (out / 'rgb').glob('*.png') if p.stem.isdigit()]
    return max(taken, default=-1) + 1


def _write(sample: Sample, out: Path, number: int) -> None:
    """The colour image last: without it a frame does not count."""
    files = {f'rgb/{number:06}.png': png_of(sample.rgb)}
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
