"""Denoised depth beside the frames that it was made from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.pairing import files_by_stem

_STEMS = ('res_denoised-{}', 'res-{}_depth', '{}_depth')
"""Of Intel's wrapper, of predictions from files and from data sets, by the id of a frame."""


def find_denoised(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """16-bit PNGs in millimetres by the name of their sample; samples without one are left out.

    Args:
        folder: holds `res_denoised-N.png`, or `res-N_depth.png`, or `N_depth.png`.
        names: of the samples.

    Raises:
        InputError: there is no such folder.
    """
    files = files_by_stem(folder, ['.png'])
    found = {}
    for name in names:
        stems = (stem.format(name) for stem in _STEMS)
        path = next((files[stem] for stem in stems if stem in files), None)
        if path is not None:
            found[name] = path
    return found


def require_denoised(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """As `find_denoised`.

    Raises:
        InputError: there is no such folder, or it holds none.
    """
    found = find_denoised(folder, names)
    if not found:
        shown = ', '.join(stem.format('N') + '.png' for stem in _STEMS)
        raise InputError(f'{folder} holds no denoised depth of these frames: {shown}')
    return found
