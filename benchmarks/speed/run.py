"""`python -m benchmarks.speed`: every section in turn, a table and one JSON file."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError

from benchmarks.speed.host import host_facts
from benchmarks.speed.rows import Row, format_rows
from benchmarks.speed.sections import SECTIONS

RESULT_FILE = 'bench.json'


def run_bench(names: Sequence[str], *, recording: str, out: Path, is_quick: bool) -> int:
    """Measure, print, save.

    Args:
        names: keys of SECTIONS.
        recording: whose frames are used.
        out: folder for bench.json and logs.
        is_quick: few turns.

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
        print('\n' + format_rows(SECTIONS[name].title, section_rows(name, book[name])), flush=True)
        _save(book, out / RESULT_FILE)
    print(f'\nsaved {out / RESULT_FILE}, logs in {logs}')
    return 1 if any('error' in book[name] for name in names) else 0


def parse_sections(text: str) -> list[str]:
    """Names separated by commas or blanks, in the table's order; '': all.

    Raises:
        ConfigError: an unknown name.
    """
    wanted = text.replace(',', ' ').split()
    unknown = [name for name in wanted if name not in SECTIONS]
    if unknown:
        raise ConfigError(f'no section {unknown[0]!r}: choose from {", ".join(SECTIONS)}')
    return [name for name in SECTIONS if not wanted or name in wanted]


def section_rows(name: str, entry: dict[str, Any]) -> list[Row]:
    """The lines of a measured section, or why there are none."""
    if 'error' in entry:
        return [Row('not measured', entry['error'])]
    return SECTIONS[name].load().rows(entry['result'])


def _run_section(name: str, recording: str, logs: Path, is_quick: bool) -> dict[str, Any]:
    """{'result': ...} or {'error': sentence}."""
    result_path, log_path = logs / f'{name}.json', logs / f'{name}.log'
    result_path.unlink(missing_ok=True)
    command = [sys.executable, '-m', 'benchmarks.speed.section_process', name]
    command += ['--recording', recording, '--json', str(result_path), '--logs', str(logs)]
    with log_path.open('wb') as log:
        done = subprocess.run(
            [*command, '--quick'] if is_quick else command, stdout=log, stderr=subprocess.STDOUT
        )
    if done.returncode == 0:
        return {'result': json.loads(result_path.read_text(encoding='utf-8'))}
    lines = log_path.read_text(encoding='utf-8', errors='replace').splitlines()
    return {'error': lines[-1] if lines else f'ended with status {done.returncode}'}


def _save(book: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(book, indent=1) + '\n', encoding='utf-8')


def _host_line(host: dict[str, Any]) -> str:
    flags = [name for name, has in host['cpu_flags'].items() if has]
    return (
        f'{host["cpu"]}, {host["cores"]} cores, {" ".join(flags)}; load {host["load_1_min"]}; '
        f'revision {host["revision"]}'
    )
