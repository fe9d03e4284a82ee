"""Depth inputs named by a user as a stream of frames without colour."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.recordings.depth_frames import depth_frames
from rs_ml_perception.recordings.messages import OnRejected
from rs_ml_perception.recordings.pictures import (
    DEPTH_SUFFIXES,
    MILLIMETRE,
    read_depth,
    read_gray,
)
from rs_ml_perception.recordings.realsense_camera import depth_camera_frames
from rs_ml_perception.recordings.sources import (
    InputImage,
    InputKinds,
    InputSource,
    read_sources,
    resolve,
)

_RAW, _LEFT = re.compile(r'res-(.+)'), 'left-{}'


@dataclass(frozen=True)
class DepthImageFiles:
    """Options of depth image files.

    Attributes:
        metres_per_unit: distance of a value of 1; None: see `read_depth`.
        infrared: folder with the left infrared images `<stem>.png`; None: only those next to the
            depth in the layout of Intel, left-N next to res-N.
        is_infrared_used: whether infrared images are used.
    """

    metres_per_unit: float | None = None
    infrared: Path | None = None
    is_infrared_used: bool = True

    def read(self, path: Path) -> Frame:
        """The frame of one depth image.

        Raises:
            InputError: no depth, or the infrared image is missing or damaged.
        """
        depth = read_depth(path, metres_per_unit=self.metres_per_unit)
        is_millimetres = depth.metres_per_unit == MILLIMETRE
        if is_millimetres and 0 < depth.values.max(initial=0) <= 255:
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
            left = path.with_name(_LEFT.format(number[1]) + path.suffix) if number else None
            return read_gray(left) if left is not None and left.is_file() else None
        stems = [path.stem, *([_LEFT.format(number[1])] if number else [])]
        for stem in stems:
            if (self.infrared / f'{stem}.png').is_file():
                return read_gray(self.infrared / f'{stem}.png')
        raise InputError(f'{self.infrared} holds no infrared image {stems[0]}.png')


def resolve_depth_inputs(texts: Sequence[str], camera: str = '') -> list[InputSource]:
    """Resolve each input; see `sources.resolve`."""
    return resolve(texts, _KINDS, camera)


def read_depth_inputs(
    sources: Sequence[InputSource], *, on_rejected: OnRejected, pictures: DepthImageFiles
) -> Iterator[InputImage]:
    """Yield the frames of the inputs one after the other.

    Args:
        sources: from `resolve_depth_inputs`.
        on_rejected: called with name and reason of unusable inputs; the others are still read.
        pictures: options of single images.
    """
    return read_sources(sources, pictures.read, on_rejected=on_rejected)


def _folder(path: Path) -> list[Path]:
    """Only res-N in the layout of Intel, else every image that may contain depth."""
    pictures = sorted(p for p in path.iterdir() if p.suffix.lower() in DEPTH_SUFFIXES)
    if not pictures:
        raise InputError(f'folder {path} holds no depth images ({", ".join(DEPTH_SUFFIXES)})')
    return [picture for picture in pictures if _RAW.fullmatch(picture.stem)] or pictures


def _file(path: Path) -> InputSource | None:
    if path.suffix.lower() not in DEPTH_SUFFIXES:
        return None
    return InputSource(path.stem, picture=path)


_KINDS = InputKinds(
    names='a depth image, a folder of them, a folder of res-N.png and left-N.png, '
    'a recording, or realsense[:SERIAL]',
    recorded=depth_frames,
    camera=depth_camera_frames,
    folder=_folder,
    file=_file,
)
