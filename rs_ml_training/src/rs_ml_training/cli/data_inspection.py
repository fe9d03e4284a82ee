"""Commands of `rs-ml-data` that inspect, list, split and measure data sets."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError, counted
from rs_ml_perception.core.options import REQUIRED, Options, option
from rs_ml_perception.core.progress import progress

from rs_ml_training.cli.data_command import (
    Commands,
    SourceOptions,
    ToFolder,
    add_command,
    open_source,
    watched,
)
from rs_ml_training.data.output_folder import new_folder, write_file
from rs_ml_training.synth.camera import BASELINE_M, DEPTH_640, DEPTH_848, DEPTH_1280

if TYPE_CHECKING:
    from rs_ml_training.evaluation.noise_plot import MeasuredNoise

LISTS = ('panorama', 'nyu', 'kitti')
# Focal length by width, as devices leave the factory.
D435_FOCAL_PX = {camera.width: camera.fx for camera in (DEPTH_640, DEPTH_848, DEPTH_1280)}


@dataclass(frozen=True, kw_only=True)
class StatsOptions(SourceOptions):
    """Statistics of a data set."""

    limit: int | None = option(
        None, 'samples to look at, evenly spread', none_doc='all', low=1, group='input'
    )
    json_file: Path | None = option(
        None, 'write the numbers into this file', flag='json', group='output'
    )


@dataclass(frozen=True, kw_only=True)
class ListOptions(Options):
    """Lists of a data set."""

    gt_root: Path | None = option(None, 'kitti: folder of the annotated depth')
    valid_share: float = option(0.1, 'panorama: fraction of the scans held out')
    seed: int = option(0, 'panorama: of the draw')
    out: Path = option(REQUIRED, 'a new folder; nyu, kitti: a file')


@dataclass(frozen=True, kw_only=True)
class SplitOptions(ToFolder):
    """A split without a scene on both sides."""

    valid_share: float = option(0.1, 'fraction of the samples held out')
    seed: int = option(0, 'of the draw')
    margin: int = option(0, 'samples left out next to each held-out scene')


@dataclass(frozen=True, kw_only=True)
class NoiseOptions(Options):
    """Noise of depth by range."""

    out: Path | None = option(None, 'figure to write: .png, .svg or .pdf')
    json_file: Path | None = option(None, 'write the numbers into this file', flag='json')
    limit: int = option(100, 'maps of each source to look at', low=1)
    focal_baseline: tuple[str, ...] = option(
        (),
        'disparity at 1 m of a source',
        unit='px',
        none_doc='that of a D435 of its width',
        metavar='NAME=PX_M',
    )


def add_commands(commands: Commands) -> None:
    """Add `stats`, `lists`, `split` and `noise`."""
    add_command(
        commands,
        'stats',
        StatsOptions,
        _stats,
        summary='sizes, colours, depth histogram, classes, boxes',
        example='rs-ml-data stats --data nyu-labelled:/data/nyu_v2 --limit 100',
    )
    lists = add_command(
        commands,
        'lists',
        ListOptions,
        _lists,
        summary='write the lists of a data set from its folders',
        example='rs-ml-data lists panorama /data/scans --out lists',
    )
    lists.add_argument('kind', choices=LISTS, help='panorama: uuid folders to train and valid CSV')
    lists.add_argument('root', type=Path, help='folder of the scans, scenes or days')
    add_command(
        commands,
        'split',
        SplitOptions,
        _split,
        summary='write train.txt and val.txt that share no scene',
        example='rs-ml-data split --data coco:/data/coco --valid-share 0.2 --out lists',
    )
    noise = add_command(
        commands,
        'noise',
        NoiseOptions,
        _noise,
        summary='measure and draw the noise of depth by range',
        example='rs-ml-data noise d435=recording.mcap synth=synth:/data/rooms --out noise.png',
    )
    noise.add_argument(
        'sources',
        nargs='+',
        metavar='NAME=SOURCE',
        help='FORMAT:PATH, a recording, a 16-bit image [mm] or a folder of them; joined if the '
        'name comes again',
    )


def _stats(options: StatsOptions, _: argparse.Namespace) -> None:
    from rs_ml_training.data.statistics import as_text, measure

    with watched(open_source(options), options.limit) as reader:
        result = measure(reader, options.limit)
    print(as_text(result))
    if options.json_file:
        write_file(options.json_file, (json.dumps(result, indent=1) + '\n').encode(), replace=True)


def _lists(options: ListOptions, arguments: argparse.Namespace) -> None:
    root, out = arguments.root, options.out
    if arguments.kind == 'panorama':
        from rs_ml_training.data.pano_csv import write_lists

        train, valid = write_lists(root, out, options.valid_share, options.seed)
        print(f'{out}: train.csv with {train}, valid.csv with {counted(valid, "pair")}')
        return
    from rs_ml_training.data.bts_list import kitti_lines, nyu_lines

    is_kitti = arguments.kind == 'kitti'
    lines = kitti_lines(root, options.gt_root or root) if is_kitti else nyu_lines(root)
    write_file(out, ('\n'.join(lines) + '\n').encode())
    print(f'{out}: {counted(len(lines), "image")}')


def _split(options: SplitOptions, _: argparse.Namespace) -> None:
    from rs_ml_training.data.splits import hold_out_blocks

    reader = open_source(options)
    parts = hold_out_blocks(reader, options.valid_share, options.seed, options.margin)
    with new_folder(options.out) as folder:
        for name, part in zip(('train', 'val'), parts, strict=True):
            names = [part.name(index) for index in range(len(part))]
            (folder / f'{name}.txt').write_text('\n'.join(names) + '\n')
    held_out = counted(len(parts[1]), 'name')
    print(f'{options.out}: train.txt with {len(parts[0])}, val.txt with {held_out}')


def _noise(options: NoiseOptions, arguments: argparse.Namespace) -> None:
    from rs_ml_training.evaluation.noise_plot import draw_noise

    measured = _measured_noise(_named(arguments.sources), options)
    print(_as_text(measured))
    if options.out:
        draw_noise(measured, options.out)
    if options.json_file:
        text = json.dumps(_as_json(measured), indent=1) + '\n'
        write_file(options.json_file, text.encode(), replace=True)


def _measured_noise(
    named: dict[str, list[str]], options: NoiseOptions
) -> dict[str, MeasuredNoise]:
    from rs_ml_training.data.depth_maps import depth_maps
    from rs_ml_training.evaluation.noise_plot import MeasuredNoise
    from rs_ml_training.metrics.noise_curve import noise_curve

    given, measured = _focal_baselines(options.focal_baseline), {}
    for name, sources in named.items():
        found = chain.from_iterable(islice(depth_maps(s), options.limit) for s in sources)
        first, maps = _first(name, found)
        focal_baseline = given.get(name) or _of_width(name, first.shape[1])
        measured[name] = MeasuredNoise(noise_curve(progress(maps)), focal_baseline)
    return measured


def _named(texts: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in texts:
        name, separator, source = text.partition('=')
        if not (name and separator and source):
            raise ConfigError(f'{text!r} is not NAME=SOURCE, as d435=synth:/data/rooms')
        found.setdefault(name, []).append(source)
    return found


def _focal_baselines(texts: Sequence[str]) -> dict[str, float]:
    found = {}
    for name, (text, *further) in _named(texts).items():
        if further:
            raise ConfigError(f'--focal-baseline {name} is given {1 + len(further)} times: once')
        try:
            found[name] = float(text)
        except ValueError:
            found[name] = 0.0
        if not 0 < found[name] < 1e4:
            raise ConfigError(f'--focal-baseline {name}={text}: give pixels times metres, as 21.1')
    return found


def _first(name: str, maps: Iterator[np.ndarray]) -> tuple[np.ndarray, Iterator[np.ndarray]]:
    first = next(maps, None)
    if first is None:
        raise InputError(f'{name} holds no depth')
    return first, chain([first], maps)


def _of_width(name: str, width: int) -> float:
    if width not in D435_FOCAL_PX:
        raise ConfigError(f'{name} is {width} px wide: give --focal-baseline {name}=PX_M')
    return D435_FOCAL_PX[width] * BASELINE_M


def _as_text(measured: dict[str, MeasuredNoise]) -> str:
    lines = [f'{"":24s} {"maps":>5s} {"holes":>7s} {"typical":>9s}  RMS [mm] at range [m]']
    for name, noise in measured.items():
        curve = noise.curve
        typical = curve.typical_subpixel_px(noise.focal_baseline_px_m)
        steps = zip(curve.range_m, curve.rms_m, strict=True)
        shown = '  '.join(f'{1000 * rms:.1f} at {z:.2f}' for z, rms in steps)
        lines.append(
            f'{name:24s} {curve.pictures:5d} {100 * curve.holes:5.1f} % {typical:6.3f} px  {shown}'
        )
    return '\n'.join(lines)


def _as_json(measured: dict[str, MeasuredNoise]) -> dict[str, Any]:
    return {
        name: {
            'maps': noise.curve.pictures,
            'holes': noise.curve.holes,
            'focal_baseline_px_m': noise.focal_baseline_px_m,
            'range_m': noise.curve.range_m.tolist(),
            'rms_m': noise.curve.rms_m.tolist(),
            'subpixel_px': noise.subpixel_px.tolist(),
            'windows': noise.curve.windows.tolist(),
        }
        for name, noise in measured.items()
    }
