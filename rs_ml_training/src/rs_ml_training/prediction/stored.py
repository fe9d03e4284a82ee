"""Predictions that lie in files, and those that need no network."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data import encodings, image_files
from rs_ml_training.data.sample import Sample
from rs_ml_training.metrics.crops import KB_HEIGHT, KB_WIDTH, pasted_kb
from rs_ml_training.prediction.result_files import file_stem
from rs_ml_training.prediction.results import (
    BoxPrediction,
    DenoisePrediction,
    DepthPrediction,
    MaskPrediction,
    Prediction,
)

RESULTS = 'results.jsonl'


class StoredPredictions(ABC):
    """Predictions of a folder, by the name of the sample.

    Args:
        folder: where they lie.

    Raises:
        InputError: there is no such folder.
    """

    endings: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise InputError(f'{folder} is no folder: give the one that holds the predictions')
        self._folder = folder

    def batch(self, samples: Iterable[Sample]) -> list[Prediction]:
        """The predictions of some samples.

        Raises:
            InputError: a file is missing or damaged; names it.
        """
        return [self._read(sample) for sample in samples]

    @abstractmethod
    def _read(self, sample: Sample) -> Prediction: ...

    def _path(self, name: str) -> Path:
        stems = dict.fromkeys((file_stem(name), Path(name).name))
        names = [f'{stem}{ending}' for stem in stems for ending in self.endings]
        for candidate in names:
            if (self._folder / candidate).is_file():
                return self._folder / candidate
        raise InputError(f'{self._folder} has no prediction for {name}: {" or ".join(names)}')


class StoredDepth(StoredPredictions):
    """Depth files, `<name>_depth.png` or `<name>.png`.

    Args:
        folder: where they lie.
        encoding: a name of data.encodings.ENCODINGS.
        kb_crop: whether a file of 1216 x 352 shows the KITTI crop of a larger image.
    """

    endings = ('_depth.png', '.png', '_depth.tif', '.tif', '.npy')

    def __init__(self, folder: Path, encoding: str = 'mm', kb_crop: bool = False) -> None:
        super().__init__(folder)
        self._encoding, self._kb_crop = encoding, kb_crop

    def _read(self, sample: Sample) -> DepthPrediction:
        depth_m = encodings.read_depth(self._path(sample.name), self._encoding)
        if self._kb_crop and depth_m.shape == (KB_HEIGHT, KB_WIDTH):
            depth_m = pasted_kb(depth_m, sample.size[1], sample.size[0])
        return DepthPrediction(np.where(depth_m > 0, depth_m, np.float32(np.nan)))


class StoredDenoised(StoredPredictions):
    """Denoised depth files, `<name>_depth.png` or `<name>.png`; see StoredDepth."""

    endings = StoredDepth.endings

    def __init__(self, folder: Path, encoding: str = 'mm') -> None:
        super().__init__(folder)
        self._encoding = encoding

    def _read(self, sample: Sample) -> DenoisePrediction:
        return DenoisePrediction(encodings.read_depth(self._path(sample.name), self._encoding))


class StoredMasks(StoredPredictions):
    """Class ids, `<name>_mask.png` or `<name>.png`."""

    endings = ('_mask.png', '.png')

    def _read(self, sample: Sample) -> MaskPrediction:
        mask = image_files.read_labels(self._path(sample.name))
        return MaskPrediction(mask, np.ones(mask.shape, np.float32))


class StoredBoxes(StoredPredictions):
    """Boxes of `results.jsonl`, a line an image as `rs-ml detect` and rs-ml-predict write it.

    Args:
        folder: where it lies.
        labels: class names of the truth; detections of other classes do not count.

    Raises:
        InputError: the file is missing or malformed.
    """

    def __init__(self, folder: Path, labels: Sequence[str]) -> None:
        super().__init__(folder)
        ids = {name: index for index, name in enumerate(labels)}
        self._boxes = dict(_parsed(folder / RESULTS, ids))
        self._by_stem: dict[str, list[BoxPrediction]] = {}
        for image, boxes in self._boxes.items():
            self._by_stem.setdefault(_stem(image), []).append(boxes)

    def _read(self, sample: Sample) -> BoxPrediction:
        if sample.name in self._boxes:
            return self._boxes[sample.name]
        stems = dict.fromkeys((file_stem(sample.name), Path(sample.name).name))
        alike = next((self._by_stem[stem] for stem in stems if stem in self._by_stem), [])
        if len(alike) != 1:
            number = f'{len(alike)} lines' if alike else 'no line'
            raise InputError(f'{self._folder / RESULTS} has {number} for {sample.name}')
        return alike[0]


class RawDepth:
    """The measured depth as it is, the baseline of denoisers."""

    def batch(self, samples: Iterable[Sample]) -> list[DenoisePrediction]:
        """The measured depth of some samples.

        Raises:
            InputError: a sample has none.
        """
        return [DenoisePrediction(_measured(sample)) for sample in samples]


def _measured(sample: Sample) -> np.ndarray:
    if sample.raw_depth_m is None:
        raise InputError(f'{sample.name} has no measured depth')
    return sample.raw_depth_m


def _parsed(path: Path, ids: Mapping[str, int]) -> Iterable[tuple[str, BoxPrediction]]:
    if not path.is_file():
        raise InputError(f'{path} is missing: give the folder that a detector wrote')
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            entry = json.loads(line)
            yield str(entry['image']), _boxes(entry['detections'], ids)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f'line {number} of {path} is no detection result: {error}') from error


def _stem(image: str) -> str:
    """The last part of a path without the ending of an image; other dots belong to the name."""
    path = Path(image)
    return path.stem if path.suffix.lower() in image_files.SUFFIXES else path.name


def _boxes(detections: Sequence[Mapping[str, Any]], ids: Mapping[str, int]) -> BoxPrediction:
    known = [d for d in detections if d['label'] in ids]
    return BoxPrediction(
        np.array([d['box'] for d in known], np.float32).reshape(-1, 4),
        np.array([d['score'] for d in known], np.float32),
        np.array([ids[d['label']] for d in known], np.int64),
    )
