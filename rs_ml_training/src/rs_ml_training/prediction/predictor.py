"""A trained network used on samples of any size, as the exported model will be used."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.sample import Sample
from rs_ml_training.prediction.heads import HEADS, Arrays, Predict, PredictOptions
from rs_ml_training.prediction.results import Prediction
from rs_ml_training.prediction.view import view_of
from rs_ml_training.trained import ModelSpec, Trained

if TYPE_CHECKING:
    import keras


class Predictor:
    """Runs a network on samples.

    Example:
        >>> predictor = predictor_of(trained.load(Path('runs/depth')))  # doctest: +SKIP
        >>> predictor(sample).depth_m.shape == sample.image.shape[:2]  # doctest: +SKIP
        True

    Attributes:
        spec: of the network.
        options: how it is used.
    """

    def __init__(
        self, spec: ModelSpec, predict: Predict, options: PredictOptions | None = None
    ) -> None:
        """Prepare a network.

        Args:
            spec: task, input size, crop and ranges of the network.
            predict: named inputs (B, H, W, C) to named outputs (B, ...); any backend, any weights.
            options: how it is used.

        Raises:
            ConfigError: no such task.
        """
        if spec.task not in HEADS:
            raise ConfigError(f'no task {spec.task!r}; there are {", ".join(HEADS)}')
        self.spec, self.options = spec, options or PredictOptions()
        self._predict, self._head = predict, HEADS[spec.task](spec, self.options)

    def __call__(self, sample: Sample) -> Prediction:
        """The result for one sample, in its pixels.

        Raises:
            InputError: the sample lacks what the network needs.
            ConfigError: its focal length is needed and not known.
        """
        return self.batch([sample])[0]

    def batch(self, samples: Sequence[Sample]) -> list[Prediction]:
        """Results for several samples, which may differ in size; see `__call__`."""
        if not samples:
            return []
        size, crop, kb_crop = self.spec.input_size, self.spec.crop, self.options.kb_crop
        views = [view_of(sample.size, size, crop, kb_crop) for sample in samples]
        pairs = list(zip(samples, views, strict=True))
        outputs = self._outputs([self._head.inputs(sample, view) for sample, view in pairs])
        return [
            self._head.result(found, view, sample)
            for found, (sample, view) in zip(outputs, pairs, strict=True)
        ]

    def _outputs(self, inputs: Sequence[Arrays]) -> list[Arrays]:
        stacked = {name: np.stack([item[name] for item in inputs]) for name in inputs[0]}
        outputs = _unstacked(self._predict(stacked))
        if not self.options.flip:
            return outputs
        mirrored = {name: np.ascontiguousarray(v[:, :, ::-1]) for name, v in stacked.items()}
        others = [_mirrored(found) for found in _unstacked(self._predict(mirrored))]
        return [self._head.averaged(*both) for both in zip(outputs, others, strict=True)]


def predictor_of(trained: Trained, options: PredictOptions | None = None) -> Predictor:
    """A predictor of a loaded network, at the size that it was built for."""
    built = trained.model.inputs[0].shape[1:3]
    spec = trained.spec
    if None not in built:
        spec = dataclasses.replace(spec, input_size=(built[1], built[0]))
    return Predictor(spec, predict_with(trained.model), options)


def predict_with(model: keras.Model) -> Predict:
    """Arrays in, arrays out, with the weights that the model has when called."""

    def predict(inputs: Arrays) -> Arrays:
        outputs = model.predict_on_batch(inputs)
        return {name: np.asarray(value) for name, value in outputs.items()}

    return predict


def _unstacked(outputs: Any) -> list[Arrays]:
    count = len(next(iter(outputs.values())))
    return [{name: np.asarray(value[i]) for name, value in outputs.items()} for i in range(count)]


def _mirrored(outputs: Arrays) -> Arrays:
    return {name: value[:, ::-1] for name, value in outputs.items()}
