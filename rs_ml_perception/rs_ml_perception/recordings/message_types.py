"""Message definitions: those of ROS, of the driver and our own, without a ROS installation."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from rs_ml_perception.core.errors import ConfigError

# realsense2_camera_msgs 4.x; needed where that package is not installed.
_EXTRINSICS = """
float64[9] rotation
float64[3] translation
"""


@functools.cache
def message_types() -> Typestore:
    """The type store for reading and writing: Jazzy's, the driver's extrinsics and rs_ml_msgs."""
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(_EXTRINSICS, 'realsense2_camera_msgs/msg/Extrinsics'))
    for folder in _message_folders('rs_ml_msgs')[:1]:
        _register_folder(store, 'rs_ml_msgs', folder)
    return store


def add_message_type(name: str) -> None:
    """Make a type of an installed message package known to `message_types`.

    Args:
        name: 'package/msg/Type'.

    Raises:
        ConfigError: no installed package holds its definition.
    """
    store = message_types()
    if name in store.types:
        return
    package = name.split('/')[0]
    folders = _message_folders(package)
    if not folders:
        raise ConfigError(
            f'no definition of {name} found: install ros-$ROS_DISTRO-{package.replace("_", "-")} '
            'or source the workspace that holds it'
        )
    _register_folder(store, package, folders[0])
    if name not in store.types:
        raise ConfigError(f'{folders[0]} holds no definition of {name}')


def _message_folders(package: str) -> list[Path]:
    """Folders with the .msg files of a package: installed ones first, then the source tree's."""
    prefixes = [Path(p) for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    folders = [prefix / 'share' / package / 'msg' for prefix in prefixes]
    # resolve(): with --symlink-install this file is a link into the source tree.
    folders += [parent / package / 'msg' for parent in Path(__file__).resolve().parents[2:4]]
    return [folder for folder in folders if any(folder.glob('*.msg'))]


def _register_folder(store: Typestore, package: str, folder: Path) -> None:
    for path in sorted(folder.glob('*.msg')):
        name = f'{package}/msg/{path.stem}'
        if name not in store.types:
            store.register(get_types_from_msg(path.read_text(encoding='utf-8'), name))
