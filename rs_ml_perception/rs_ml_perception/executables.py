"""Entry points of the executables; signals are handled before slow imports.

ROS, OpenCV and NumPy take half a second to several seconds to import. Without a handler, Ctrl-C or
SIGTERM in that time ends in a traceback and a status that reads as a crash.

`python -m rs_ml_perception.executables NAME ARGUMENT...` runs one without its script.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable

from rs_ml_perception.cli.command import INTERRUPTED
from rs_ml_perception.nodes.table import EXECUTABLES


def _node(module: str) -> Callable[[], int]:
    """Main function of a ROS process: a signal ends it with status 0."""

    def main() -> int:
        _end_at_once(0, signal.SIGINT, signal.SIGTERM)  # until the module has its own handlers
        return importlib.import_module(f'rs_ml_perception.nodes.{module}').main()

    return main


def _command(module: str) -> Callable[[], int]:
    """Main function of a command: Ctrl-C interrupts it, status 130."""

    def main() -> int:
        _end_at_once(INTERRUPTED, signal.SIGINT)
        try:
            imported = importlib.import_module(f'rs_ml_perception.{module}')
            signal.signal(signal.SIGINT, signal.default_int_handler)
            return imported.main()
        except KeyboardInterrupt:
            return INTERRUPTED

    return main


def _end_at_once(status: int, *numbers: signal.Signals) -> None:
    """An import must not see a KeyboardInterrupt: some modules make an ImportError of it."""
    for number in numbers:
        signal.signal(number, lambda *_: os._exit(status))


globals().update({name: _node(name) for name in EXECUTABLES})
rs_ml = _command('cli.main')
rs_ml_plane_rms = _command('cli.plane_rms')
demo = _command('demo.main')

if __name__ == '__main__':
    sys.argv = sys.argv[1:]
    sys.exit(globals()[sys.argv[0].replace('-', '_')]())
