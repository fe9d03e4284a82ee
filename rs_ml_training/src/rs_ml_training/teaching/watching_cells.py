"""What a detector of cells says of a picture everywhere, in place of the boxes it would report."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import RsMlError
from rs_ml_perception.core.preprocess import Preprocessor
from rs_ml_perception.inference.model import load_model

from rs_ml_training.errors import ConfigError

_DECODER, _OUTPUT = 'gfl', 'scores'


class WatchingCells:
    """Called with a picture it gives the scores that a network with the same cells should give.

    Args:
        model: directory or name of a model with a generalized focal head.
        labels: the classes that are taught, in their order.
        size: (width, height) of the pictures.

    Raises:
        ConfigError: it cannot be loaded, is no such model, has another input size, or does not
            know a class.
    """

    def __init__(self, model: Path | str, labels: Sequence[str], size: tuple[int, int]) -> None:
        try:
            self._model = load_model(model, threads=1)
        except RsMlError as error:
            raise ConfigError(f'--teacher {model}: {error}') from error
        manifest = self._model.manifest
        if manifest.decoder != _DECODER:
            raise ConfigError(
                f'--teacher {model} has the decoder {manifest.decoder}: scores of cells are '
                f'taught by a model with the decoder {_DECODER}'
            )
        if manifest.input.size != tuple(size):
            raise ConfigError(
                f'--teacher {model} sees pictures of {manifest.input.size}: give it as '
                f'--input-size, or export the teacher at {size[0]}x{size[1]}'
            )
        ids = {name: class_id for class_id, name in manifest.labels.names.items()}
        unknown = [label for label in labels if label not in ids]
        if unknown:
            raise ConfigError(f'the teacher does not know {", ".join(unknown)}: leave it out')
        self._channels = [ids[label] for label in labels]
        self._prepare = Preprocessor(manifest.input)
        self._lock = threading.Lock()

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Scores 0..1, float32 (N, C), of a picture uint8 (H, W, 3) RGB."""
        tensor, _ = self._prepare(image)
        with self._lock:
            logits = self._model({self._model.manifest.input.name: tensor})[_OUTPUT][0]
        chosen = np.asarray(logits, np.float32)[:, self._channels]
        return 1 / (1 + np.exp(-chosen))
