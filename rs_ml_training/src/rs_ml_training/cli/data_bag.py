"""The command `rs-ml-data to-bag`: a data set as the recording of a camera."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.cli.data_source import add_source, reader_of
from rs_ml_training.data.reader import Reader

_WITH_DENOISED = ('intel-denoise', 'synth')


def add_commands(commands: Any) -> None:
    """Add `to-bag`."""
    sub = commands.add_parser(
        'to-bag', help="write a rosbag2 on the RealSense driver's topics, to play to the nodes"
    )
    sub.add_argument('source', nargs='?', metavar='FORMAT:PATH', help='in place of --data')
    add_source(sub, required=False)
    sub.add_argument('--out', type=Path, required=True, help='a new folder')
    sub.add_argument('--rate', type=float, default=30.0, help='frames a second')
    sub.add_argument('--camera', default='camera/camera', help='namespace of the topics')
    sub.add_argument('--storage', default='mcap', help='mcap or sqlite3')
    sub.add_argument(
        '--intrinsics', type=pinhole, metavar='FX,FY,CX,CY', help='of all pictures [px]'
    )
    sub.add_argument(
        '--denoised', type=Path, help='folder of res_denoised-N.png or N_depth.png [mm]'
    )
    sub.add_argument('--force', action='store_true', help='replace a recording')
    sub.set_defaults(run=_to_bag)


def pinhole(text: str) -> tuple[float, ...]:
    """(fx, fy, cx, cy) [px] of 'FX,FY,CX,CY'."""
    try:
        numbers = tuple(float(part) for part in text.split(','))
    except ValueError:
        numbers = ()
    is_camera = len(numbers) == 4 and all(map(math.isfinite, numbers)) and min(numbers[:2]) > 0
    if not is_camera:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not FX,FY,CX,CY, as 425.1,425.1,423.5,239.5'
        )
    return numbers


def _to_bag(arguments: argparse.Namespace) -> int:
    try:
        from rs_ml_training.data.bag_writing import BagOptions, write_bag
    except ModuleNotFoundError as error:
        raise ConfigError(f'{error}: pip install rosbags') from error
    _take_source(arguments)
    reader, out = reader_of(arguments), arguments.out
    options = BagOptions(
        rate_hz=arguments.rate,
        camera=arguments.camera,
        storage=arguments.storage,
        pinhole_px=arguments.intrinsics,
        denoised=_denoised(arguments, reader),
        replace=arguments.force,
    )
    counts = write_bag(reader, out, options)
    for topic, count in counts.items():
        print(f'{count:6d} {topic}')
    print(f'{out}: {len(reader)} frames')
    return 0


def _take_source(arguments: argparse.Namespace) -> None:
    if (arguments.source is None) == (arguments.data is None):
        raise ConfigError('name the data once, as FORMAT:PATH or with --data FORMAT:PATH')
    arguments.data = arguments.data or arguments.source


def _denoised(arguments: argparse.Namespace, reader: Reader) -> dict[str, Path]:
    from rs_ml_training.data.intel_denoise import find_denoised, require_denoised

    names = [reader.name(index) for index in range(len(reader))]
    if arguments.denoised is not None:
        return require_denoised(arguments.denoised, names)
    kind, _, path = arguments.data.partition(':')
    return find_denoised(Path(path), names) if kind in _WITH_DENOISED else {}
