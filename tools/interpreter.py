"""The Python that an environment is made with."""

from __future__ import annotations

import json
import os
import subprocess

OLDEST, NEWEST = (3, 10), (3, 13)  # range of the Jazzy and Kilted wheels
CANDIDATES = ('python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10')
SYSTEM_PYTHON = '/usr/bin/python3'
APT_MODULES = {
    'ensurepip': 'python3-venv',
    'numpy': 'python3-numpy',
    'cv2': 'python3-opencv',
    'yaml': 'python3-yaml',
}
PROBE = (
    'import json, sys, sysconfig, os, importlib.util as u;'
    'print(json.dumps([sys.version_info[:2], sys.base_prefix,'
    'os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")),'
    'u.find_spec("ensurepip") is not None, sys.executable]))'
)


class SetupError(Exception):
    """A problem with its remedy, in one sentence."""


class Interpreter:
    """A Python on this machine, with its version and abilities."""

    def __init__(self, command: str):
        """Asks the interpreter; raises OSError or ValueError if it does not answer."""
        run = subprocess.run([command, '-I', '-c', PROBE], capture_output=True, text=True)
        if run.returncode:
            raise ValueError(f'{command} does not run')
        version, self.base_prefix, self.has_headers, self.has_venv, self.path = json.loads(
            run.stdout
        )
        self.version = tuple(version)

    @property
    def name(self) -> str:
        return 'python{}.{}'.format(*self.version)

    def obstacle(self, compiles: bool = True) -> str | None:
        """The reason why this one cannot be used, as a sentence, or None.

        Args:
            compiles: whether messages will be compiled, which needs Python's headers.
        """
        if not OLDEST <= self.version <= NEWEST:
            return (
                f'{self.path} is Python {self.version[0]}.{self.version[1]}, but the pinned '
                'wheels exist for 3.10 to 3.13: name another with PYTHON=/path/to/python3.12'
            )
        if not self.has_venv:
            return f'{self.name}-venv is missing: sudo apt-get install -y {self.name}-venv'
        if compiles and not self.has_headers:
            return f'{self.name}-dev is missing: sudo apt-get install -y {self.name}-dev'
        return None


def apt_interpreter() -> Interpreter:
    """The system's Python; SetupError names packages that apt has to install first."""
    missing = [package for module, package in APT_MODULES.items() if not _imports(module)]
    if missing:
        raise SetupError(f'make test-apt needs sudo apt-get install -y {" ".join(missing)}')
    return Interpreter(SYSTEM_PYTHON)


def _imports(module: str) -> bool:
    try:
        command = [SYSTEM_PYTHON, '-I', '-c', f'import {module}']
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


def find_interpreter(compiles: bool = True) -> Interpreter:
    """PYTHON= if given, else the first usable python3; SetupError gives the first obstacle.

    Args:
        compiles: whether messages will be compiled, which needs Python's headers.
    """
    chosen = os.environ.get('PYTHON')
    obstacles = []
    for command in (chosen,) if chosen else CANDIDATES:
        try:
            found = Interpreter(command)
        except (OSError, ValueError):
            continue
        if not (obstacle := found.obstacle(compiles)):
            return found
        obstacles.append(obstacle)
    if obstacles:
        raise SetupError(obstacles[0])
    if chosen:
        raise SetupError(f'PYTHON={chosen} cannot be run: name a Python of 3.10 to 3.13')
    raise SetupError(
        'no python3 was found: sudo apt-get install -y python3 python3-venv python3-dev'
    )
