"""Whatever a user names as input, as a stream of frames."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from rs_ml_perception.core.camera import CameraModel
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frame import Frame
from rs_ml_perception.recordings.frames import OnRejected, frames
from rs_ml_perception.recordings.open_recording import is_recording, open_recording
from rs_ml_perception.recordings.pictures import PICTURE_SUFFIXES, read_color, read_depth
from rs_ml_perception.recordings.videos import VIDEO_SUFFIXES, video_frames, webcam_frames

KINDS = (
    'a picture, a folder of pictures, a video, a recording, '
    'the number of a webcam, or realsense[:SERIAL]'
)

_DEPTH_SUFFIXES = ('.png', '.tif', '.tiff')


@dataclass(frozen=True, eq=False)
class InputImage:
    """One frame and what to call its results.

    Attributes:
        name: file name of a picture, else the stem.
        stem: unique among the inputs of one call.
        frame: the frame.
    """

    name: str
    stem: str
    frame: Frame


@dataclass(frozen=True)
class DepthFolder:
    """Depth pictures beside colour pictures, aligned to them.

    Attributes:
        path: folder with `<stem>.png` or `<stem>_depth.png`.
        metres_per_unit: distance of a value of 1.
    """

    path: Path
    metres_per_unit: float = 0.001

    def find(self, stem: str) -> Path:
        """The depth picture of a colour picture.

        Raises:
            InputError: there is none.
        """
        names = [f'{stem}{end}{suffix}' for end in ('', '_depth') for suffix in _DEPTH_SUFFIXES]
        for name in names:
            if (self.path / name).is_file():
                return self.path / name
        raise InputError(f'{self.path} holds no depth for {stem}: expected {names[0]}')


@dataclass(frozen=True)
class Source:
    """One input, looked at but not read.

    Attributes:
        stem: of its results, numbered unless it is a single picture.
        picture: the file of a single picture.
        frames: opens anything else.
        brings_depth: whether it may hold depth.
    """

    stem: str
    picture: Path | None = None
    frames: Callable[[OnRejected], Iterator[Frame]] | None = None
    brings_depth: bool = False


def resolve_inputs(texts: Sequence[str]) -> list[Source]:
    """Find out what each input is, before anything expensive is loaded.

    Raises:
        InputError: one does not exist or is none of KINDS.
    """
    sources = [source for text in texts for source in _resolve(text)]
    if not sources:
        raise InputError(f'no input: pass {KINDS}')
    return with_unique_stems(sources)


def read_inputs(
    sources: Sequence[Source],
    *,
    on_rejected: OnRejected,
    camera: CameraModel | None = None,
    depth_folder: DepthFolder | None = None,
) -> Iterator[InputImage]:
    """Yield the frames of the inputs one after the other.

    Args:
        sources: from `resolve_inputs`.
        on_rejected: gets the name and the reason of what cannot be used; the others go on.
        camera: intrinsics of pictures, videos and webcams, whose size is the pictures' own.
        depth_folder: depth of pictures.
    """
    for source in sources:
        try:
            if source.picture is not None:
                frame = _read_picture(source.picture, camera, depth_folder)
                yield InputImage(source.picture.name, source.stem, frame)
            else:
                yield from _numbered(source, on_rejected, camera)
        except InputError as error:
            on_rejected(source.picture.name if source.picture else source.stem, error)


def _numbered(
    source: Source, on_rejected: OnRejected, camera: CameraModel | None
) -> Iterator[InputImage]:
    for number, frame in enumerate(source.frames(on_rejected)):
        if frame.rgb is not None and frame.camera is None:
            frame = replace(frame, camera=_sized(camera, frame.rgb))
        stem = f'{source.stem}_{number:06d}'
        yield InputImage(stem, stem, frame)


def _read_picture(
    path: Path, camera: CameraModel | None, depth_folder: DepthFolder | None
) -> Frame:
    rgb = read_color(path)
    frame = Frame(rgb=rgb, camera=_sized(camera, rgb))
    if depth_folder is None:
        return frame
    depth_path = depth_folder.find(path.stem)
    depth = read_depth(depth_path, metres_per_unit=depth_folder.metres_per_unit)
    if (depth.height, depth.width) != rgb.shape[:2]:
        raise InputError(
            f'{depth_path} is {depth.width}x{depth.height}, its picture '
            f'{rgb.shape[1]}x{rgb.shape[0]}: depth must be aligned to colour'
        )
    return replace(frame, depth=depth)


def _sized(camera: CameraModel | None, rgb: np.ndarray) -> CameraModel | None:
    """The intrinsics a user gave, with the size of the picture they are for."""
    return camera and replace(camera, width=rgb.shape[1], height=rgb.shape[0])


def _resolve(text: str) -> list[Source]:
    if re.fullmatch(r'realsense(:.*)?', text):
        serial = text.partition(':')[2]
        return [Source('realsense', frames=lambda _: _realsense_frames(serial), brings_depth=True)]
    if re.fullmatch(r'\d+', text) and not Path(text).exists():
        return [Source(f'webcam{text}', frames=lambda _: webcam_frames(int(text)))]
    path = Path(text)
    if not path.exists():
        raise InputError(f'{text} does not exist: pass {KINDS}')
    if is_recording(path):
        open_recording(path).close()
        return [Source(path.stem, frames=partial(_recording_frames, path), brings_depth=True)]
    if path.is_dir():
        return _folder(path)
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return [Source(path.stem, frames=lambda _: video_frames(path))]
    if suffix in PICTURE_SUFFIXES:
        return [Source(path.stem, picture=path)]
    raise InputError(f'{text} is no known kind of file: pass {KINDS}')


def _folder(path: Path) -> list[Source]:
    pictures = sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
    if not pictures:
        raise InputError(f'folder {path} holds no pictures ({", ".join(PICTURE_SUFFIXES)})')
    return [Source(p.stem, picture=p) for p in pictures]


def _recording_frames(path: Path, on_rejected: OnRejected) -> Iterator[Frame]:
    with open_recording(path) as recording:
        yield from frames(recording, on_rejected=on_rejected)


def _realsense_frames(serial: str) -> Iterator[Frame]:
    from rs_ml_perception.recordings.realsense_camera import camera_frames

    return camera_frames(serial)


def with_unique_stems(sources: list[Source]) -> list[Source]:
    """Number stems that come again, so that no result overwrites another."""
    taken: set[str] = set()
    unique = []
    for source in sources:
        stem, number = source.stem, 1
        while stem in taken:
            number += 1
            stem = f'{source.stem}-{number}'
        taken.add(stem)
        unique.append(replace(source, stem=stem))
    return unique
