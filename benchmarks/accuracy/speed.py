"""Milliseconds of the shipped models, as the robot's benchmark measures them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.accuracy.robot import SPEED_BENCHMARK, Robot

NAME = 'speed'
_SECTION = 'models'


def measure_speed(robot: Robot, *, is_quick: bool = False) -> dict[str, Any]:
    """{'host': facts, 'models': name -> ways to run it with their milliseconds}.

    Raises:
        InputError: the benchmark failed.
    """
    with tempfile.TemporaryDirectory(prefix='rs-ml-speed-') as folder:
        words = ['--only', _SECTION, '--out', folder, *(['--quick'] if is_quick else [])]
        robot.run(*words, module=SPEED_BENCHMARK)
        book = json.loads((Path(folder) / 'bench.json').read_text(encoding='utf-8'))
    return {'host': book['host'], 'models': book[_SECTION]['result']}
