"""The robot's own command, `rs-ml`: it runs the model files that ship, as the nodes do."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rs_ml_perception.core.errors import ConfigError, InputError

_COMMAND = 'rs-ml'
_PACKAGE = 'rs_ml_perception'


class Robot:
    """Runs `rs-ml` in processes of its own; nothing of it is imported here.

    Args:
        model_folder: where third-party model files lie.

    Raises:
        ConfigError: the command is not installed.
    """

    def __init__(self, model_folder: Path) -> None:
        self._command = _command()
        self._model_folder = model_folder

    def run(self, *arguments: str | Path) -> str:
        """Run it; returns what it printed.

        The machine's memory of tuned backends is left out, so that every machine computes alike.

        Raises:
            InputError: it failed; the message holds its last line.
        """
        words = [str(word) for word in arguments]
        with tempfile.TemporaryDirectory(prefix='rs-ml-cache-') as cache:
            variables = {'RS_ML_CACHE': cache, 'RS_ML_MODEL_PATH': str(self._model_folder)}
            done = subprocess.run(
                [*self._command, *words],
                capture_output=True,
                text=True,
                env={**os.environ, **variables},
            )
        if done.returncode:
            last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
            raise InputError(f'{_COMMAND} {words[0]} failed: {"".join(last) or done.returncode}')
        return done.stdout

    def has(self, model: str) -> bool:
        """Whether a model can be named and its files are there."""
        listed = self.run('models', 'list').splitlines()
        return any(line.split()[:1] == [model] and line.endswith('ready') for line in listed)


def _command() -> Sequence[str]:
    """The command of the environment this runs in, else that of the PATH."""
    if importlib.util.find_spec(_PACKAGE) is not None:
        return [sys.executable, '-m', f'{_PACKAGE}.cli.main']
    found = shutil.which(_COMMAND)
    if found is None:
        raise ConfigError(f'{_COMMAND} is not installed: install {_PACKAGE} beside this package')
    return [found]
