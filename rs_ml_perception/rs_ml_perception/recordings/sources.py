"""Inputs named by a user: all are resolved before the first is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.recordings.camera_topics import recording_notes
from rs_ml_perception.recordings.messages import OnRejected
from rs_ml_perception.recordings.open_recording import is_recording, open_recording

_REALSENSE = re.compile(r'realsense(?::(.*))?')


@dataclass(frozen=True, eq=False)
class InputImage:
    """One frame and the names of its results.

    Attributes:
        name: file name of an image, else the stem.
        stem: unique among the inputs of one call.
        frame: the frame.
        stream: stem of the video, camera or recording; '' for a single image.
    """

    name: str
    stem: str
    frame: Frame
    stream: str = ''


@dataclass(frozen=True)
class InputSource:
    """One input that is resolved but not read.

    Attributes:
        stem: of its results, numbered unless it is a single image.
        picture: the file of a single image.
        frames: opens anything else.
        brings_depth: whether it may contain depth.
        notes: remarks for the user before it is read.
    """

    stem: str
    picture: Path | None = None
    frames: Callable[[OnRejected], Iterator[Frame]] | None = None
    brings_depth: bool = False
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name in rejections."""
        return self.picture.name if self.picture else self.stem


@dataclass(frozen=True)
class InputKinds:
    """Kinds of inputs that a command accepts.

    Attributes:
        names: of the kinds, for messages.
        recorded: frames of an open recording; has an argument `on_rejected`.
        camera: frames of the RealSense camera with a serial number, '' for any.
        folder: the images of a folder; InputError if there are none.
        file: the source of a file that is not a recording; None: of no known kind.
        no_file: the source of a text that is not a path; None: of no known kind.
    """

    names: str
    recorded: Callable[..., Iterator[Frame]]
    camera: Callable[[str], Iterator[Frame]]
    folder: Callable[[Path], Sequence[Path]]
    file: Callable[[Path], InputSource | None]
    no_file: Callable[[str], InputSource | None] = lambda _: None


def resolve(texts: Sequence[str], kinds: InputKinds, camera: str = '') -> list[InputSource]:
    """Resolve each input before anything expensive is loaded.

    Args:
        texts: inputs named by the user.
        kinds: accepted kinds.
        camera: namespace of the camera of recordings, see `open_recording`.

    Raises:
        InputError: there is none, or one does not exist or is of another kind.
    """
    sources = [source for text in texts for source in _found(text, kinds, camera)]
    if not sources:
        raise InputError(f'no input: pass {kinds.names}')
    if camera and not any(is_recording(Path(text)) for text in texts):
        raise InputError(f'camera {camera} is chosen, and no input is a recording')
    return _with_unique_stems(sources)


def read_sources(
    sources: Sequence[InputSource],
    read_picture: Callable[[Path], Frame],
    *,
    on_rejected: OnRejected,
    complete: Callable[[Frame], Frame] = lambda frame: frame,
) -> Iterator[InputImage]:
    """Yield the frames of the inputs one after the other.

    Args:
        sources: from `resolve`.
        read_picture: the frame of a single image.
        on_rejected: called with name and reason of unusable inputs; the others are still read.
        complete: adds parts of a frame that its source lacks.
    """
    for source in sources:
        try:
            if source.picture is not None:
                frame = complete(read_picture(source.picture))
                yield InputImage(source.name, source.stem, frame)
            frames = source.frames(on_rejected) if source.frames is not None else ()
            for number, frame in enumerate(frames):
                stem = f'{source.stem}_{number:06d}'
                yield InputImage(stem, stem, complete(frame), source.stem)
        except InputError as error:
            on_rejected(source.name, error)


def _found(text: str, kinds: InputKinds, camera: str) -> list[InputSource]:
    realsense = _REALSENSE.fullmatch(text)
    if realsense:
        serial = realsense[1] or ''
        return [InputSource('realsense', frames=lambda _: kinds.camera(serial), brings_depth=True)]
    path = Path(text)
    if not path.exists():
        return [_known(kinds.no_file(text), f'{text} does not exist', kinds)]
    if is_recording(path):
        with open_recording(path, camera) as recording:
            notes = tuple(recording_notes(recording, '--camera'))
        frames = partial(_recorded, path, kinds, camera)
        return [InputSource(path.stem, frames=frames, brings_depth=True, notes=notes)]
    if path.is_dir():
        return [InputSource(picture.stem, picture=picture) for picture in kinds.folder(path)]
    return [_known(kinds.file(path), f'{text} is no known kind of file', kinds)]


def _known(source: InputSource | None, otherwise: str, kinds: InputKinds) -> InputSource:
    if source is None:
        raise InputError(f'{otherwise}: pass {kinds.names}')
    return source


def _recorded(
    path: Path, kinds: InputKinds, camera: str, on_rejected: OnRejected
) -> Iterator[Frame]:
    with open_recording(path, camera) as recording:
        yield from kinds.recorded(recording, on_rejected=on_rejected)


def _with_unique_stems(sources: list[InputSource]) -> list[InputSource]:
    """Number repeated stems, so that no result overwrites another."""
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
