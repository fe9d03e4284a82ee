"""Processes that end with their parent.

    python -m rs_ml_perception.core.tether PID MODULE ARGUMENT...

runs a module as `python -m MODULE ARGUMENT...` does; the system sends it SIGTERM as soon as its
parent, the process PID, ends (Linux; elsewhere it runs untethered).
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""

_LOOK_SECS = 0.5


def tethered(module: str, arguments: Sequence[str]) -> list[str]:
    """Command line of a child process that does not outlive this one."""
    return [sys.executable, '-m', __name__, str(os.getpid()), module, *arguments]


def interrupt_when_gone(pid: int) -> None:
    """Interrupt this process, as Ctrl-C does, once a process that is not its parent is gone.

    Shells start background jobs with SIGINT ignored: such a process gets SIGTERM.
    """
    threading.Thread(target=_watch, args=(pid,), name='tether', daemon=True).start()


def _watch(pid: int) -> None:
    while _is_there(pid):
        time.sleep(_LOOK_SECS)
    is_ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    os.kill(os.getpid(), signal.SIGTERM if is_ignored else signal.SIGINT)


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _die_with(parent_pid: int) -> None:
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent_pid:
        # It ended before prctl was called.
        sys.exit('the process that started this one is gone')


def main() -> None:
    """Run the module that the command line names."""
    parent_pid, module = int(sys.argv[1]), sys.argv[2]
    sys.argv = sys.argv[2:]
    _die_with(parent_pid)
    runpy.run_module(module, run_name='__main__', alter_sys=True)


if __name__ == '__main__':
    main()
