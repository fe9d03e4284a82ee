"""Synthetic frames as data sets: options, exposures of each room, and the files of each layout."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from rs_ml_training.data.indoor_classes import INDOOR_LABELS
from rs_ml_training.data.output_folder import new_folder
from rs_ml_training.data.text_files import (
    pinhole_values,
    write_camera,
    write_license,
    write_scenes,
)
from rs_ml_training.synth.camera import Rig, d435
from rs_ml_training.synth.frame import BOXED_CLASSES, SynthFrame
from rs_ml_training.synth.options import Side
from rs_ml_training.synth.truth import truth_record

if TYPE_CHECKING:
    from rs_ml_training.synth.world import World


from dataclasses import dataclass

import cv2
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.options import Options, option

from rs_ml_training.data.encodings import encode
from rs_ml_training.data.output_folder import Png, write_png

INTEL, NYU, YOLO = LAYOUTS = ('intel', 'nyu', 'yolo')
SIDES = tuple(side.value for side in Side)
ANYBODY, UPRIGHT = PEOPLE = ('any', 'upright')
_SMALLEST_PX = 16

FEWEST_PIXELS = 100
"""Things of which less is to be seen carry no box."""

_JPEG_QUALITY = 95

_EFFORT = {
    (INTEL, 'left'): Png.NOISY,
    (INTEL, 'right'): Png.NOISY,
    (INTEL, 'res'): Png.NOISY,
    (INTEL, 'gt'): Png.SMOOTH,
    (NYU, 'rgb'): Png.NOISY,
    (NYU, 'raw'): Png.NOISY,
    (NYU, 'depth'): Png.SMOOTH,
    (NYU, 'gt'): Png.SMOOTH,
}

LICENSE = 'Synthetic rooms of rs_ml_training: Apache-2.0'

Spread = Callable[[Callable[[int], Any], Iterable[int]], Iterable[Any]]


@dataclass(frozen=True)
class SetOptions(Options):
    """Which rooms, seen how, in which layouts.

    Attributes:
        seed: room N, from 1, is drawn from seed + N for any count.
        side: the test side draws from rooms and matchers that training never sees.
        repeats: the same view, other noise.
        people: 'upright': all stand or walk, and one of them is in full view.
    """

    count: int = option(100, 'rooms; with --bag: frames', low=1)
    seed: int = option(0, 'of the rooms', low=0)
    side: str = option('train', 'train or test, without common content', choices=SIDES)
    size: tuple[int, int] = option(
        (848, 480), 'of depth and infrared', low=_SMALLEST_PX, metavar='WIDTHxHEIGHT'
    )
    color_size: tuple[int, int] = option(
        (640, 480), 'of colour', low=_SMALLEST_PX, metavar='WIDTHxHEIGHT'
    )
    repeats: int = option(1, 'exposures of each room', low=1)
    layouts: tuple[str, ...] = option(LAYOUTS, 'to write', choices=LAYOUTS)
    people: str = option(
        ANYBODY, 'upright: all stand or walk, one is in full view', choices=PEOPLE
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.layouts:
            raise ConfigError(f'layouts are missing: give some of {", ".join(LAYOUTS)}')

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.count * self.repeats

    def room_seed(self, room: int) -> int:
        """The seed of room N, counted from 1."""
        return self.seed + room

    def frame_name(self, room: int, exposure: int) -> str:
        """Name of exposure K, from 0, of room N, from 1; frames are numbered through from 1."""
        return str((room - 1) * self.repeats + exposure + 1)


def write_frame(frame: SynthFrame, folder: Path, name: str, layouts: tuple[str, ...]) -> None:
    """Write a frame into the folders of its layouts.

    Raises:
        OSError: a file cannot be written.
    """
    for layout in layouts:
        _WRITERS[layout](frame, folder / layout, name)


def _write_intel(frame: SynthFrame, folder: Path, name: str) -> None:
    maps = {
        'res': encode(frame.raw_depth_m, 'mm'),
        'gt': encode(frame.depth_m, 'mm'),
        'left': frame.left,
        'right': frame.right,
    }
    for kind, array in maps.items():
        write_png(folder / f'{kind}-{name}.png', array, _EFFORT[INTEL, kind])


def _write_nyu(frame: SynthFrame, folder: Path, name: str) -> None:
    maps = {
        'rgb': frame.color,
        'depth': encode(frame.color_depth_m, 'mm'),
        'raw': encode(frame.aligned_depth_m, 'mm'),
        'gt': frame.labels,
    }
    for kind, array in maps.items():
        write_png(folder / kind / f'{name}.png', array, _EFFORT[NYU, kind])


def _write_yolo(frame: SynthFrame, folder: Path, name: str) -> None:
    """A line 'class x_center y_center width height' in fractions of the image for each box."""
    height, width = frame.color.shape[:2]
    seen = frame.boxes.pixels >= FEWEST_PIXELS
    shares = frame.boxes.boxes_px[seen] / np.array([width, height, width, height])
    centers, sides = (shares[:, :2] + shares[:, 2:]) / 2, shares[:, 2:] - shares[:, :2]
    rows = zip(frame.boxes.class_ids[seen], centers, sides, strict=True)
    lines = [f'{c} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n' for c, (x, y), (w, h) in rows]
    _write(folder / 'labels' / f'{name}.txt', ''.join(lines).encode())
    _write(folder / 'images' / f'{name}.jpg', _jpeg(frame.color))


def _jpeg(rgb: np.ndarray) -> bytes:
    flags = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    return cv2.imencode('.jpg', cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), flags)[1].tobytes()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


_WRITERS: dict[str, Callable[[SynthFrame, Path, str], None]] = {
    INTEL: _write_intel,
    NYU: _write_nyu,
    YOLO: _write_yolo,
}


def exposures(options: SetOptions, room: int) -> Iterator[SynthFrame]:
    """Each exposure of a room: one view, different noise.

    Args:
        options: of the data set.
        room: number of the room, from 1.
    """
    from rs_ml_training.synth.exposure import expose

    seed = options.room_seed(room)
    world = _world(options, seed)
    rig = d435(options.size, options.color_size)
    for exposure in range(options.repeats):
        yield expose(world, world.pose, rig, np.random.default_rng([seed, exposure]))


def _world(options: SetOptions, seed: int) -> World:
    from rs_ml_training.synth.options import WorldOptions
    from rs_ml_training.synth.world import draw_world
    from rs_ml_training.synth.writing.upright import upright_world

    side = Side(options.side)
    if options.people == UPRIGHT:
        return upright_world(seed, side)
    return draw_world(seed, WorldOptions(side=side))


Expose = Callable[[SetOptions, int], Iterable[SynthFrame]]
"""From options and the number of a room to its frames."""


def write_frame_set(
    out: Path,
    options: SetOptions,
    *,
    expose: Expose = exposures,
    spread: Spread = map,
) -> None:
    """Write rooms; the same options give the same bytes for any number of workers.

    Each layout has its own folder with camera, classes, `scenes.csv` and licence:

    - `intel/`: `res-N` (matched), `gt-N` (exact), `left-N`, `right-N` PNG, left imager;
    - `nyu/`: `rgb/N`, `depth/N` (exact), `raw/N` (matched, registered), `gt/N` (class ids);
    - `yolo/`: `images/N.jpg`, `labels/N.txt`, `classes.yaml`.

    Depth is 16-bit millimetres. `heights.json` holds people, tilt and accelerometer of every
    frame (see `truth_record`), `synth.yaml` the options and the rig.

    Args:
        out: a new folder.
        options: see there.
        expose: makes the frames of a room.
        spread: applies a function to the numbers of the rooms and gives the results in order,
            maybe in several processes.

    Raises:
        ConfigError: `out` holds files.
        InputError: the disk is full; nothing is left behind.
    """
    with new_folder(out) as folder:
        write = partial(_write_room, folder, options, expose)
        finished = spread(write, range(1, options.count + 1))
        records = [record for room in finished for record in room]
        _write_tables(folder, options, records)


def _write_room(
    folder: Path, options: SetOptions, expose: Expose, room: int
) -> list[dict[str, Any]]:
    records = []
    for exposure, frame in enumerate(expose(options, room)):
        name = options.frame_name(room, exposure)
        write_frame(frame, folder, name, options.layouts)
        records.append(truth_record(frame, name))
    return records


def _write_tables(folder: Path, options: SetOptions, records: list[dict[str, Any]]) -> None:
    rig = d435(options.size, options.color_size)
    scenes = {record['image']: record['scene'] for record in records}
    cameras = {INTEL: rig.depth, NYU: rig.color, YOLO: rig.color}
    for layout in options.layouts:
        write_camera(cameras[layout], folder / layout)
        write_scenes(scenes, folder / layout)
        write_license(LICENSE, folder / layout)
    if NYU in options.layouts:
        (folder / NYU / 'labels.txt').write_text('\n'.join(INDOOR_LABELS) + '\n')
    if YOLO in options.layouts:
        names = {'names': dict(enumerate(BOXED_CLASSES))}
        (folder / YOLO / 'classes.yaml').write_text(yaml.safe_dump(names, sort_keys=False))
    write_license(LICENSE, folder)
    write_scenes(scenes, folder)
    lines = ',\n'.join(json.dumps(record) for record in records)
    (folder / 'heights.json').write_text(f'[\n{lines}\n]\n')
    described = {'options': _plain(options), 'rig': _rig_values(rig)}
    (folder / 'synth.yaml').write_text(yaml.safe_dump(described, sort_keys=False))


def _plain(options: SetOptions) -> dict[str, Any]:
    values = dataclasses.asdict(options)
    return {n: list(v) if isinstance(v, tuple) else v for n, v in values.items()}


def _rig_values(rig: Rig) -> dict[str, Any]:
    return {
        'depth': pinhole_values(rig.depth),
        'color': pinhole_values(rig.color),
        'baseline_m': rig.baseline_m,
        'projector_m': rig.projector_m,
        'color_from_depth': _matrix(rig.color_from_depth),
    }


def _matrix(transform: RigidTransform) -> list[list[float]]:
    """The rows of the homogeneous matrix."""
    rows = np.column_stack([transform.rotation, transform.translation_m])
    return [*rows.tolist(), [0.0, 0.0, 0.0, 1.0]]
