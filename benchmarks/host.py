"""Facts about the machine of a measurement."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from rs_ml_perception.inference.cpu import available_cores, this_cpu

DISTRIBUTIONS = (
    'numpy',
    'opencv-python-headless',
    'ai-edge-litert',
    'openvino',
    'onnxruntime',
    'tensorflow-cpu',
    'tensorflow',
    'keras',
    'jax',
    'ros-rclpy',
)
CPU_FLAGS = ('avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'amx_int8', 'amx_bf16')


def host_facts() -> dict[str, Any]:
    """CPU, memory, versions, revision and the load at the start."""
    cpu = this_cpu()
    return {
        'cpu': cpu.name or platform.processor(),
        'cores': available_cores(),
        'cpu_flags': {name: name in cpu.features for name in CPU_FLAGS},
        'memory_gb': round(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9, 1),
        'load_1_min': load_1_min(),
        'python': platform.python_version(),
        'ros_distro': os.environ.get('ROS_DISTRO', ''),
        'versions': {name: _version(name) for name in DISTRIBUTIONS},
        'revision': _revision(),
    }


def load_1_min() -> float:
    """Load average of the last minute."""
    return round(os.getloadavg()[0], 2)


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _revision() -> str | None:
    """Commit of the checkout; None without git."""
    command = ['git', '-C', str(Path(__file__).parent), 'describe', '--always', '--dirty']
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
