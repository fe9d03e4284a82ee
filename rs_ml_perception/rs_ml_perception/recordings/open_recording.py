"""Opening recordings of every format, by path or, if shipped with the package, by name."""

from __future__ import annotations

import sys
from pathlib import Path

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.files import check_regular, shared_folders
from rs_ml_perception.recordings.bag_reader import unfinished
from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.message_types import one_line
from rs_ml_perception.recordings.realsense_bag import RealsenseBag
from rs_ml_perception.recordings.realsense_db3 import RealsenseDb3, is_realsense_db3
from rs_ml_perception.recordings.recording import Recording
from rs_ml_perception.recordings.rosbag2 import Rosbag2Recording
from rs_ml_perception.recordings.storages import is_unfinished_mcap

FORMATS = 'a rosbag2 directory, a .mcap or .db3 file, or a RealSense .bag'


FOLDER = 'recordings'
DEFAULT_RECORDING = 'synthetic_room'
"""The recording that the demo and the benchmark play by default."""


def open_recording(path: Path | str, camera: str = '') -> Recording:
    """Open a recording of any known format.

    Args:
        path: a rosbag2 directory (mcap or sqlite3), a single .mcap or .db3 file, or a .bag. A
            .bag or .db3 that librealsense recorded is presented on the driver's topics.
        camera: namespace of the camera to use where the recording holds several, see
            `camera_topics`.

    Raises:
        InputError: it does not exist, is no recording, is damaged or empty, or holds no camera of
            that name.
    """
    recording = _open(Path(path))
    recording.camera = camera
    if camera:
        try:
            camera_topics(recording)
        except InputError:
            recording.close()
            raise
    return recording


def _open(path: Path) -> Recording:
    try:
        if not path.exists():
            raise InputError(f'recording {path} does not exist: pass {FORMATS}')
        # A pipe would never answer.
        files = [f for f in path.iterdir() if not f.is_dir()] if path.is_dir() else [path]
    except OSError as error:  # a folder that must not be entered
        raise InputError(f'recording {path} cannot be read: {error.strerror}') from error
    for file in files:
        check_regular(file, max_bytes=sys.maxsize)
    if path.is_dir():
        _check_directory(path)
        return Rosbag2Recording(path)
    if path.suffix in ('.mcap', '.db3'):
        return _open_file(path)
    if path.suffix == '.bag':
        return RealsenseBag(path)
    raise InputError(f'{path} is no recording: pass {FORMATS}')


def _open_file(path: Path) -> Recording:
    recording = Rosbag2Recording(path)
    if not is_realsense_db3(recording):
        return recording
    try:
        return RealsenseDb3(recording)
    except Exception as error:  # damaged intrinsics, units or stamps
        recording.close()
        if isinstance(error, InputError):
            raise
        raise InputError(f'recording {path} is damaged: {one_line(error)}') from error


def is_recording(path: Path) -> bool:
    """Whether a path looks like a recording, without reading it."""
    if path.is_dir():
        return (path / 'metadata.yaml').is_file() or any(path.glob('*.mcap'))
    return path.suffix in ('.mcap', '.db3', '.bag')


def _check_directory(path: Path) -> None:
    if (path / 'metadata.yaml').is_file():
        return
    files = sorted([*path.glob('*.mcap'), *path.glob('*.db3')])
    broken = [file for file in files if file.suffix == '.mcap' and is_unfinished_mcap(file)]
    if broken:
        raise InputError(f'recording {path} has no metadata.yaml, {unfinished(broken[0])}')
    if files:
        raise InputError(
            f'recording {path} has no metadata.yaml, its recorder was killed: '
            f'run `ros2 bag reindex {path}`, or pass {files[0]} itself'
        )
    raise InputError(f'{path} is no recording, it holds no metadata.yaml: pass {FORMATS}')


def shipped_recording(name: str = DEFAULT_RECORDING) -> Path:
    """A recording that came with the package, by name.

    Raises:
        InputError: it is not installed; the message names the searched folders.
    """
    folders = shared_folders(FOLDER)
    for folder in folders:
        if (folder / name / 'metadata.yaml').is_file():
            return folder / name
    looked = ', '.join(str(folder) for folder in folders) or 'no folder of that name'
    raise InputError(
        f'the recording {name} was not installed with the package (looked in {looked}): install '
        'from a full checkout, or pass a recording of your own'
    )
