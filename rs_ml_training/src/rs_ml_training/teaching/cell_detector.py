"""A model directory whose detector ends at the cells of a generalized focal head."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError, RsMlError
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.inference.preprocess import ImageTransform, Preprocessor

from rs_ml_training.prediction.box_decoding import STRIDES, boxes_of_cells
from rs_ml_training.teaching.frozen_detector import TeacherDetections

# Decoder -> outputs of a model that can be a teacher.
_OUTPUTS = {'gfl': ('scores', 'distances'), 'gfl_head': ('head',)}
_SIDES, _BINS = 4, 8


class CellModel:
    """Runs the model on images, from any thread.

    Args:
        model: directory or name of the model.

    Attributes:
        labels: class names in the order of its scores.
        size: (width, height) of its input.

    Raises:
        ConfigError: it cannot be loaded, or has another head.
    """

    def __init__(self, model: Path | str) -> None:
        try:
            self._model = load_model(model, threads=1)
        except RsMlError as error:
            raise ConfigError(f'{model} cannot teach: {error}') from error
        manifest = self._model.manifest
        if manifest.decoder not in _OUTPUTS or manifest.input.size is None:
            raise ConfigError(
                f'{model} has the decoder {manifest.decoder}: only models with the decoders '
                f'{" and ".join(_OUTPUTS)} and a fixed input size teach'
            )
        _require_same_cells(manifest.decoder_options, model)
        self.labels = tuple(manifest.labels.names.values())
        self.size = manifest.input.size
        self._prepare = Preprocessor(manifest.input)
        self._lock = threading.Lock()

    def logits(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray, ImageTransform]:
        """Scores (N, C) and distances (N, 4 * bins) of an image uint8 (H, W, 3) RGB.

        Returns:
            Both float32, and the mapping from the network input back to the image.
        """
        manifest = self._model.manifest
        tensor, transform = self._prepare(image)
        with self._lock:
            outputs = self._model({manifest.input.name: tensor})
            arrays = [np.array(outputs[n][0], np.float32) for n in _OUTPUTS[manifest.decoder]]
        if len(arrays) == 1:
            bins = int(manifest.decoder_options.get('bins', _BINS))
            arrays = _apart(arrays[0], _SIDES * bins)
        return arrays[0], arrays[1], transform


def _require_same_cells(options: Mapping[str, Any], model: Path | str) -> None:
    strides, offset = options.get('strides', STRIDES), options.get('cell_offset', 0)
    if tuple(strides) != STRIDES or offset:
        raise ConfigError(
            f'{model} has cells of strides {list(strides)} and cell_offset {offset:g}: only '
            f'those of strides {list(STRIDES)} without an offset teach'
        )


def _apart(head: np.ndarray, distances: int) -> list[np.ndarray]:
    """Scores (N, C) and distances (N, ...) of one tensor, whichever axis the cells are."""
    head = head if head.shape[0] > head.shape[1] else head.T
    return [head[:, :-distances], head[:, -distances:]]


class CellDetector:
    """A detector with the interface of FrozenDetector.

    Args:
        model: directory or name of the model.

    Attributes:
        labels: class names, in the order of the ids.
    """

    def __init__(self, model: Path | str) -> None:
        self._model = CellModel(model)
        self.labels = self._model.labels

    def __call__(self, image: np.ndarray) -> TeacherDetections:
        """Find objects in an image, uint8 (H, W, 3) RGB."""
        scores, distances, transform = self._model.logits(image)
        found = boxes_of_cells(scores, distances, self._model.size)
        height, width = image.shape[:2]
        xyxy = np.clip(transform.boxes_to_source(found.xyxy), 0, [width, height] * 2)
        return TeacherDetections(xyxy.astype(np.float32), found.scores, found.class_ids)


class CellTeacher:
    """A teacher for networks with the same cells: an image -> target scores.

    Args:
        model: directory or name of the model.
        labels: the classes to teach, in order.
        size: (width, height) of the images.

    Raises:
        ConfigError: the model has another head or input size, or lacks a class.
    """

    def __init__(self, model: Path | str, labels: tuple[str, ...], size: tuple[int, int]) -> None:
        self._model = CellModel(model)
        if self._model.size != tuple(size):
            raise ConfigError(
                f'--teacher {model} reads images of {self._model.size}: give it as '
                f'--input-size, or export the teacher at {size[0]}x{size[1]}'
            )
        unknown = [label for label in labels if label not in self._model.labels]
        if unknown:
            raise ConfigError(f'the teacher has no class {", ".join(unknown)}: leave it out')
        self._channels = [self._model.labels.index(label) for label in labels]

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Scores 0..1, float32 (N, C), of an image uint8 (H, W, 3) RGB."""
        scores, _, _ = self._model.logits(image)
        return np.asarray(1 / (1 + np.exp(-scores[:, self._channels])))
