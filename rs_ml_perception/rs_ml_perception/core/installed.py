"""Where the files that come with the package lie: in a checkout, or installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PACKAGE = 'rs_ml_perception'
_PROJECT = Path(__file__).resolve().parents[2]


def shared_folders(name: str) -> list[Path]:
    """Every folder of that name, the nearest first.

    The source tree comes first (a symlink install runs from it), then the share folder of the
    prefix the package is installed in, then those of the sourced ROS workspaces.

    Args:
        name: relative, such as 'models' or 'config/models'.
    """
    prefixes = [*Path(__file__).resolve().parents, Path(sys.prefix)]
    prefixes += [Path(p) for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    bases = [_PROJECT, *(prefix / 'share' / PACKAGE for prefix in prefixes)]
    folders = dict.fromkeys(base / name for base in bases)
    return [folder for folder in folders if folder.is_dir()]
