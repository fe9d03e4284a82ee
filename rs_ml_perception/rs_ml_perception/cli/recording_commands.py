"""rs-ml process and recording: run the nodes on a recording, and inspect it for them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rs_ml_perception.cli.task_options import INPUT, OUTPUT, RECORDING_HELP, TASK, CameraOptions
from rs_ml_perception.core.flags import FlagParser, add_flags, from_flags
from rs_ml_perception.core.options import REQUIRED, Options, option
from rs_ml_perception.core.progress import progress
from rs_ml_perception.tasks.blur import OFF, BlurOptions

if TYPE_CHECKING:
    from rs_ml_perception.launching.recording_plan import RecordingPlan


@dataclass(frozen=True)
class NodesOptions(Options):
    """The chosen nodes."""

    nodes: str = option('', 'names separated by commas', none_doc='all', group=TASK)


@dataclass(frozen=True, kw_only=True)
class ProcessOptions(BlurOptions, NodesOptions, CameraOptions):
    """Flags of `process`."""

    out: Path = option(
        REQUIRED,
        'rosbag2 directory to create; with several recordings, folder of theirs',
        metavar='DIR',
        group=OUTPUT,
    )
    params_file: str = option('', 'ROS parameter file of the nodes', metavar='FILE', group=TASK)
    pictures: bool = option(False, 'also write annotated images', is_switch=True, group=OUTPUT)
    overwrite: bool = option(
        False, 'replace an existing recording at --out', is_switch=True, group=OUTPUT
    )
    jobs: int = option(
        0,
        'recordings to process at once, each into --out/NAME; 0: one, a single one into --out',
        low=0,
        high=1024,
        group=TASK,
    )
    ray: str = option(
        '',
        'Ray cluster that processes the recordings, such as auto or ray://HOST:10001',
        none_doc='this computer',
        metavar='ADDRESS',
        group=TASK,
    )


@dataclass(frozen=True)
class InspectionOptions(NodesOptions, CameraOptions):
    """Flags of `recording`."""

    json: bool = option(False, 'print JSON, for the launch file', is_switch=True, group=OUTPUT)


def add_process(subparsers: Any) -> None:
    """Add the command `process`."""
    parser = subparsers.add_parser(
        'process',
        help='run the nodes on a recording without middleware',
        description='Run the nodes on every frame of a recording, reproducibly, into a rosbag2.',
        example="""
            rs-ml process recordings/room --out out/room --nodes detection,height
            rs-ml process recordings/* --out out --jobs 2
        """,
    )
    _add_recording(parser, 'recordings', nargs='+')
    add_flags(parser, ProcessOptions)
    parser.set_defaults(run=run_process)


def add_recording(subparsers: Any) -> None:
    """Add the command `recording`."""
    parser = subparsers.add_parser(
        'recording',
        help='show the nodes and settings for a recording',
        description='Show which nodes can run on a recording, and their settings for it.',
        example='rs-ml recording recordings/room',
    )
    _add_recording(parser, 'recording')
    add_flags(parser, InspectionOptions)
    parser.set_defaults(run=run_recording)


def _add_recording(parser: FlagParser, name: str, **more: Any) -> None:
    for heading in (INPUT, TASK, OUTPUT):
        parser.group(heading)
    parser.group(INPUT).add_argument(
        name, type=Path, metavar='RECORDING', help=RECORDING_HELP, **more
    )


def run_process(args: argparse.Namespace) -> int:
    """Process one recording, or several in processes of their own."""
    options = from_flags(ProcessOptions, args)
    if len(args.recordings) == 1 and not (options.jobs or options.ray):
        return _process_one(args.recordings[0], options)
    return _process_all(args.recordings, options)


def _process_all(recordings: Sequence[Path], options: ProcessOptions) -> int:
    from rs_ml_perception.cli.process_many import DAMAGED, FAILED, make_jobs, process_many, table
    from rs_ml_perception.nodes.table import parse_nodes, require_sources

    require_sources(parse_nodes(options.nodes))  # a wrong name fails once
    jobs = make_jobs(recordings, options.out, _words(options), is_replaced=options.overwrite)
    outcomes = process_many(jobs, at_once=max(1, options.jobs), ray_address=options.ray)
    print(table(outcomes))
    return 1 if any(outcome.status in (FAILED, DAMAGED) for outcome in outcomes) else 0


def _words(options: ProcessOptions) -> list[str]:
    """Flags for the process of one recording."""
    words = []
    for flag, value in (('--nodes', options.nodes), ('--camera', options.camera)):
        words += [flag, value] if value else []
    if options.params_file:
        words += ['--params-file', str(Path(options.params_file).resolve())]
    if options.blur != OFF:
        words += ['--blur', options.blur, '--blur-model', options.blur_model]
        words += ['--blur-threshold', str(options.blur_threshold)]
    return [*words, '--pictures'] if options.pictures else words


def _process_one(path: Path, options: ProcessOptions) -> int:
    """Process the recording, then print the outcome of the frames."""
    from rs_ml_perception.nodes.offline import run_offline
    from rs_ml_perception.nodes.table import parse_nodes, require_sources
    from rs_ml_perception.recordings.camera_topics import recording_notes
    from rs_ml_perception.recordings.open_recording import open_recording
    from rs_ml_perception.recordings.writer import check_apart

    names = require_sources(parse_nodes(options.nodes))
    check_apart(path, options.out)
    with open_recording(path, options.camera) as recording:
        for note in recording_notes(recording, '--camera'):
            print(f'rs-ml: {note}', file=sys.stderr)
        run = run_offline(
            recording,
            names,
            options.out,
            params_file=options.params_file,
            with_pictures=options.pictures,
            blur=options,
            overwrite=options.overwrite,
            shown=progress,
        )
    for (where, outcome), count in run.counts.items():
        print(f'{where}: {count} {outcome}')
    print(f'written to {options.out}')
    if run.damage:
        print(f'rs-ml: {run.damage}', file=sys.stderr)
        return 1
    return 0 if any(outcome == 'published' for _, outcome in run.counts) else 1


def run_recording(args: argparse.Namespace) -> int:
    """Print it."""
    from rs_ml_perception.launching.inspection import make_plan
    from rs_ml_perception.nodes.table import parse_nodes
    from rs_ml_perception.recordings.camera_topics import recording_notes
    from rs_ml_perception.recordings.open_recording import open_recording

    options = from_flags(InspectionOptions, args)
    names = parse_nodes(options.nodes)
    # The launch file reads JSON, and names the camera by two options.
    flag = 'camera_namespace and camera_name' if options.json else '--camera'
    with open_recording(args.recording, options.camera) as recording:
        notes = tuple(recording_notes(recording, flag))
        plan = replace(make_plan(recording, names), notes=notes)
    print(plan.to_json() if options.json else '\n'.join(_lines(plan)))
    return 0


def _lines(plan: RecordingPlan) -> Iterator[str]:
    yield f'{plan.recording}, images in {plan.frame_id or "an unnamed frame"}'
    for name in plan.nodes:
        own = ', '.join(f'{key} {value}' for key, value in plan.own.get(name, {}).items())
        yield f'  {name}: {own or "can run"}'
    for name, reason in plan.left_out.items():
        yield f'  {name}: cannot run, {reason}'
    for role, topic in plan.remappings.items():
        yield f'  {role}: {topic}'
    for key, value in plan.shared.items():
        yield f'  {key}: {value}'
    for note in plan.notes:
        yield f'  {note}'
