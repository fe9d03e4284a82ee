"""Sections of the speed benchmark: their table, and how they run and are saved.

Each section runs in its own process (`python -m benchmarks.speed section NAME ...`), so that the
libraries and threads of one do not disturb another.
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from rs_ml_perception.cli.command import report
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.flags import FlagParser, add_flags, from_flags
from rs_ml_perception.core.options import REQUIRED, Options, option

from benchmarks.host import host_facts
from benchmarks.tables import Row, terminal_table

RESULT_FILE = 'bench.json'
_ERROR = re.compile(r'^section \w+: |^[\w.]*(Error|Exception)\b|\[(ERROR|FATAL)\]|cannot start: ')


@dataclass(frozen=True)
class SpeedOptions:
    """Amount of measurement; every section takes the fields that concern it.

    Attributes:
        recording: whose frames all sections use: colour, aligned depth, camera_info.
        rounds: alternations of the sides of a comparison.
        frames: per round.
        delivery_frames: images sent per transport and round.
        start_ups: starts of the graph.
        rate_hz: of the camera in sections that run in real time.
    """

    recording: str
    rounds: int = 5
    frames: int = 42
    delivery_frames: int = 150
    start_ups: int = 5
    rate_hz: float = 6.0

    def quick(self) -> SpeedOptions:
        """A few rounds: for a look, not for the record."""
        return SpeedOptions(
            self.recording, rounds=2, frames=14, delivery_frames=60, start_ups=2, rate_hz=6.0
        )


class SectionModule(Protocol):
    """Functions of the module of a section."""

    def measure(self, options: SpeedOptions, logs: Path) -> dict[str, Any]:
        """JSON values; `logs` is a folder for the output of processes."""

    def rows(self, result: dict[str, Any]) -> list[Row]:
        """Rows of the table for a result of `measure`."""


@dataclass(frozen=True)
class Section:
    """One part of the benchmark.

    Attributes:
        title: above its rows.
        module: name in `benchmarks.speed`, imported on demand.
    """

    title: str
    module: str

    def load(self) -> SectionModule:
        """Import the module."""
        return cast('SectionModule', importlib.import_module(f'benchmarks.speed.{self.module}'))


SECTIONS: dict[str, Section] = {
    'models': Section('The shipped networks alone: two threads, CPU time on one', 'model_speed'),
    'graph': Section('Graph rate / rate of the bare models one after another', 'graph_rate'),
    'costs': Section('Cost per frame apart from inference', 'frame_costs'),
    'composition': Section('One process for all nodes / one process per node', 'composition'),
    'delivery': Section('1280x720 images at 30 Hz between two processes', 'delivery'),
    'predecessors': Section('Predecessor systems / this project, per frame', 'predecessor_speed'),
    'startup': Section('Start, memory, CPU of the graph', 'start_up'),
    'tuning': Section('Untuned / tuned models', 'tuning'),
}


def parse_sections(text: str) -> list[str]:
    """Names separated by commas or blanks, in the order of SECTIONS; '': all.

    Raises:
        ConfigError: an unknown name.
    """
    wanted = text.replace(',', ' ').split()
    unknown = [name for name in wanted if name not in SECTIONS]
    if unknown:
        raise ConfigError(f'no section {unknown[0]!r}: choose from {", ".join(SECTIONS)}')
    return [name for name in SECTIONS if not wanted or name in wanted]


def run_sections(names: Sequence[str], *, recording: str, out: Path, is_quick: bool) -> int:
    """Measure, print, save.

    Args:
        names: keys of SECTIONS.
        recording: whose frames are used.
        out: folder for bench.json and logs.
        is_quick: few rounds.

    Returns:
        0, or 1 when a section failed; the others are measured and saved all the same.
    """
    logs = out / 'logs'
    logs.mkdir(parents=True, exist_ok=True)
    book: dict[str, Any] = {'host': host_facts(), 'quick': is_quick, 'recording': recording}
    print(_host_line(book['host']))
    for name in names:
        start_secs = time.monotonic()
        book[name] = _run_section(name, recording, logs, is_quick)
        book[name]['took_s'] = round(time.monotonic() - start_secs, 1)
        table = terminal_table(SECTIONS[name].title, section_rows(name, book[name]))
        print(f'\n{table}', flush=True)
        (out / RESULT_FILE).write_text(json.dumps(book, indent=1) + '\n', encoding='utf-8')
    print(f'\nsaved {out / RESULT_FILE}, logs in {logs}')
    return 1 if any('error' in book[name] for name in names) else 0


def section_rows(name: str, entry: dict[str, Any]) -> list[Row]:
    """The rows of a measured section, or the error."""
    if 'error' in entry:
        return [Row('not measured', entry['error'])]
    return SECTIONS[name].load().rows(entry['result'])


def _run_section(name: str, recording: str, logs: Path, is_quick: bool) -> dict[str, Any]:
    """{'result': ...} or {'error': sentence}."""
    # Not NAME.log: the processes of the graph write logs of their names to the same folder.
    result_path, log_path = logs / f'section-{name}.json', logs / f'section-{name}.log'
    result_path.unlink(missing_ok=True)
    command = [sys.executable, '-m', 'benchmarks.speed', 'section', name]
    command += ['--recording', recording, '--json', str(result_path), '--logs', str(logs)]
    with log_path.open('wb') as log:
        done = subprocess.run(
            [*command, '--quick'] if is_quick else command, stdout=log, stderr=subprocess.STDOUT
        )
    if done.returncode == 0:
        return {'result': json.loads(result_path.read_text(encoding='utf-8'))}
    error = last_error(log_path.read_text(encoding='utf-8', errors='replace'))
    ended = f'ended with status {done.returncode}'
    return {'error': f'{error} ({ended}, see {log_path})' if error else ended}


def last_error(log: str) -> str:
    """The last line of a log that names an error, else the last one, '' for an empty log.

    Libraries still print while a process ends.
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if _ERROR.search(line)]
    return (errors or lines or [''])[-1]


def _host_line(host: dict[str, Any]) -> str:
    flags = [name for name, has in host['cpu_flags'].items() if has]
    return (
        f'{host["cpu"]}, {host["cores"]} cores, {" ".join(flags)}; load {host["load_1_min"]}; '
        f'revision {host["revision"]}'
    )


@dataclass(frozen=True, kw_only=True)
class SectionOptions(Options):
    """Flags of the process of a section."""

    recording: str = option(REQUIRED, 'whose frames are used')
    quick: bool = option(False, 'few rounds', is_switch=True)
    json: Path = option(REQUIRED, 'file for the result')
    logs: Path = option(REQUIRED, 'folder for the output of processes')


def measure_section(argv: Sequence[str]) -> int:
    """Measure one section in this process and save its result; returns the exit status."""
    parser = FlagParser(description='One section of the speed benchmark.')
    parser.add_argument('section', choices=tuple(SECTIONS))
    add_flags(parser, SectionOptions)
    arguments = parser.parse_args(argv)
    try:
        flags = from_flags(SectionOptions, arguments)
        options = SpeedOptions(flags.recording)
        module = SECTIONS[arguments.section].load()
        result = module.measure(options.quick() if flags.quick else options, flags.logs)
    except Exception as error:
        return report(f'section {arguments.section}', error)
    flags.json.write_text(json.dumps(result), encoding='utf-8')
    return 0
