"""Replay of a recording to the graph: nodes, recorder and replay in separate processes."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.demo.processes import Process, Usage, start_nodes
from rs_ml_perception.demo.summary import make_summary
from rs_ml_perception.demo.watch import DemoWatch
from rs_ml_perception.launching.recording_plan import RecordingPlan
from rs_ml_perception.nodes.parameter_files import NO_BLOCKS, read_blocks
from rs_ml_perception.ros.dds_domain import DOMAIN_VARIABLE, ros_session

NAMESPACE = '/rs_ml'
START_SECS = 60.0
SETTLE_SECS = 15.0
REPLAY_SECS = 3600.0


@dataclass(frozen=True)
class Replay:
    """Settings of a replay.

    Attributes:
        plan: nodes and their settings.
        out: folder for the recorded results and the logs.
        composed: all nodes in one process.
        params_file: for the nodes, '' for none.
        camera: namespace of the camera in the recording, '' for the best.
    """

    plan: RecordingPlan
    out: Path
    composed: bool = True
    params_file: str = ''
    camera: str = ''

    @property
    def logs(self) -> Path:
        return self.out / 'logs'


def run_replay(replay: Replay) -> tuple[dict[str, Any], dict[str, str]]:
    """Replay it to the nodes and record their outputs in out/results.

    Returns:
        The summary, and node -> why it last dropped a frame.

    Raises:
        ConfigError: no node came up, or every DDS domain is in use.
        InputError: the recording cannot be played.
    """
    # A separate domain keeps other processes of the network out of the results.
    with ros_session(is_domain_chosen=bool(os.environ.get(DOMAIN_VARIABLE))):
        return _run(replay)


def _run(replay: Replay) -> tuple[dict[str, Any], dict[str, str]]:
    plan, logs = replay.plan, replay.logs
    started: list[Process] = []
    watch = DemoWatch(plan.nodes, NAMESPACE)
    try:
        args = _ros_args(plan, replay.params_file, logs / 'recording.yaml')
        nodes = start_nodes(plan.nodes, composed=replay.composed, ros_args=args, logs=logs)
        started += nodes
        started.append(_start_recorder(replay.out, logs))
        _wait_until_active(watch, nodes)
        start_secs = time.monotonic()
        player = _start_player(plan, replay.camera, sorted(watch.active), logs)
        started.append(player)
        _wait_for(player, watch)
        wall_s = time.monotonic() - start_secs
        stats = _final_stats(watch)
        usage = sum((process.usage() for process in nodes), Usage())
    finally:
        for process in reversed(started):
            process.stop()
        watch.close()
    summary = make_summary(
        stats, recording=Path(plan.recording), composed=replay.composed, wall_s=wall_s, usage=usage
    )
    return summary, watch.drops


def _ros_args(plan: RecordingPlan, params_file: str, plan_file: Path) -> list[str]:
    """Remappings and parameters for every node; plan_file gets those of the recording."""
    blocks = read_blocks(params_file) if params_file else NO_BLOCKS
    values = {}
    for name in plan.runs:
        node = f'{NAMESPACE}/{name}'
        said = blocks.of(node)
        # Frames wait for the nodes and must not be dropped for their age.
        age = {} if 'max_age_secs' in said else {'max_age_secs': 0.0}
        # By any other clock the stamps of the recording are old.
        values[node] = {**plan.parameters(name, said), **age, 'use_sim_time': True}
    plan_file.write_text(blocks.follow_up(values), encoding='utf-8')
    args = ['--params-file', params_file] if params_file else []
    args += ['--params-file', str(plan_file)]
    for role, topic in plan.remappings.items():
        args += ['-r', f'{role}:={topic}']
    return args


def _start_recorder(out: Path, logs: Path) -> Process:
    parameters = {'out': str(out / 'results'), 'overwrite': True, 'topics': [f'{NAMESPACE}/.*']}
    return Process('record_node', _parameters(parameters), logs / 'record.log')


def _start_player(plan: RecordingPlan, camera: str, active: Sequence[str], logs: Path) -> Process:
    watched = [f'{NAMESPACE}/{name}' for name in active]
    parameters = {'bag': plan.recording, 'lockstep': True, 'wait_for_nodes': watched}
    if camera:
        parameters['camera'] = camera
    return Process('replay_node', _parameters(parameters), logs / 'replay.log')


def _parameters(values: Mapping[str, Any]) -> list[str]:
    """Words for --ros-args; JSON, since a bare 123 would be a number and # a comment."""
    given = {name: json.dumps(value, ensure_ascii=False) for name, value in values.items()}
    return [word for name, text in given.items() for word in ('-p', f'{name}:={text}')]


def _wait_until_active(watch: DemoWatch, nodes: Sequence[Process]) -> None:
    """Wait until every node is active or has reported why not.

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


def _wait_for(player: Process, watch: DemoWatch) -> None:
    if not watch.wait(lambda: player.return_code is not None, REPLAY_SECS):
        raise InputError(f'the replay has not ended after {REPLAY_SECS:.0f} s; see {player.log}')
    if player.return_code != 0:
        raise InputError(f'the replay failed: {player.tail(1)}')


def _final_stats(watch: DemoWatch) -> dict[str, Any]:
    """Final counts of the nodes after the last frame."""
    watch.forget_stats()
    watch.wait(watch.all_idle, SETTLE_SECS)
    return {name: watch.stats[name] for name in sorted(watch.stats)}
