"""`make demo`: a recording in; detections, heights, masks and depth out, on real ROS 2."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import rclpy
from rclpy.signals import SignalHandlerOptions

from rs_ml_perception.core.errors import ConfigError, InputError, RsMlError
from rs_ml_perception.demo.panels import write_panels
from rs_ml_perception.demo.plan import Plan, make_plan
from rs_ml_perception.demo.processes import Process, Usage, start_nodes
from rs_ml_perception.demo.summary import format_table, make_summary, write_summary
from rs_ml_perception.demo.watch import NodeWatch
from rs_ml_perception.nodes.table import parse_nodes, require_sources
from rs_ml_perception.recordings.open_recording import open_recording

NAMESPACE = '/rs_ml'
DATA_VARIABLE = 'RS_ML_TEST_DATA'
MODEL_VARIABLE = 'RS_ML_MODEL_PATH'
START_SECS = 60.0
SETTLE_SECS = 15.0
REPLAY_SECS = 3600.0

MAX_DOMAIN_ID = 100
"""Higher domains use ports that Linux hands out to anybody."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; returns the exit code."""
    arguments = _parse(argv)
    try:
        return run_demo(arguments)
    except RsMlError as error:
        print(f'demo: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print('demo: interrupted', file=sys.stderr)
        return 130


def run_demo(arguments: argparse.Namespace) -> int:
    """Plan, run, draw, sum up."""
    recording = _recording(arguments.recording)
    _offer_models()
    with open_recording(recording) as opened:
        plan = make_plan(opened, require_sources(parse_nodes(arguments.nodes)))
    for name, reason in plan.left_out.items():
        print(f'{name} is left out: {reason}')
    if not plan.nodes:
        raise InputError('none of the nodes asked for can work with this recording')
    out = Path(arguments.out)
    logs = out / 'logs'
    try:
        logs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f'{out} cannot be written ({error}): pass another OUT=') from error
    for old in (out / 'frames').glob('*.png'):
        old.unlink()
    summary, drops = _run_graph(plan, arguments, out, logs)
    paths = write_panels(recording, out / 'results', out / 'frames', NAMESPACE)
    write_summary(summary, out / 'summary.json')
    print(format_table(summary))
    for name, reason in drops.items():
        print(f'{name} last dropped a frame because: {reason}')
    print(f'{len(paths)} panels in {out / "frames"}, every output in {out / "results"}')
    if any(node['published'] for node in summary['nodes'].values()):
        return 0
    print(f'demo: no node published anything; see {logs}', file=sys.stderr)
    return 1


def _run_graph(
    plan: Plan, arguments: argparse.Namespace, out: Path, logs: Path
) -> tuple[dict, dict[str, str]]:
    """Nodes, recorder and replay; returns the summary and why nodes dropped frames."""
    # One's own domain: whatever else runs on this network stays out of the results.
    os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % MAX_DOMAIN_ID))
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    composed = arguments.composed != '0'
    started: list[Process] = []
    watch = NodeWatch(plan.nodes, NAMESPACE)
    try:
        nodes = start_nodes(
            plan.nodes, composed=composed, ros_args=plan.ros_args(arguments.params), logs=logs
        )
        started += nodes
        started.append(_start_recorder(out, logs))
        _wait_until_active(watch, nodes)
        start_secs = time.monotonic()
        replay = _start_replay(plan, sorted(watch.active), logs)
        started.append(replay)
        _wait_for_replay(watch, replay)
        wall_s = time.monotonic() - start_secs
        stats = _final_stats(watch)
        usage = sum((process.usage() for process in nodes), Usage())
    finally:
        for process in reversed(started):
            process.stop()
        watch.close()
        rclpy.try_shutdown()
    summary = make_summary(
        stats, recording=plan.recording, composed=composed, wall_s=wall_s, usage=usage
    )
    return summary, watch.drops


def _start_recorder(out: Path, logs: Path) -> Process:
    parameters = {'out': str(out / 'results'), 'overwrite': 'true', 'topics': f'[{NAMESPACE}/.*]'}
    args = [word for key, value in parameters.items() for word in ('-p', f'{key}:={value}')]
    return Process('rs_ml_perception.nodes.record_node', args, logs / 'record.log')


def _start_replay(plan: Plan, active: Sequence[str], logs: Path) -> Process:
    watched = ', '.join(f'{NAMESPACE}/{name}' for name in active)
    args = ['-p', f'bag:={plan.recording}', '-p', 'lockstep:=true']
    args += ['-p', f'wait_for_nodes:=[{watched}]']
    return Process('rs_ml_perception.nodes.replay_node', args, logs / 'replay.log')


def _wait_until_active(watch: NodeWatch, nodes: Sequence[Process]) -> None:
    """Until every node is up or has said why not.

    Raises:
        ConfigError: no node came up.
    """
    watch.wait(lambda: watch.all_settled() or _any_dead(nodes), START_SECS)
    for name, reason in watch.failed.items():
        print(f'{name}: {reason}', file=sys.stderr)
    if not watch.active:
        dead = next((process for process in nodes if process.return_code is not None), None)
        last_words = f': {dead.tail(1)}' if dead else ''
        raise ConfigError(f'no node could start{last_words}; see {nodes[0].log}')


def _any_dead(processes: Sequence[Process]) -> bool:
    return any(process.return_code is not None for process in processes)


def _wait_for_replay(watch: NodeWatch, replay: Process) -> None:
    if not watch.wait(lambda: replay.return_code is not None, REPLAY_SECS):
        raise InputError(f'the replay has not ended after {REPLAY_SECS:.0f} s; see {replay.log}')
    if replay.return_code != 0:
        raise InputError(f'the replay failed: {replay.tail(1)}')


def _final_stats(watch: NodeWatch) -> dict:
    """Accounting that is younger than the last frame and closed."""
    watch.forget_stats()
    watch.wait(watch.all_idle, SETTLE_SECS)
    return {name: watch.stats[name] for name in sorted(watch.stats)}


def _recording(path: str) -> Path:
    if path:
        return Path(path)
    data = os.environ.get(DATA_VARIABLE)
    if not data:
        raise ConfigError(
            f'pass a recording (make demo RECORDING=dir) and models ({MODEL_VARIABLE}=dir), '
            f'or set {DATA_VARIABLE} to a folder with recordings/ and models/'
        )
    return Path(data) / 'recordings' / 'nyu_people'


def _offer_models() -> None:
    """Let the nodes find third-party artefacts beside the test data."""
    data = os.environ.get(DATA_VARIABLE)
    if data and MODEL_VARIABLE not in os.environ:
        os.environ[MODEL_VARIABLE] = str(Path(data) / 'models')


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='demo', description=__doc__)
    parser.add_argument('--recording', default='', help='rosbag2 directory, .mcap, .db3 or .bag')
    parser.add_argument('--out', default='out/demo', help='folder for results, frames, summary')
    parser.add_argument('--nodes', default='', help='names separated by commas; default: all')
    parser.add_argument(
        '--composed', default='1', choices=('0', '1'), help='0: one process per node'
    )
    parser.add_argument('--params', default='', help='parameter file for the nodes')
    return parser.parse_args(argv)


if __name__ == '__main__':
    sys.exit(main())
