"""Measured depth of data sets, recordings and plain files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.encodings import read_depth
from rs_ml_training.data.formats import FORMATS, open_data
from rs_ml_training.data.pairing import natural_key

_SUFFIXES = ('.png', '.tif', '.tiff')


def depth_maps(source: str) -> Iterator[np.ndarray]:
    """The depth maps of a source as the camera measured them, float32 (H, W) [m], 0: none.

    Args:
        source: FORMAT:PATH; a rosbag2 folder or a .bag; a folder of 16-bit [mm] or
            float32 [m] images or one of them.

    Raises:
        InputError: it does not exist or holds no depth.
    """
    if source.partition(':')[0] in FORMATS:
        yield from _of_data(source)
        return
    path = Path(source)
    if not path.exists():
        raise InputError(f'{path} does not exist: give FORMAT:PATH, a recording or depth images')
    if path.suffix == '.bag' or (path / 'metadata.yaml').is_file():
        yield from _recorded(path)
        return
    for file in _pictures(path):
        yield read_depth(file, encoding=None)


def _of_data(source: str) -> Iterator[np.ndarray]:
    reader = open_data(source)
    for index in range(len(reader)):
        sample = reader.read(index)
        depth_m = sample.depth_m if sample.raw_depth_m is None else sample.raw_depth_m
        if depth_m is None:
            raise InputError(f'{source} has no depth')
        yield depth_m


def _recorded(path: Path) -> Iterator[np.ndarray]:
    from rs_ml_perception.recordings.depth_frames import depth_frames
    from rs_ml_perception.recordings.open_recording import open_recording

    with open_recording(path) as recording:
        for frame in depth_frames(recording):
            if frame.depth is not None:
                yield np.nan_to_num(frame.depth.depth_m)


def _pictures(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    files = [file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES]
    if not files:
        raise InputError(f'{path} holds no {", ".join(_SUFFIXES)}')
    return sorted(files, key=lambda file: natural_key(file.stem))
