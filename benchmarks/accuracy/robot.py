"""Runs `rs-ml`, which loads the shipped model files as the nodes do, in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rs_ml_perception.core.errors import InputError

COMMAND, SPEED_BENCHMARK = 'rs_ml_perception.cli.main', 'benchmarks.speed'


class Robot:
    """Commands of the robot side, each in a process of its own.

    Args:
        model_folder: of third-party model files.
    """

    def __init__(self, model_folder: Path) -> None:
        self._model_folder = model_folder

    def run(self, *arguments: str | Path, module: str = COMMAND) -> str:
        """Run `rs-ml`, or another module; returns what it printed.

        Tuning results of this machine are ignored, so that every machine computes alike.

        Raises:
            InputError: it failed; the message holds its last line.
        """
        words = [str(word) for word in arguments]
        with tempfile.TemporaryDirectory(prefix='rs-ml-cache-') as cache:
            variables = {'RS_ML_CACHE': cache, 'RS_ML_MODEL_PATH': str(self._model_folder)}
            done = subprocess.run(
                [sys.executable, '-m', module, *words],
                capture_output=True,
                text=True,
                env={**os.environ, **variables},
            )
        if done.returncode:
            name = f'rs-ml {words[0]}' if module == COMMAND else module
            last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
            raise InputError(f'{name} failed: {"".join(last) or done.returncode}')
        return done.stdout
