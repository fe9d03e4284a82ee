"""The command `rs-ml-data noise`: depth noise over range of data sets, recordings and files."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.output_folder import write_file
from rs_ml_training.synth.camera import BASELINE_M, DEPTH_640, DEPTH_848, DEPTH_1280

# Focal length by width, as devices leave the factory.
D435_FOCAL_PX = {camera.width: camera.fx for camera in (DEPTH_640, DEPTH_848, DEPTH_1280)}


def add_commands(commands: Any) -> None:
    """Add `noise`."""
    sub = commands.add_parser('noise', help='measure and draw the noise of depth by range')
    sub.add_argument(
        'sources',
        nargs='+',
        metavar='NAME=SOURCE',
        help='FORMAT:PATH, a recording, a 16-bit picture [mm] or a folder of them; joined if the '
        'name comes again',
    )
    sub.add_argument('--out', type=Path, help='picture to write: .png, .svg or .pdf')
    sub.add_argument('--json', type=Path, help='write the numbers into this file')
    sub.add_argument('--limit', type=int, default=100, help='maps of each source to look at')
    sub.add_argument(
        '--focal-baseline',
        nargs='+',
        default=(),
        metavar='NAME=PX_M',
        help='disparity at 1 m [px] of a source; not given: that of a D435 of its width',
    )
    sub.set_defaults(run=_noise)


def _noise(arguments: argparse.Namespace) -> int:
    from rs_ml_training.data.depth_maps import depth_maps
    from rs_ml_training.evaluation.noise_plot import MeasuredNoise, draw_noise
    from rs_ml_training.metrics.noise_curve import noise_curve

    if arguments.limit < 1:
        raise ConfigError(f'--limit must be at least 1, got {arguments.limit}')
    given = _focal_baselines(arguments.focal_baseline)
    measured = {}
    for name, sources in _named(arguments.sources).items():
        maps = chain.from_iterable(islice(depth_maps(s), arguments.limit) for s in sources)
        first, maps = _first(name, maps)
        focal_baseline = given.get(name) or _of_width(name, first.shape[1])
        measured[name] = MeasuredNoise(noise_curve(maps), focal_baseline)
    print(_as_text(measured))
    if arguments.out:
        draw_noise(measured, arguments.out)
    if arguments.json:
        text = json.dumps(_as_json(measured), indent=1) + '\n'
        write_file(arguments.json, text.encode(), replace=True)
    return 0


def _named(texts: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in texts:
        name, separator, source = text.partition('=')
        if not (name and separator and source):
            raise ConfigError(f'{text!r} is not NAME=SOURCE, as d435=synth:/data/rooms')
        found.setdefault(name, []).append(source)
    return found


def _focal_baselines(texts: list[str]) -> dict[str, float]:
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


def _as_text(measured: dict[str, Any]) -> str:
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


def _as_json(measured: dict[str, Any]) -> dict[str, Any]:
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
