"""Inputs of a network: images, folders of them, videos, data sets."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.recordings.videos import VIDEO_SUFFIXES, video_frames, video_info

from rs_ml_training.data import encodings, image_files
from rs_ml_training.data.formats import FORMATS, open_data
from rs_ml_training.data.pairing import natural_key
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

DEPTH_SUFFIXES = ('.png', '.tif', '.tiff', '.npy', '.raw')

ReadPicture = Callable[[Path], Sample]


@dataclass(frozen=True)
class Source:
    """One input of a command.

    Attributes:
        name: of messages and videos made of it.
        samples: yields its samples; reads one at a time.
        count: how many; None: unknown before the end.
        fps: frames per second of a video, None for single images.
        labels: class names by id, where the data set has classes.
    """

    name: str
    samples: Callable[[], Iterator[Sample]]
    count: int | None
    fps: float | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class DepthFiles:
    """How depth files and their infrared images are read.

    Attributes:
        encoding: a name of data.encodings.ENCODINGS.
        infrared: folder with infrared images of the same names; None: `left-7.png` next to
            `res-7.png`, else none.
    """

    encoding: str = 'mm'
    infrared: Path | None = None

    def __call__(self, path: Path) -> Sample:
        depth_m = encodings.read_depth(path, self.encoding)
        file = self._infrared_of(path)
        infrared = None
        if file is not None:
            size = depth_m.shape[1], depth_m.shape[0]
            infrared = image_files.require_size(file, image_files.read_gray(file), size)
        return Sample(path.stem, raw_depth_m=depth_m, infrared=infrared)

    def _infrared_of(self, path: Path) -> Path | None:
        if self.infrared is not None:
            return self.infrared / path.name
        left = path.with_name(path.name.replace('res-', 'left-', 1))
        return left if left != path and left.is_file() else None


def read_color(path: Path) -> Sample:
    """An image as a sample named by its stem."""
    return Sample(path.stem, image=image_files.read_rgb(path))


def open_sources(
    inputs: Sequence[str], read: ReadPicture = read_color, **data_options: Any
) -> list[Source]:
    """Open the inputs of a command.

    Args:
        inputs: paths of images, folders and videos, or FORMAT:PATH.
        read: makes a sample of an image file.
        data_options: of the readers of data sets, as list_file.

    Raises:
        InputError: a path does not exist, is of no known kind, or a folder holds no image.
        ConfigError: a data set has no such option.
    """
    return [source for text in inputs for source in _open(text, read, data_options)]


def is_data(text: str) -> bool:
    """Whether an input is FORMAT:PATH."""
    name, separator, _ = text.partition(':')
    return bool(separator) and name in FORMATS


def reader_source(reader: Reader, name: str) -> Source:
    """A data set as a source."""

    def samples() -> Iterator[Sample]:
        return (reader.read(i) for i in range(len(reader)))

    return Source(name, samples, len(reader), labels=tuple(reader.labels))


def _open(text: str, read: ReadPicture, data_options: Mapping[str, Any]) -> list[Source]:
    if is_data(text):
        return [reader_source(open_data(text, **data_options), text)]
    path = Path(text)
    if not path.exists():
        raise InputError(f'{path} does not exist: give an image, folder, video or FORMAT:PATH')
    if path.is_dir():
        return _folder_sources(path, read)
    if _is_video(path, read):
        return [_video_source(path)]
    if path.suffix.lower() in _suffixes(read):
        return [_files_source(text, [path], read)]
    raise InputError(f'{path} is no input: known are {", ".join(_suffixes(read))} and videos')


def _folder_sources(folder: Path, read: ReadPicture) -> list[Source]:
    """The images of a folder; of one without images every video."""
    entries = sorted(folder.iterdir(), key=lambda p: natural_key(p.name))
    found = [p for p in entries if p.suffix.lower() in _suffixes(read)]
    if isinstance(read, DepthFiles) and any(p.name.startswith('res-') for p in found):
        found = [p for p in found if p.name.startswith('res-')]
    if found:
        return [_files_source(str(folder), found, read)]
    videos = [p for p in entries if _is_video(p, read)]
    if not videos:
        raise InputError(f'{folder} holds no file of {", ".join(_suffixes(read))} and no video')
    return [_video_source(path) for path in videos]


def _is_video(path: Path, read: ReadPicture) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES and not isinstance(read, DepthFiles)


def _suffixes(read: ReadPicture) -> tuple[str, ...]:
    return DEPTH_SUFFIXES if isinstance(read, DepthFiles) else image_files.SUFFIXES


def _files_source(name: str, paths: Sequence[Path], read: ReadPicture) -> Source:
    return Source(name, lambda: (read(path) for path in paths), len(paths))


def _video_source(path: Path) -> Source:
    info = video_info(path)
    return Source(str(path), lambda: _frames(path), info.frame_count, info.fps or 30.0)


def _frames(path: Path) -> Iterator[Sample]:
    for index, frame in enumerate(video_frames(path)):
        yield Sample(f'{path.stem}_{index:06d}', image=frame.rgb)


def limited(source: Source, count: int) -> Source:
    """The first samples of a source."""
    known = count if source.count is None else min(count, source.count)
    return replace(source, samples=lambda: itertools.islice(source.samples(), count), count=known)


def completed(source: Source, complete: Callable[[Sample], Sample]) -> Source:
    """The source with something added to every sample, as the camera they have in common."""
    return replace(source, samples=lambda: (complete(sample) for sample in source.samples()))
