"""The command `rs-ml-data synth`: the synthetic world as data sets and recordings."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.recordings.writer import STORAGES

from rs_ml_training.cli.command import progress_bar
from rs_ml_training.cli.flags import size
from rs_ml_training.synth.writing.data_set import LAYOUTS, PEOPLE, SIDES, SetOptions

_SET = SetOptions()


def add_commands(commands: Any) -> None:
    """Add `synth` and `rematch`."""
    sub = commands.add_parser('synth', help='render rooms as a stereo depth camera sees them')
    target = sub.add_mutually_exclusive_group(required=True)
    target.add_argument('--out', type=Path, help='a new folder: data sets')
    target.add_argument('--bag', type=Path, help='a new folder: one room as a rosbag2')
    sub.add_argument('--count', type=int, default=_SET.count, help='rooms; with --bag: frames')
    sub.add_argument('--seed', type=int, default=_SET.seed, help='of the rooms')
    sub.add_argument('--side', default=_SET.side, choices=SIDES, help='they share nothing')
    sub.add_argument('--size', type=size, default=_SET.size, help='of depth, WIDTHxHEIGHT')
    sub.add_argument('--color-size', type=size, default=_SET.color_size, help='of colour')
    _add_set_flags(sub)
    _add_bag_flags(sub)
    sub.set_defaults(run=_synth)
    again = commands.add_parser('rematch', help='match frames of `synth` again, otherwise')
    again.add_argument('source', type=Path, help='folder with left-N, right-N, gt-N, res-N')
    again.add_argument('--out', type=Path, required=True, help='a new folder')
    again.add_argument('--seed', type=int, default=1, help="of the matchers' settings")
    again.add_argument(
        '--rank-share', type=float, default=0.0, help='of frames matched on their rank transform'
    )
    again.set_defaults(run=_rematch)


def _add_set_flags(sub: argparse.ArgumentParser) -> None:
    sub.add_argument('--workers', type=int, default=1, help='processes')
    sub.add_argument('--repeats', type=int, default=_SET.repeats, help='exposures of each room')
    sub.add_argument(
        '--layouts', nargs='+', default=_SET.layouts, choices=LAYOUTS, help='what to write'
    )
    sub.add_argument(
        '--people', default=_SET.people, choices=PEOPLE, help='upright: one in full view, all up'
    )


def _add_bag_flags(sub: argparse.ArgumentParser) -> None:
    sub.add_argument('--rate', type=float, default=15.0, help='--bag: frames a second')
    sub.add_argument('--camera', default='camera/camera', help='--bag: namespace of the topics')
    sub.add_argument('--storage', default='mcap', choices=STORAGES, help='--bag: of the file')
    sub.add_argument(
        '--jpeg', type=int, default=0, metavar='QUALITY', help='--bag: compressed; 0: raw images'
    )
    sub.add_argument(
        '--aligned',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='--bag: registered depth, too',
    )


def _synth(arguments: argparse.Namespace) -> int:
    options = SetOptions(
        count=arguments.count,
        seed=arguments.seed,
        side=arguments.side,
        size=arguments.size,
        color_size=arguments.color_size,
        repeats=arguments.repeats,
        layouts=tuple(arguments.layouts),
        people=arguments.people,
    )
    return _write_bag(arguments, options) if arguments.bag else _write_set(arguments, options)


def _rematch(arguments: argparse.Namespace) -> int:
    from rs_ml_training.synth.rematching import RematchOptions, rematch

    options = RematchOptions(arguments.seed, arguments.rank_share)
    frames = sum(1 for _ in progress_bar(rematch(arguments.source, arguments.out, options), None))
    print(f'{arguments.out}: {frames} frames; --data synth:{arguments.out}')
    return 0


def _write_set(arguments: argparse.Namespace, options: SetOptions) -> int:
    from rs_ml_training.synth.writing.data_set import write_frame_set
    from rs_ml_training.synth.writing.processes import spread

    def shown(write: Callable[[int], Any], rooms: Iterable[int]) -> Iterable[Any]:
        return progress_bar(spread(write, rooms, arguments.workers), options.count)

    start = time.monotonic()
    write_frame_set(arguments.out, options, spread=shown)
    rate = options.frames / (time.monotonic() - start)
    print(
        f'{arguments.out}: {options.frames} frames of {options.count} rooms, {rate:.1f} a second'
    )
    print(f'--data synth:{arguments.out} or synth-color:{arguments.out}')
    return 0


def _write_bag(arguments: argparse.Namespace, options: SetOptions) -> int:
    try:
        from rs_ml_training.synth.writing.recording import RecordingOptions, write_recording
    except ModuleNotFoundError as error:
        raise ConfigError(f'{error}: pip install rosbags') from error
    from rs_ml_training.synth.writing.walk import walk

    recording = RecordingOptions(
        rate_hz=arguments.rate,
        camera=arguments.camera,
        storage=arguments.storage,
        jpeg_quality=arguments.jpeg,
        aligned=arguments.aligned,
    )
    frames = walk(options, arguments.rate)
    counts = write_recording(progress_bar(frames, options.count), arguments.bag, recording)
    for topic, count in counts.items():
        print(f'{count:6d} {topic}')
    print(f'{arguments.bag}: {options.count} frames of one room')
    return 0
