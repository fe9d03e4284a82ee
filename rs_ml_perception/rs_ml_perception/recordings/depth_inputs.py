"""Whatever a user names as depth to work on, as a stream of frames of depth alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frame import Frame
from rs_ml_perception.recordings.depth_frames import depth_frames
from rs_ml_perception.recordings.frames import OnRejected
from rs_ml_perception.recordings.inputs import InputImage, Source, with_unique_stems
from rs_ml_perception.recordings.open_recording import is_recording, open_recording
from rs_ml_perception.recordings.pictures import read_depth, read_gray

DEPTH_SUFFIXES = ('.png', '.tif', '.tiff')
MILLIMETRE = 0.001
KINDS = (
    'a depth picture, a folder of them, a folder of res-N.png and left-N.png, a recording, '
    'or realsense[:SERIAL]'
)

_RAW, _LEFT = re.compile(r'res-(.+)'), 'left-{}'


@dataclass(frozen=True)
class DepthPictures:
    """How depth pictures are read.

    Attributes:
        metres_per_unit: distance of a value of 1.
        infrared: folder with the left infrared pictures `<stem>.png`; None: only those that lie
            beside the depth in Intel's layout, left-N beside res-N.
        is_infrared_used: False: no infrared picture is looked for.
    """

    metres_per_unit: float = MILLIMETRE
    infrared: Path | None = None
    is_infrared_used: bool = True

    def read(self, path: Path) -> Frame:
        """The frame of one depth picture.

        Raises:
            InputError: no depth, or the infrared picture is missing or damaged.
        """
        depth = read_depth(path, metres_per_unit=self.metres_per_unit)
        if self.metres_per_unit == MILLIMETRE and 0 < depth.values.max(initial=0) <= 255:
            raise InputError(
                f'{path} is no depth in millimetres: nothing in it is farther than 255; '
                'pass --depth-unit METRES if it is in another unit'
            )
        return Frame(depth=depth, infrared=self._infrared(path))

    def _infrared(self, path: Path) -> np.ndarray | None:
        if not self.is_infrared_used:
            return None
        number = _RAW.fullmatch(path.stem)
        if self.infrared is None:
            beside = path.with_name(_LEFT.format(number[1]) + path.suffix) if number else None
            return read_gray(beside) if beside is not None and beside.is_file() else None
        stems = [path.stem, *([_LEFT.format(number[1])] if number else [])]
        for stem in stems:
            if (self.infrared / f'{stem}.png').is_file():
                return read_gray(self.infrared / f'{stem}.png')
        raise InputError(f'{self.infrared} holds no infrared picture {stems[0]}.png')


def resolve_depth_inputs(texts: Sequence[str]) -> list[Source]:
    """Find out what each input is, before anything expensive is loaded.

    Raises:
        InputError: one does not exist or is none of KINDS.
    """
    sources = [source for text in texts for source in _resolve(text)]
    if not sources:
        raise InputError(f'no input: pass {KINDS}')
    return with_unique_stems(sources)


def read_depth_inputs(
    sources: Sequence[Source], *, on_rejected: OnRejected, pictures: DepthPictures
) -> Iterator[InputImage]:
    """Yield the frames of the inputs one after the other.

    Args:
        sources: from `resolve_depth_inputs`.
        on_rejected: gets the name and the reason of what cannot be used; the others go on.
        pictures: how single pictures are read.
    """
    for source in sources:
        try:
            if source.picture is not None:
                frame = pictures.read(source.picture)
                yield InputImage(source.picture.name, source.stem, frame)
                continue
            for number, frame in enumerate(source.frames(on_rejected)):
                stem = f'{source.stem}_{number:06d}'
                yield InputImage(stem, stem, frame)
        except InputError as error:
            on_rejected(source.picture.name if source.picture else source.stem, error)


def _resolve(text: str) -> list[Source]:
    if re.fullmatch(r'realsense(:.*)?', text):
        serial = text.partition(':')[2]
        return [Source('realsense', frames=lambda _: _camera_frames(serial), brings_depth=True)]
    path = Path(text)
    if not path.exists():
        raise InputError(f'{text} does not exist: pass {KINDS}')
    if is_recording(path):
        open_recording(path).close()
        return [Source(path.stem, frames=lambda r: _recorded(path, r), brings_depth=True)]
    if path.is_dir():
        return _folder(path)
    if path.suffix.lower() in DEPTH_SUFFIXES:
        return [Source(path.stem, picture=path)]
    raise InputError(f'{text} is no known kind of file: pass {KINDS}')


def _folder(path: Path) -> list[Source]:
    """Of Intel's layout only res-N, else every picture that may hold depth."""
    pictures = sorted(p for p in path.iterdir() if p.suffix.lower() in DEPTH_SUFFIXES)
    if not pictures:
        raise InputError(f'folder {path} holds no depth pictures ({", ".join(DEPTH_SUFFIXES)})')
    raw = [picture for picture in pictures if _RAW.fullmatch(picture.stem)]
    return [Source(picture.stem, picture=picture) for picture in raw or pictures]


def _recorded(path: Path, on_rejected: OnRejected) -> Iterator[Frame]:
    with open_recording(path) as recording:
        yield from depth_frames(recording, on_rejected=on_rejected)


def _camera_frames(serial: str) -> Iterator[Frame]:
    from rs_ml_perception.recordings.realsense_camera import depth_camera_frames

    return depth_camera_frames(serial)
