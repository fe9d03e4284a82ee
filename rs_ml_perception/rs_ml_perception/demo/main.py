"""`make demo`: run the nodes on a recording with ROS 2, and draw their results."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rs_ml_perception.core.errors import ConfigError, InputError, RsMlError, counted
from rs_ml_perception.core.flags import FlagParser, add_flags, from_flags
from rs_ml_perception.core.options import Options, option
from rs_ml_perception.core.tether import interrupt_when_gone
from rs_ml_perception.demo.panels import write_panels
from rs_ml_perception.demo.replay import NAMESPACE, Replay, run_replay
from rs_ml_perception.demo.summary import format_table, write_summary
from rs_ml_perception.launching.inspection import make_plan
from rs_ml_perception.launching.recording_plan import RecordingPlan
from rs_ml_perception.nodes.table import parse_nodes, require_sources
from rs_ml_perception.recordings.camera_topics import recording_notes
from rs_ml_perception.recordings.open_recording import open_recording, shipped_recording
from rs_ml_perception.recordings.writer import check_apart

DATA_VARIABLE = 'RS_ML_TEST_DATA'
MODEL_VARIABLE = 'RS_ML_MODEL_PATH'

REAL = ('realsense_room', 'nyu_people')
"""Recordings of RS_ML_TEST_DATA to show after the shipped one."""


@dataclass(frozen=True)
class DemoOptions(Options):
    """Flags of the demo."""

    recording: Path | None = option(
        None,
        'rosbag2 directory, .mcap, .db3 or .bag',
        none_doc=f'the shipped one, and if {DATA_VARIABLE} is set real ones after it, in OUT/real',
    )
    out: Path = option(Path('out/demo'), 'folder for results, frames, summary')
    camera: str = option(
        '', 'namespace of the camera in a recording with several', none_doc='most streams'
    )
    nodes: str = option('', 'names separated by commas', none_doc='all')
    composed: str = option('1', '0: one process per node', choices=('0', '1'))
    params: str = option('', 'parameter file for the nodes')
    ancestor: int = option(0, 'exit when the process with this id has ended; 0: never', low=0)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; returns the exit code."""
    parser = FlagParser(prog='demo', description=__doc__)
    add_flags(parser, DemoOptions)
    arguments = parser.parse_args(argv)
    try:
        return run_demo(from_flags(DemoOptions, arguments))
    except RsMlError as error:
        print(f'demo: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print('demo: interrupted', file=sys.stderr)
        return 130


def run_demo(options: DemoOptions) -> int:
    """Run each recording; the exit code is 0 if all gave results."""
    if options.ancestor:
        interrupt_when_gone(options.ancestor)
    _offer_models()
    codes = [
        _show(recording, out, options)
        for recording, out in _recordings(options.recording, options.out)
    ]
    return max(codes)


def _show(recording: Path, out: Path, options: DemoOptions) -> int:
    """Plan, run, draw, summarise."""
    check_apart(recording, out / 'results')
    plan = _plan(recording, options.nodes, options.camera)
    replay = Replay(plan, out, options.composed != '0', options.params, options.camera)
    _prepare(out, replay.logs)
    summary, drops = run_replay(replay)
    with open_recording(recording, options.camera) as opened:
        paths = write_panels(opened, out / 'results', out / 'frames', NAMESPACE)
    write_summary(summary, out / 'summary.json')
    print(format_table(summary))
    for name, reason in drops.items():
        print(f'{name} last dropped a frame because: {reason}')
    print(
        f'{counted(len(paths), "panel")} in {out / "frames"}, every output in {out / "results"}',
        flush=True,
    )
    if any(node['published'] for node in summary['nodes'].values()):
        return 0
    print(f'demo: no node published anything; see {replay.logs}', file=sys.stderr)
    return 1


def _plan(recording: Path, nodes: str, camera: str) -> RecordingPlan:
    with open_recording(recording, camera) as opened:
        for note in recording_notes(opened, 'CAMERA='):
            print(note)
        plan = make_plan(opened, require_sources(parse_nodes(nodes)))
    for name, reason in plan.left_out.items():
        print(f'{name} is left out: {reason}')
    if not plan.nodes:
        raise InputError('none of the requested nodes can run on this recording')
    return plan


def _prepare(out: Path, logs: Path) -> None:
    """Make the folders and remove panels of an earlier run."""
    try:
        logs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f'{out} cannot be written ({error}): pass another OUT=') from error
    for old in (out / 'frames').glob('*.png'):
        old.unlink()


def _recordings(chosen: Path | None, out: Path) -> list[tuple[Path, Path]]:
    """(recording, folder for its results): the chosen one, else the shipped and real ones."""
    if chosen:
        return [(chosen, out)]
    found = [(shipped_recording(), out)]
    data = os.environ.get(DATA_VARIABLE)
    if data:
        real = [Path(data) / 'recordings' / name for name in REAL]
        found += [(path, out / 'real' / path.name) for path in real if path.is_dir()]
    return found


def _offer_models() -> None:
    """Let the nodes find the third-party artefacts of the test data."""
    data = os.environ.get(DATA_VARIABLE)
    if data and MODEL_VARIABLE not in os.environ:
        os.environ[MODEL_VARIABLE] = str(Path(data) / 'models')
