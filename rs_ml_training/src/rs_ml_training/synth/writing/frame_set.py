"""A data set of synthetic frames, written by several processes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from rs_ml_training.data.indoor_classes import INDOOR_LABELS
from rs_ml_training.data.output_folder import new_folder
from rs_ml_training.data.text_files import (
    pinhole_values,
    write_camera,
    write_license,
    write_scenes,
)
from rs_ml_training.synth.frame import BOXED_CLASSES, SynthFrame
from rs_ml_training.synth.rig import Rig, d435
from rs_ml_training.synth.writing.exposures import exposures
from rs_ml_training.synth.writing.frame_files import write_frame
from rs_ml_training.synth.writing.set_options import INTEL, NYU, YOLO, SetOptions
from rs_ml_training.synth.writing.truth_record import truth_record

LICENSE = 'Synthetic rooms of rs_ml_training: Apache-2.0'

Expose = Callable[[SetOptions, int], Iterable[SynthFrame]]
"""From options and the number of a room to its frames."""
Spread = Callable[[Callable[[int], Any], Iterable[int]], Iterable[Any]]


def write_frame_set(
    out: Path,
    options: SetOptions,
    *,
    expose: Expose = exposures,
    spread: Spread = map,
) -> None:
    """Write rooms; the same options give the same bytes, however the work is spread.

    Each layout has a folder of its own with its camera, classes, `scenes.csv` and licence:

    - `intel/`: `res-N` (matched), `gt-N` (exact), `left-N`, `right-N` PNG, left imager;
    - `nyu/`: `rgb/N`, `depth/N` (exact), `raw/N` (matched, registered), `gt/N` (class ids);
    - `yolo/`: `images/N.jpg`, `labels/N.txt`, `classes.yaml`.

    Depth is 16-bit millimetres. `heights.json` holds people, tilt and accelerometer of every
    frame (see `truth_record`), `synth.yaml` the options and the rig.

    Args:
        out: a new folder.
        options: see there.
        expose: what makes the frames of a room.
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
        'color_from_depth': rig.color_from_depth.tolist(),
    }
