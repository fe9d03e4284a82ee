"""What the measurements were made on."""

from __future__ import annotations

import os
import platform
from importlib import metadata

DISTRIBUTIONS = ('keras', 'tensorflow-cpu', 'tensorflow', 'jax', 'numpy', 'opencv-python-headless')


def host_facts() -> dict[str, object]:
    """Cores, load of the last minute, Keras backend and versions."""
    import keras

    return {
        'cores': len(os.sched_getaffinity(0)),
        'load_1_min': round(os.getloadavg()[0], 2),
        'backend': keras.backend.backend(),
        'python': platform.python_version(),
        'versions': {name: version for name in DISTRIBUTIONS if (version := _version(name))},
    }


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
