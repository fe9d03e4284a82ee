"""What a user names as input: found out before anything is read, then read one after the other."""

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
class InputSource:
    """One input, looked at but not read.

    Attributes:
        stem: of its results, numbered unless it is a single picture.
        picture: the file of a single picture.
        frames: opens anything else.
        brings_depth: whether it may hold depth.
        notes: what a user should know before it is read.
    """

    stem: str
    picture: Path | None = None
    frames: Callable[[OnRejected], Iterator[Frame]] | None = None
    brings_depth: bool = False
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called when it is rejected."""
        return self.picture.name if self.picture else self.stem


@dataclass(frozen=True)
class InputKinds:
    """What a user may name.

    Attributes:
        names: of the kinds, for messages.
        recorded: frames of an open recording; takes `on_rejected` too.
        camera: frames of the RealSense camera with a serial number, '' for any.
        folder: the pictures of a folder; InputError where there are none.
        file: what a file is that is no recording; None: of no known kind.
        no_file: what else a text may be that is no path; None: nothing.
    """

    names: str
    recorded: Callable[..., Iterator[Frame]]
    camera: Callable[[str], Iterator[Frame]]
    folder: Callable[[Path], Sequence[Path]]
    file: Callable[[Path], InputSource | None]
    no_file: Callable[[str], InputSource | None] = lambda _: None


def resolve(texts: Sequence[str], kinds: InputKinds, camera: str = '') -> list[InputSource]:
    """Find out what each input is, before anything expensive is loaded.

    Args:
        texts: what a user named.
        kinds: what may be named.
        camera: namespace of the camera of recordings, see `open_recording`.

    Raises:
        InputError: there is none, or one does not exist or is none of the kinds.
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
        read_picture: the frame of a single picture.
        on_rejected: gets the name and the reason of what cannot be used; the others go on.
        complete: adds to a frame what its source does not know.
    """
    for source in sources:
        try:
            if source.picture is not None:
                frame = complete(read_picture(source.picture))
                yield InputImage(source.name, source.stem, frame)
            frames = source.frames(on_rejected) if source.frames is not None else ()
            for number, frame in enumerate(frames):
                stem = f'{source.stem}_{number:06d}'
                yield InputImage(stem, stem, complete(frame))
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
