"""Commands of `rs-ml-data` that render the synthetic world and write recordings of a camera."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError, counted
from rs_ml_perception.core.flags import FlagParser, add_flags, from_flags
from rs_ml_perception.core.options import REQUIRED, Options, option, override
from rs_ml_perception.core.progress import progress

from rs_ml_training.cli.data_command import (
    Commands,
    SourceOptions,
    add_command,
    open_source,
    watched,
)
from rs_ml_training.data.bag_writing import BagOptions, write_bag
from rs_ml_training.data.reader import Reader
from rs_ml_training.synth.rematching import RematchOptions, rematch
from rs_ml_training.synth.writing.data_set import SetOptions

_WITH_DENOISED = ('intel-denoise', 'synth')


@dataclass(frozen=True, kw_only=True)
class SynthOptions(Options):
    """Where rendered rooms go."""

    out: Path | None = option(None, 'a new folder: data sets', group='output')
    bag: Path | None = option(None, 'a new folder: one room as a rosbag2', group='output')
    workers: int = option(1, 'processes')


@dataclass(frozen=True, kw_only=True)
class RematchFlags(RematchOptions):
    """Where matched frames go."""

    out: Path = option(REQUIRED, 'a new folder', group='output')


@dataclass(frozen=True, kw_only=True)
class ToBagOptions(SourceOptions):
    """Data of a recording."""

    data: str = override('', doc='in place of FORMAT:PATH')
    denoised: Path | None = option(
        None, 'folder of res_denoised-N.png or N_depth.png [mm]', group='input'
    )
    out: Path = option(REQUIRED, 'a new folder', group='output')


def add_commands(commands: Commands) -> None:
    """Add `synth`, `rematch` and `to-bag`."""
    _add_synth(commands)
    again = add_command(
        commands,
        'rematch',
        RematchFlags,
        _rematch,
        summary='match frames of `synth` again, with other settings',
        example='rs-ml-data rematch rooms/intel --out again --seed 2',
    )
    again.add_argument('source', type=Path, help='folder with left-N, right-N, gt-N, res-N')
    to_bag = add_command(
        commands,
        'to-bag',
        ToBagOptions,
        _to_bag,
        summary="write a rosbag2 on the RealSense driver's topics, to play to the nodes",
        example='rs-ml-data to-bag nyu-labelled:/data/nyu_v2 --out nyu_bag --rate 15',
    )
    to_bag.add_argument('source', nargs='?', metavar='FORMAT:PATH', help='in place of --data')
    add_flags(to_bag, BagOptions, group='recording')


def _add_synth(commands: Commands) -> None:
    from rs_ml_training.synth.writing.recording import RecordingOptions

    sub: FlagParser = commands.add_parser(
        'synth',
        help='render rooms as a stereo depth camera sees them',
        description='Render rooms as a stereo depth camera sees them.',
        example='rs-ml-data synth --out rooms --count 20 --workers 2\n'
        'rs-ml-data synth --bag room_bag --count 300',
    )
    add_flags(sub, SynthOptions, group='options')
    add_flags(sub, SetOptions, group='rooms')
    add_flags(sub, RecordingOptions, group='with --bag')
    sub.set_defaults(run=_synth)


def _synth(arguments: argparse.Namespace) -> None:
    target, options = from_flags(SynthOptions, arguments), from_flags(SetOptions, arguments)
    if target.out is not None and target.bag is None:
        _write_set(target.out, options, target.workers)
    elif target.bag is not None and target.out is None:
        _write_recording(target.bag, options, arguments)
    else:
        raise ConfigError('give one of --out DIR, for data sets, and --bag DIR, for a recording')


def _write_set(out: Path, options: SetOptions, workers: int) -> None:
    from rs_ml_training.synth.writing.data_set import write_frame_set
    from rs_ml_training.synth.writing.processes import spread

    def shown(write: Callable[[int], Any], rooms: Iterable[int]) -> Iterable[Any]:
        return progress(spread(write, rooms, workers), options.count)

    start = time.monotonic()
    write_frame_set(out, options, spread=shown)
    rate = options.frames / (time.monotonic() - start)
    print(
        f'{out}: {counted(options.frames, "frame")} of {counted(options.count, "room")}, '
        f'{rate:.1f} a second'
    )
    print(f'--data synth:{out} or synth-color:{out}')


def _write_recording(out: Path, options: SetOptions, arguments: argparse.Namespace) -> None:
    from rs_ml_training.synth.writing.recording import RecordingOptions, write_recording
    from rs_ml_training.synth.writing.walk import walk

    recording = from_flags(RecordingOptions, arguments)
    frames = walk(options, recording.rate_hz)
    counts = write_recording(progress(frames, options.count), out, recording)
    _print_topics(counts)
    print(f'{out}: {counted(options.count, "frame")} of one room')


def _rematch(options: RematchFlags, arguments: argparse.Namespace) -> None:
    matched = rematch(arguments.source, options.out, options)
    frames = sum(1 for _ in progress(matched, None))
    print(f'{options.out}: {counted(frames, "frame")}; --data synth:{options.out}')


def _to_bag(options: ToBagOptions, arguments: argparse.Namespace) -> None:
    if (arguments.source is None) == (not options.data):
        raise ConfigError('name the data once, as FORMAT:PATH or with --data FORMAT:PATH')
    options = replace(options, data=options.data or arguments.source)
    bag = from_flags(BagOptions, arguments)
    reader = open_source(options)
    bag = replace(bag, denoised_files=_denoised(options, reader))
    with watched(reader) as shown:
        counts = write_bag(shown, options.out, bag)
    _print_topics(counts)
    print(f'{options.out}: {counted(len(reader), "frame")}')


def _denoised(options: ToBagOptions, reader: Reader) -> dict[str, Path]:
    from rs_ml_training.data.stereo_frames import find_denoised, require_denoised

    names = [reader.name(index) for index in range(len(reader))]
    if options.denoised is not None:
        return require_denoised(options.denoised, names)
    kind, _, path = options.data.partition(':')
    return find_denoised(Path(path), names) if kind in _WITH_DENOISED else {}


def _print_topics(counts: dict[str, int]) -> None:
    for topic, count in counts.items():
        print(f'{count:6d} {topic}')
