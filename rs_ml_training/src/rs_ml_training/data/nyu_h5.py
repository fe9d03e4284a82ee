"""NYU Depth v2 as FastDepth keeps it: an HDF5 file a frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.encodings import decode
from rs_ml_training.data.nyu_labelled import CAMERA
from rs_ml_training.data.pairing import chosen_names, natural_key
from rs_ml_training.data.reader import NamedReader
from rs_ml_training.data.sample import Sample

HELD_OUT = ('00001.h5', '00201.h5')
"""Of every training scene: what FastDepth keeps from training."""


class NyuH5(NamedReader):
    """A tree of folders with `*.h5`: `rgb` uint8 (3, H, W) and `depth` float32 (H, W) [m].

    A scene is a room: the folder without the letter that numbers its recordings.
    """

    license = 'NYU Depth v2: research use only'

    def __init__(
        self, path: Path, list_file: str | Path | None = None, part: str | None = None
    ) -> None:
        """List the files.

        Args:
            path: the folder of the scenes, as train/ or val/.
            list_file: names of samples, one a line; looked for in `path` too. None: all.
            part: 'train' leaves out the frames that FastDepth holds out, 'holdout' gives only
                those. They share scenes with the rest, so they say little.

        Raises:
            ConfigError: no such part.
        """
        path = Path(path)
        if part not in (None, 'train', 'holdout'):
            raise ConfigError(f"part {part!r} is neither 'train' nor 'holdout'")
        files = sorted(path.rglob('*.h5'), key=lambda file: natural_key(str(file)))
        if part:
            files = [f for f in files if (f.name in HELD_OUT) == (part == 'holdout')]
        self._files = {_name(file, path): file for file in files}
        self._names = chosen_names(self._files, list_file, path)

    def scene(self, index: int) -> str:
        return room(self._files[self._names[index]].parent.name)

    def read(self, index: int) -> Sample:
        image, depth_m = _read(self._files[self._names[index]])
        return Sample(
            name=self.name(index),
            scene=self.scene(index),
            image=image,
            depth_m=depth_m,
            intrinsics=CAMERA.resized(image.shape[1], image.shape[0]),
        )


def room(folder: str) -> str:
    """'kitchen_0004' of 'kitchen_0004b': the recordings of one room are one scene."""
    return folder[:-1] if folder[-2:-1].isdigit() and folder[-1:].isalpha() else folder


def _name(file: Path, root: Path) -> str:
    return '_'.join(file.relative_to(root).with_suffix('').parts)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    import h5py

    try:
        with h5py.File(path) as file:
            rgb, depth = np.asarray(file['rgb']), np.asarray(file['depth'])
    except (OSError, KeyError, TypeError) as error:
        raise InputError(f'{path} is damaged or lacks rgb or depth: fetch it again') from error
    if rgb.dtype != np.uint8 or rgb.shape != (3, *depth.shape):
        raise InputError(
            f'{path} holds rgb {rgb.dtype} {rgb.shape} and depth {depth.shape}: '
            'expected uint8 (3, H, W) and (H, W)'
        )
    return np.ascontiguousarray(rgb.transpose(1, 2, 0)), decode(depth, 'metres')
