"""Your data: a folder of images and a folder of class ids or depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.classes import ClassMapping, coding_mapping, guessed_coding
from rs_ml_training.data.encodings import read_depth, require_encoding
from rs_ml_training.data.image_files import (
    SUFFIXES,
    read_labels,
    read_rgb,
    read_stored,
    require_size,
)
from rs_ml_training.data.pairing import chosen_names, files_by_stem, read_names, require_pairs
from rs_ml_training.data.reader import NamedReader
from rs_ml_training.data.sample import Sample
from rs_ml_training.data.text_files import read_camera, read_license, read_scenes

DEPTH = 'depth'
TRUTH_FOLDERS = ('gt', 'mask', 'depth')
_MASK_SUFFIX = '_mask'
_NAMES_FILE = 'labels.txt'


class PairedFolder(NamedReader):
    """`rgb/` and `gt/` (or `mask/` or `depth/`) paired by stem; 'n_mask' belongs to 'n'.

    `depth/` holds depth; elsewhere the files decide: more than 8 bits are depth, only 0 and 255
    are a binary mask (unless there are other than two names), anything else are class ids, 255
    for unlabelled. With `gt/` or `mask/` present, `depth/` is read only if depth is asked for.
    `labels.txt` names the classes, a line each; `intrinsics.yaml` gives the camera.
    """

    def __init__(
        self,
        path: Path,
        list_file: str | Path | None = None,
        kind: str | None = None,
        labels: Sequence[str] | str | None = None,
        values: Sequence[int] | None = None,
        encoding: str | None = None,
        max_depth_m: float | None = None,
        block: int = 1,
    ) -> None:
        """Pair the files.

        Args:
            path: the folder.
            list_file: stems, one a line; looked for in `path` too. None: all.
            kind: depth, index, binary (foreground from 200 on) or foreground (from 1 on);
                None: as the files show.
            labels: class names, or a text with commas between; None: those of labels.txt, else
                numbered up to the greatest id found.
            values: stored value of each class, where those are no ids.
            encoding: of depth, a name of encodings.ENCODINGS; given, the truth is depth.
                None: mm.
            max_depth_m: for the encoding share-of-max.
            block: so many successive files are a scene; 1: as `scenes.csv` says, else each.

        Raises:
            ConfigError: an option is invalid.
            InputError: a folder is missing or empty, a file has no partner.
        """
        path = Path(path)
        if block < 1:
            raise ConfigError(f'block {block} is no number of files: give 1 or more')
        kind = DEPTH if encoding and not kind else kind
        self._encoding, self._max_depth_m = encoding or 'mm', max_depth_m
        require_encoding(self._encoding, max_depth_m)
        folder = _truth_folder(path, wants_depth=kind == DEPTH)
        self._pairs = _pairs(path, folder)
        self._names = chosen_names(self._pairs, list_file, path)
        self._scenes = {n: f'block-{i // block}' for i, n in enumerate(self._pairs)}
        if block == 1:
            self._scenes |= read_scenes(path)
        self._camera = read_camera(path)
        self.license = read_license(path)
        truths = [truth for _, truth in self._pairs.values()]
        self._mapping: ClassMapping | None = None
        if (kind or _guessed_kind(folder, truths)) != DEPTH:
            names = _names(labels, path)
            coding = kind or guessed_coding(truths, names)
            self._mapping = coding_mapping(coding, names, values, truths)
            self.labels = self._mapping.labels

    def read(self, index: int) -> Sample:
        rgb, truth = self._pairs[self._names[index]]
        image = read_rgb(rgb)
        size = image.shape[1], image.shape[0]
        sample = Sample(
            name=self.name(index),
            scene=self.scene(index),
            image=image,
            intrinsics=self._camera and self._camera.resized(*size),
        )
        if self._mapping is None:
            depth_m = read_depth(truth, self._encoding, self._max_depth_m)
            return replace(sample, depth_m=require_size(truth, depth_m, size))
        stored = require_size(truth, read_labels(truth), size)
        return replace(sample, labels=self._mapping.map(stored, truth))


def _truth_folder(path: Path, *, wants_depth: bool) -> Path:
    names = sorted(TRUTH_FOLDERS, key=lambda name: wants_depth and name != DEPTH)
    folder = next((path / name for name in names if (path / name).is_dir()), None)
    if folder is None:
        raise InputError(f'{path} has none of {", ".join(TRUTH_FOLDERS)} next to rgb')
    return folder


def _pairs(path: Path, folder: Path) -> dict[str, tuple[Path, Path]]:
    rgb = files_by_stem(path / 'rgb')
    found = files_by_stem(folder, [*SUFFIXES, '.npy', '.raw'])
    truth = {s if s in rgb else s.removesuffix(_MASK_SUFFIX): file for s, file in found.items()}
    require_pairs(rgb, truth, folder)
    require_pairs(truth, rgb, path / 'rgb')
    if not rgb:
        raise InputError(f'{path / "rgb"} is empty: put the images there')
    return {stem: (file, truth[stem]) for stem, file in rgb.items()}


def _guessed_kind(folder: Path, truths: Sequence[Path]) -> str | None:
    first = truths[0]
    is_depth = folder.name == DEPTH or first.suffix.lower() in ('.npy', '.raw')
    return DEPTH if is_depth or read_stored(first).dtype != np.uint8 else None


def _names(labels: Sequence[str] | str | None, path: Path) -> list[str] | None:
    if isinstance(labels, str):
        return [name.strip() for name in labels.split(',')]
    if labels is not None:
        return list(labels)
    file = path / _NAMES_FILE
    return read_names(file) if file.is_file() else None
