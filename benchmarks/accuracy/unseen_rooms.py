"""Frames of rooms that training never drew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.data.text_files import read_text
from rs_ml_training.synth.options import Side
from rs_ml_training.synth.writing.data_set import INTEL, NYU, UPRIGHT, SetOptions

from benchmarks.accuracy.options import ShippedOptions

QUICK_ROOMS = 2


class UnseenRooms:
    """The set that was given, else one that is made when it is first asked for.

    Args:
        given: folder of a set, or None.
        wanted: which rooms, where they are made.
        folder: to make them in.
    """

    def __init__(self, given: Path | None, wanted: SetOptions, folder: Path) -> None:
        self._given, self._wanted, self._folder = given, wanted, folder

    def path(self) -> Path:
        """The folder of the set.

        Raises:
            ConfigError: embreex, which renders them, is not installed.
            InputError: the set that was given is one to train on.
        """
        if self._given is not None:
            _require_test_side(self._given)
            return self._given
        if not self._folder.exists():
            _render(self._wanted, self._folder)
        return self._folder


def unseen_rooms(options: ShippedOptions, folder: Path) -> UnseenRooms:
    """Rooms as they come, of which the depth camera sees several frames."""
    count = QUICK_ROOMS if options.quick else options.rooms
    wanted = _wanted(options, count=count, repeats=options.exposures, layouts=(INTEL,))
    return UnseenRooms(options.synth, wanted, folder)


def upright_rooms(options: ShippedOptions, folder: Path) -> UnseenRooms:
    """Rooms with somebody upright in full view of the colour camera."""
    count = QUICK_ROOMS if options.quick else options.upright_rooms
    wanted = _wanted(options, count=count, layouts=(NYU,), people=UPRIGHT)
    return UnseenRooms(options.upright, wanted, folder)


def _wanted(options: ShippedOptions, **more: Any) -> SetOptions:
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
