"""Input of the benchmarks: unseen synthetic rooms, and samples as files for `rs-ml`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample
from rs_ml_training.data.text_files import read_text
from rs_ml_training.prediction.result_files import file_stem, write_image
from rs_ml_training.synth.options import Side
from rs_ml_training.synth.writing.data_set import INTEL, NYU, UPRIGHT, SetOptions

from benchmarks.accuracy.definitions import AccuracyOptions

IMAGES, DEPTH, INFRARED = 'images', 'depth', 'infrared'
QUICK_ROOMS = 2


def write_images(reader: Reader, folder: Path) -> None:
    """Write images/<name>.png, and depth/<name>.png of samples with measured depth."""
    for name in (IMAGES, DEPTH):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for sample in _samples(reader):
        stem = file_stem(sample.name)
        if sample.image is None:
            raise InputError(f'{sample.name} has no image')
        write_image(folder / IMAGES / f'{stem}.png', sample.image)
        if sample.raw_depth_m is not None:
            write_image(folder / DEPTH / f'{stem}.png', millimetres(sample.raw_depth_m))


def write_depth_images(reader: Reader, folder: Path) -> None:
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
        write_image(folder / DEPTH / f'{stem}.png', millimetres(sample.raw_depth_m))
        if sample.infrared is not None:
            write_image(folder / INFRARED / f'{stem}.png', _eight_bit(sample.infrared))


def millimetres(depth_m: np.ndarray) -> np.ndarray:
    """Float metres (H, W) as uint16 mm; unknown depth and overflow are 0."""
    depth_mm = np.rint(np.nan_to_num(depth_m, posinf=0.0, neginf=0.0) * 1000)
    return np.where(depth_mm <= np.iinfo(np.uint16).max, depth_mm, 0).astype(np.uint16)


def _samples(reader: Reader) -> Iterator[Sample]:
    return (reader.read(index) for index in range(len(reader)))


def _eight_bit(infrared: np.ndarray) -> np.ndarray:
    if infrared.dtype == np.uint8:
        return infrared
    return cv2.convertScaleAbs(infrared, alpha=1 / 257)


class UnseenRooms:
    """A set of rooms unseen in training: a given one, or one rendered on first use.

    Args:
        given: folder of a set, or None.
        wanted: rooms to render.
        folder: for the rendered set.
    """

    def __init__(self, given: Path | None, wanted: SetOptions, folder: Path) -> None:
        self._given, self._wanted, self._folder = given, wanted, folder

    def path(self) -> Path:
        """The folder of the set.

        Raises:
            ConfigError: embreex, which renders rooms, is not installed.
            InputError: the given set is one for training.
        """
        if self._given is not None:
            _require_test_side(self._given)
            return self._given
        if not self._folder.exists():
            _render(self._wanted, self._folder)
        return self._folder


def unseen_rooms(options: AccuracyOptions, folder: Path) -> UnseenRooms:
    """Rooms with several exposures for the depth camera."""
    count = QUICK_ROOMS if options.quick else options.rooms
    wanted = _wanted(options, count=count, repeats=options.exposures, layouts=(INTEL,))
    return UnseenRooms(options.synth, wanted, folder)


def still_rooms(options: AccuracyOptions, folder: Path) -> UnseenRooms:
    """Few rooms with many exposures."""
    count, repeats = (1, 14) if options.quick else (2, 30)
    wanted = _wanted(options, count=count, repeats=repeats, layouts=(INTEL,))
    return UnseenRooms(None, wanted, folder)


def upright_rooms(options: AccuracyOptions, folder: Path) -> UnseenRooms:
    """Rooms with an upright person in full view of the colour camera."""
    count = QUICK_ROOMS if options.quick else options.upright_rooms
    wanted = _wanted(options, count=count, layouts=(NYU,), people=UPRIGHT)
    return UnseenRooms(options.upright, wanted, folder)


def _wanted(options: AccuracyOptions, **more: Any) -> SetOptions:
    return SetOptions(seed=options.seed, side=Side.TEST.value, **more)


def _require_test_side(path: Path) -> None:
    file = path / 'synth.yaml'
    if not file.exists():
        return
    try:
        side = yaml.safe_load(read_text(file))['options']['side']
    except (yaml.YAMLError, TypeError, KeyError) as error:
        raise InputError(f'{file} is not what rs-ml-data synth writes: {error!r}') from error
    if side != Side.TEST.value:
        raise InputError(f'{path} holds rooms of the side {side!r}: give some of --side test')


def _render(wanted: SetOptions, folder: Path) -> None:
    try:
        import embreex  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f'rendering needs embreex ({error}): pip install embreex, or give --synth, --upright'
        ) from error
    from rs_ml_training.synth.writing.data_set import write_frame_set

    write_frame_set(folder, wanted)
