"""Processes of the demo: start, resource usage, end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rs_ml_perception.core.tether import tethered
from rs_ml_perception.nodes.table import NODES

STOP_SECS = 15.0
TICKS_PER_SEC = os.sysconf('SC_CLK_TCK')


@dataclass(frozen=True)
class Usage:
    """CPU time and peak resident memory."""

    cpu_s: float = 0.0
    peak_rss_mb: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.cpu_s + other.cpu_s, self.peak_rss_mb + other.peak_rss_mb)


class Process:
    """An executable of the package as a process in its own session, with output to a file.

    It ends with this process, even if that is killed.
    """

    def __init__(self, executable: str, ros_args: Sequence[str], log: Path) -> None:
        arguments = [executable, '--ros-args', *ros_args]
        command = tethered('rs_ml_perception.executables', arguments)
        self.log = log
        with log.open('wb') as output:
            self._popen = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def return_code(self) -> int | None:
        return self._popen.poll()

    def usage(self) -> Usage:
        """CPU and memory so far; nothing once the process has ended."""
        folder = Path(f'/proc/{self._popen.pid}')
        try:
            fields = (folder / 'stat').read_text().rpartition(')')[2].split()
            status = (folder / 'status').read_text()
        except FileNotFoundError:
            return Usage()
        ticks = int(fields[11]) + int(fields[12])
        peak_kb = [line.split()[1] for line in status.splitlines() if line.startswith('VmHWM')]
        return Usage(ticks / TICKS_PER_SEC, int(peak_kb[0]) / 1024 if peak_kb else 0.0)

    def resident_mb(self) -> float:
        """Memory at present; 0 once the process has ended."""
        try:
            status = Path(f'/proc/{self.pid}/status').read_text()
        except FileNotFoundError:
            return 0.0
        resident_kb = [line.split()[1] for line in status.splitlines() if 'VmRSS' in line]
        return int(resident_kb[0]) / 1024 if resident_kb else 0.0

    def stop(self) -> None:
        """Interrupt it; kill it if it does not end."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGINT)
        try:
            self._popen.wait(STOP_SECS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()

    def wait(self, timeout_secs: float) -> int:
        """Wait for its end; kill it after the timeout."""
        deadline = time.monotonic() + timeout_secs
        while self._popen.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if self._popen.poll() is None:
            self._popen.kill()
        return self._popen.wait()

    def tail(self, lines: int = 5) -> str:
        """The last lines of its output."""
        return '\n'.join(self.log.read_text(errors='replace').splitlines()[-lines:])


def start_nodes(
    names: Sequence[str], *, composed: bool, ros_args: Sequence[str], logs: Path
) -> list[Process]:
    """Start the perception nodes in one process or in one per node."""
    if composed:
        quoted = ', '.join(names)
        graph_args = [*ros_args, '-p', f'nodes:=[{quoted}]']
        return [Process('perception_graph', graph_args, logs / 'graph.log')]
    return [Process(NODES[name].executable, ros_args, logs / f'{name}.log') for name in names]
