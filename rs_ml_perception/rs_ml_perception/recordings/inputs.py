"""Colour inputs named by a user as a stream of frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.depth_frames import depth_frames
from rs_ml_perception.recordings.frames import frames
from rs_ml_perception.recordings.gravity import frames_with_up
from rs_ml_perception.recordings.messages import OnRejected
from rs_ml_perception.recordings.open_recording import is_recording, open_recording
from rs_ml_perception.recordings.pictures import (
    DEPTH_SUFFIXES,
    PICTURE_SUFFIXES,
    read_color,
    read_depth,
)
from rs_ml_perception.recordings.realsense_camera import camera_frames
from rs_ml_perception.recordings.sources import (
    InputImage,
    InputKinds,
    InputSource,
    read_sources,
    resolve,
)
from rs_ml_perception.recordings.videos import VIDEO_SUFFIXES, video_frames, webcam_frames


@dataclass(frozen=True)
class DepthFolder:
    """Depth images of colour images, aligned to them.

    Attributes:
        path: folder with `<stem>.png` or `<stem>_depth.png`.
        metres_per_unit: distance of a value of 1; None: see `read_depth`.
    """

    path: Path
    metres_per_unit: float | None = None

    def find(self, stem: str) -> Path:
        """The depth image of a colour image.

        Raises:
            InputError: there is none.
        """
        names = [f'{stem}{end}{suffix}' for end in ('', '_depth') for suffix in DEPTH_SUFFIXES]
        for name in names:
            if (self.path / name).is_file():
                return self.path / name
        raise InputError(f'{self.path} holds no depth for {stem}: expected {names[0]}')


def resolve_inputs(
    texts: Sequence[str], *, needs_up: bool = False, camera: str = ''
) -> list[InputSource]:
    """Resolve each input; see `sources.resolve`.

    Args:
        texts: inputs named by the user.
        needs_up: whether frames of recordings need the direction of up.
        camera: namespace of the camera of recordings, see `open_recording`.
    """
    kinds = replace(_KINDS, recorded=frames_with_up) if needs_up else _KINDS
    return resolve(texts, kinds, camera)


def read_inputs(
    sources: Sequence[InputSource],
    *,
    on_rejected: OnRejected,
    camera: CameraModel | None = None,
    depth_folder: DepthFolder | None = None,
) -> Iterator[InputImage]:
    """Yield the frames of the inputs one after the other.

    Args:
        sources: from `resolve_inputs`.
        on_rejected: called with name and reason of unusable inputs; the others are still read.
        camera: intrinsics of images, videos and webcams; its size is replaced by theirs.
        depth_folder: depth of images.
    """
    return read_sources(
        sources,
        partial(_read_picture, depth_folder=depth_folder),
        on_rejected=on_rejected,
        complete=partial(_with_camera, camera=camera),
    )


def _read_picture(path: Path, depth_folder: DepthFolder | None) -> Frame:
    rgb = read_color(path)
    if depth_folder is None:
        return Frame(rgb=rgb)
    depth_path = depth_folder.find(path.stem)
    depth = read_depth(depth_path, metres_per_unit=depth_folder.metres_per_unit)
    height, width = rgb.shape[:2]
    if (depth.height, depth.width) != (height, width):
        raise InputError(
            f'{depth_path} is {depth.width}x{depth.height}, its image '
            f'{width}x{height}: depth must be aligned to colour'
        )
    return Frame(rgb=rgb, depth=depth)


def _with_camera(frame: Frame, camera: CameraModel | None) -> Frame:
    """Add the intrinsics given by the user, in the size of the image, to a frame without any."""
    if camera is None or frame.rgb is None or frame.camera is not None:
        return frame
    height, width = frame.rgb.shape[:2]
    return replace(frame, camera=replace(camera, width=width, height=height))


def _folder(path: Path) -> list[Path]:
    pictures = sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
    if not pictures:
        raise InputError(f'folder {path} holds no images ({", ".join(PICTURE_SUFFIXES)})')
    return pictures


def _file(path: Path) -> InputSource | None:
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return InputSource(path.stem, frames=lambda _: video_frames(path))
    return InputSource(path.stem, picture=path) if suffix in PICTURE_SUFFIXES else None


def _webcam(text: str) -> InputSource | None:
    if not text.isdecimal():
        return None
    return InputSource(f'webcam{text}', frames=lambda _: webcam_frames(int(text)))


_KINDS = InputKinds(
    names='an image, a folder of images, a video, a recording, '
    'the number of a webcam, or realsense[:SERIAL]',
    recorded=frames,
    camera=camera_frames,
    folder=_folder,
    file=_file,
    no_file=_webcam,
)


def example_frame(path: Path) -> Frame:
    """The image of a file, or the first colour, depth and infrared images of a recording.

    The images of a recording are of one moment, but not of one view: depth is that of the sensor.

    Raises:
        InputError: the path is neither, or damaged.
    """
    if not is_recording(path):
        return Frame(rgb=read_color(path))
    with open_recording(path) as recording:
        topics = camera_topics(recording)
        color = next(frames(recording), None)
        depth = next(depth_frames(recording), None) if topics.sensor_depth else None
    if color is None:
        raise InputError(f'recording {path} holds no frame: give another, or an image')
    if depth is None:
        return color
    return replace(color, depth=depth.depth, infrared=depth.infrared)
