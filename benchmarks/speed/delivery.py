"""Share of 1280x720 images at 30 Hz that reach another process, by transport and reliability."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.tether import tethered
from rs_ml_perception.ros.dds_domain import DOMAIN_VARIABLE, reserved_domain

from benchmarks.speed.options import BenchOptions
from benchmarks.speed.rows import Row
from benchmarks.speed.timing import take_turns

PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
GOAL_SHARE = 1.0
LIMIT_SECS = 120.0
PEER = 'benchmarks.speed.delivery_peer'


def measure(options: BenchOptions, logs: Path) -> dict[str, Any]:
    """Every combination in turn.

    Raises:
        ConfigError: the profile is not set in the environment.
    """
    if not all(Path(os.environ.get(name, '')).is_file() for name in PROFILE_VARIABLES):
        raise ConfigError(
            f'{" and ".join(PROFILE_VARIABLES)} must name config/fastdds.xml: run through '
            '`make bench` or tools/run'
        )
    delays: dict[str, list[float]] = {}

    def turn(name: str, reliability: str, with_profile: bool) -> float:
        outcome = deliver(reliability, with_profile=with_profile, frames=options.delivery_frames)
        delays.setdefault(name, []).extend(outcome['delays_ms'])
        return outcome['received'] / outcome['sent']

    ways = {
        f'{title}, {reliability}': (reliability, with_profile)
        for title, with_profile in (('config/fastdds.xml', True), ('default transport', False))
        for reliability in ('best_effort', 'reliable')
    }
    shares = take_turns(
        {name: (lambda name=name, way=way: turn(name, *way)) for name, way in ways.items()},
        rounds=min(options.rounds, 3),
    )
    return {
        name: {
            'share': statistics.median(values),
            'delay_ms': statistics.median(delays[name]) if delays[name] else None,
            'rounds': values,
        }
        for name, values in shares.items()
    }


def deliver(reliability: str, *, with_profile: bool, frames: int) -> dict[str, Any]:
    """Send images from one process to another; what was sent, what arrived, after how long."""
    common = ['--reliability', reliability]
    with reserved_domain() as domain:
        environment = {**os.environ, DOMAIN_VARIABLE: str(domain)}
        if not with_profile:
            for name in PROFILE_VARIABLES:
                del environment[name]
        counter = _start('count', common, environment)
        try:
            sender = _start('publish', [*common, '--frames', str(frames)], environment)
            sent = json.loads(_output(sender))
        finally:
            counter.send_signal(signal.SIGINT)
        return {**json.loads(_output(counter)), **sent}


def _start(role: str, args: list[str], environment: dict[str, str]) -> subprocess.Popen:
    return subprocess.Popen(tethered(PEER, [role, *args]), stdout=subprocess.PIPE, env=environment)


def _output(process: subprocess.Popen) -> bytes:
    """The last line it printed, once it has ended."""
    try:
        text, _ = process.communicate(timeout=LIMIT_SECS)
    except subprocess.TimeoutExpired:
        process.kill()
        text, _ = process.communicate()
    return (text.splitlines() or [b'{}'])[-1]


def rows(result: dict[str, Any]) -> list[Row]:
    """One line a combination; a goal for the project's own transport."""
    lines = []
    for name, part in result.items():
        text = f'{100 * part["share"]:.1f} % arrive'
        if part['delay_ms'] is not None:
            text += f', after {part["delay_ms"]:.1f} ms'
        is_ours = name.startswith('config/')
        is_met = part['share'] >= GOAL_SHARE if is_ours else None
        lines.append(Row(name, text, '100 %' if is_ours else '', is_met))
    return lines
