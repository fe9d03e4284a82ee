"""Frames of a stereo camera: those that Intel published, and those of the synthetic world."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.encodings import read_depth
from rs_ml_training.data.image_files import read_gray, read_labels, read_rgb, require_size
from rs_ml_training.data.indoor_classes import INDOOR_COLORS, INDOOR_LABELS
from rs_ml_training.data.pairing import chosen_names, files_by_stem, require_pairs
from rs_ml_training.data.reader import NamedReader
from rs_ml_training.data.sample import IGNORE, Sample
from rs_ml_training.data.text_files import read_camera, read_license, read_scenes

RAW, TRUTH, LEFT, RIGHT = 'res', 'gt', 'left', 'right'

_STEMS = ('res_denoised-{}', 'res-{}_depth', '{}_depth')
"""Of Intel's wrapper, of predictions from files and from data sets, by the id of a frame."""

STEREO, COLOR = 'intel', 'nyu'

_RGB, _DEPTH, _RAW, _LABELS = _FOLDERS = ('rgb', 'depth', 'raw', 'gt')


class IntelDenoise(NamedReader):
    """One folder of `res-N.png`, `left-N.png`, `gt-N.png` and maybe `right-N.png` for each id N.

    Depth is 16-bit millimetres in the frame of the left infrared camera. Without any `gt`
    (images to denoise) there is no `depth_m`. An `intrinsics.yaml` gives the camera. A
    `scenes.csv` says which frames belong together, as tiles of one image; else every frame is a
    separate scene.
    """

    def __init__(
        self, path: Path, list_file: str | Path | None = None, right: bool = False
    ) -> None:
        """Pair the files.

        Args:
            path: the folder.
            list_file: ids, one a line; looked for in `path` too. None: all.
            right: read the right infrared image too, as `extra['right']`.

        Raises:
            InputError: a file without partner, an id in the list without files.
        """
        path = Path(path)
        self._files = _by_kind(path)
        kinds = [RAW, LEFT] + [TRUTH] * bool(self._files[TRUTH]) + [RIGHT] * right
        for kind in kinds[1:]:
            require_pairs(self._files[RAW], self._files[kind], path / f'{kind}-*.png')
            require_pairs(self._files[kind], self._files[RAW], path / f'{RAW}-*.png')
        self._kinds = kinds
        self._names = chosen_names(self._files[RAW], list_file, path)
        self._camera = read_camera(path)
        self.license = read_license(path)
        self._scenes = read_scenes(path)

    def read(self, index: int) -> Sample:
        number = self._names[index]
        raw_depth_m = read_depth(self._files[RAW][number])
        size = raw_depth_m.shape[1], raw_depth_m.shape[0]
        return Sample(
            name=number,
            scene=self.scene(index),
            raw_depth_m=raw_depth_m,
            depth_m=self._depth(number, size) if TRUTH in self._kinds else None,
            infrared=self._infrared(LEFT, number, size),
            intrinsics=self._camera and self._camera.resized(*size),
            extra={RIGHT: self._infrared(RIGHT, number, size)} if RIGHT in self._kinds else {},
        )

    def _depth(self, number: str, size: tuple[int, int]) -> np.ndarray:
        path = self._files[TRUTH][number]
        return require_size(path, read_depth(path), size)

    def _infrared(self, kind: str, number: str, size: tuple[int, int]) -> np.ndarray:
        path = self._files[kind][number]
        return require_size(path, read_gray(path), size)


def _by_kind(path: Path) -> dict[str, dict[str, Path]]:
    """Files by kind and id; others, as `res_denoised-N.png`, are left alone."""
    found: dict[str, dict[str, Path]] = {kind: {} for kind in (RAW, TRUTH, LEFT, RIGHT)}
    for stem, file in files_by_stem(path, ['.png']).items():
        kind, separator, number = stem.partition('-')
        if separator and kind in found:
            found[kind][number] = file
    return found


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


class SynthStereo(IntelDenoise):
    """The frames of the depth camera; the path is that of the set or of its folder `intel`."""

    def __init__(
        self, path: Path, list_file: str | Path | None = None, right: bool = False
    ) -> None:
        """Pair the files; see `IntelDenoise`."""
        super().__init__(_part(path, STEREO), list_file, right)


class SynthColor(NamedReader):
    """The frames of the colour camera; the path is that of the set or of its folder `nyu`.

    `rgb/`, `depth/` (exact), `raw/` (as the camera registers its depth) and `gt/` (ids of
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
