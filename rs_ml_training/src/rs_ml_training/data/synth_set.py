"""Sets of synthetic frames that `rs-ml-data synth` wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.encodings import read_depth
from rs_ml_training.data.image_files import read_labels, read_rgb, require_size
from rs_ml_training.data.indoor_classes import INDOOR_COLORS, INDOOR_LABELS
from rs_ml_training.data.intel_denoise import IntelDenoise
from rs_ml_training.data.pairing import chosen_names, files_by_stem, require_pairs
from rs_ml_training.data.reader import NamedReader
from rs_ml_training.data.sample import IGNORE, Sample
from rs_ml_training.data.text_files import read_camera, read_license, read_scenes

STEREO, COLOR = 'intel', 'nyu'
_RGB, _DEPTH, _RAW, _LABELS = _FOLDERS = ('rgb', 'depth', 'raw', 'gt')


class SynthStereo(IntelDenoise):
    """The frames of the depth camera; the path is that of the set or of its folder `intel`."""

    def __init__(
        self, path: Path, list_file: str | Path | None = None, right: bool = False
    ) -> None:
        """Pair the files; see `IntelDenoise`."""
        super().__init__(_part(path, STEREO), list_file, right)


class SynthColor(NamedReader):
    """The frames of the colour camera; the path is that of the set or of its folder `nyu`.

    `rgb/`, `depth/` (exact), `raw/` (as the camera registers what it matched) and `gt/` (ids of
    `indoor_classes`, 255: nothing there) hold one file a frame.
    """

    labels = INDOOR_LABELS
    colors = INDOOR_COLORS

    def __init__(self, path: Path, list_file: str | Path | None = None) -> None:
        """Pair the files.

        Args:
            path: the folder.
            list_file: names of frames, one a line; looked for in `path` too. None: all.

        Raises:
            InputError: a file without partner, a name in the list without files.
        """
        path = _part(path, COLOR)
        self._files = {kind: files_by_stem(path / kind) for kind in _FOLDERS}
        for kind in _FOLDERS[1:]:
            require_pairs(self._files[_RGB], self._files[kind], path / kind)
            require_pairs(self._files[kind], self._files[_RGB], path / _RGB)
        self._names = chosen_names(self._files[_RGB], list_file, path)
        self._scenes = read_scenes(path)
        self._camera = read_camera(path)
        self.license = read_license(path)

    def read(self, index: int) -> Sample:
        name = self._names[index]
        image = read_rgb(self._files[_RGB][name])
        size = image.shape[1], image.shape[0]
        return Sample(
            name=name,
            scene=self.scene(index),
            image=image,
            depth_m=self._depth(_DEPTH, name, size),
            raw_depth_m=self._depth(_RAW, name, size),
            labels=self._class_ids(name, size),
            intrinsics=self._camera and self._camera.resized(*size),
        )

    def _depth(self, kind: str, name: str, size: tuple[int, int]) -> np.ndarray:
        path = self._files[kind][name]
        return require_size(path, read_depth(path), size)

    def _class_ids(self, name: str, size: tuple[int, int]) -> np.ndarray:
        path = self._files[_LABELS][name]
        class_ids = require_size(path, read_labels(path), size)
        strange = class_ids[(class_ids >= len(self.labels)) & (class_ids != IGNORE)]
        if strange.size:
            raise InputError(f'{path} holds class {strange[0]}: there are {len(self.labels)}')
        return class_ids


def _part(path: Path, name: str) -> Path:
    inside = Path(path) / name
    return inside if inside.is_dir() else Path(path)
