"""Samples of a data set as the files that `rs-ml` takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample
from rs_ml_training.prediction.files import file_stem, write_picture

PICTURES, DEPTH, INFRARED = 'pictures', 'depth', 'infrared'


def hand_over_pictures(reader: Reader, folder: Path) -> None:
    """Write pictures/<name>.png, and depth/<name>.png of samples with measured depth."""
    for name in (PICTURES, DEPTH):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for sample in _samples(reader):
        stem = file_stem(sample.name)
        if sample.image is None:
            raise InputError(f'{sample.name} has no picture')
        write_picture(folder / PICTURES / f'{stem}.png', sample.image)
        if sample.raw_depth_m is not None:
            write_picture(folder / DEPTH / f'{stem}.png', millimetres(sample.raw_depth_m))


def hand_over_depth(reader: Reader, folder: Path) -> None:
    """Write depth/<name>.png, and infrared/<name>.png of samples with infrared.

    Raises:
        InputError: a sample has no measured depth.
    """
    for name in (DEPTH, INFRARED):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for sample in _samples(reader):
        stem = file_stem(sample.name)
        if sample.raw_depth_m is None:
            raise InputError(f'{sample.name} has no measured depth')
        write_picture(folder / DEPTH / f'{stem}.png', millimetres(sample.raw_depth_m))
        if sample.infrared is not None:
            write_picture(folder / INFRARED / f'{stem}.png', _eight_bit(sample.infrared))


def millimetres(depth_m: np.ndarray) -> np.ndarray:
    """uint16 mm of float metres (H, W); unknown and too far for it is 0."""
    depth_mm = np.rint(np.nan_to_num(depth_m, posinf=0.0, neginf=0.0) * 1000)
    return np.where(depth_mm <= np.iinfo(np.uint16).max, depth_mm, 0).astype(np.uint16)


def _samples(reader: Reader) -> Iterator[Sample]:
    return (reader.read(index) for index in range(len(reader)))


def _eight_bit(infrared: np.ndarray) -> np.ndarray:
    if infrared.dtype == np.uint8:
        return infrared
    return cv2.convertScaleAbs(infrared, alpha=1 / 257)
