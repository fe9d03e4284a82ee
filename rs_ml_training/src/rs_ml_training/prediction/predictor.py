"""A trained network used on samples of any size, as the exported model will be used."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.options import Options, option

from rs_ml_training.data.sample import Sample
from rs_ml_training.prediction.preprocess import View, view_of
from rs_ml_training.prediction.results import Prediction
from rs_ml_training.trained import ModelSpec

if TYPE_CHECKING:
    import keras

Arrays = dict[str, np.ndarray]
Predict = Callable[[Arrays], Mapping[str, np.ndarray]]
P = TypeVar('P', bound=Prediction)

UPSAMPLINGS = ('nearest', 'logits')


@dataclass(frozen=True)
class PredictOptions(Options):
    """How a network is used.

    Attributes:
        focal_correction: scale depth by the ratio of the camera's focal length to that of
            training, where both are known: with twice the focal length things look as large at
            twice the distance (Facil et al., CAM-Convs, CVPR 2019).
        upsampling: 'nearest': masks are enlarged as class ids, as exported models do;
            'logits': scores are interpolated first, which follows edges closer.
    """

    flip: bool = option(False, 'average with the mirrored image')
    kb_crop: bool = option(
        False,
        "show the network the 1216x352 crop of KITTI's benchmark instead of its own",
    )
    focal_px: float | None = option(
        None, 'focal length of images that do not state theirs', unit='px', low=1e-3
    )
    focal_correction: bool = option(True, 'scale depth to the focal length of a known camera')
    upsampling: str = option('nearest', 'of masks', choices=UPSAMPLINGS)
    min_confidence: float = option(
        0.0, 'of masks and denoised depth; below it 255, or 0 m', low=0, high=1
    )
    min_score: float = option(0.05, 'of boxes', low=0, high=1)


class PredictionHead(ABC, Generic[P]):
    """From samples to network inputs, and from its outputs to results.

    Arrays have no batch axis: (H, W, C). Each task has its head.
    """

    def __init__(self, spec: ModelSpec, options: PredictOptions) -> None:
        self.spec, self.options = spec, options

    @abstractmethod
    def inputs(self, sample: Sample, view: View) -> Arrays:
        """Named inputs of a sample, (h, w, C) float32.

        Raises:
            InputError: the sample lacks a map that the network reads.
        """

    @abstractmethod
    def result(self, outputs: Arrays, view: View, sample: Sample) -> P:
        """The result in the pixels of the sample."""

    def averaged(self, outputs: Arrays, mirrored: Arrays) -> Arrays:
        """Outputs averaged with those of the mirrored image, already mirrored back."""
        return {name: (value + mirrored[name]) / 2 for name, value in outputs.items()}

    @staticmethod
    def image(sample: Sample, view: View) -> np.ndarray:
        """The colour image as the network reads it, (h, w, 3) float32.

        Raises:
            InputError: the sample has none.
        """
        if sample.image is None:
            raise InputError(f'{sample.name} has no image')
        return view.picture(sample.image).astype(np.float32)


class Predictor:
    """Runs a network on samples.

    Example:
        >>> from rs_ml_training.tasks.registry import predictor_of  # doctest: +SKIP
        >>> predictor = predictor_of(trained.load(Path('runs/depth')))  # doctest: +SKIP
        >>> predictor(sample).depth_m.shape == sample.image.shape[:2]  # doctest: +SKIP
        True

    Attributes:
        spec: of the network.
        options: how it is used.
    """

    def __init__(self, predict: Predict, head: PredictionHead[Any]) -> None:
        """Prepare a network.

        Args:
            predict: named inputs (B, H, W, C) to named outputs (B, ...); any backend, any weights.
            head: of the network's task.
        """
        self.spec, self.options = head.spec, head.options
        self._predict, self._head = predict, head

    def __call__(self, sample: Sample) -> Prediction:
        """The result for one sample, in its pixels.

        Raises:
            InputError: the sample lacks a map that the network reads.
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


def predict_with(model: keras.Model) -> Predict:
    """Arrays in, arrays out, with the weights that the model has when called."""

    def predict(inputs: Arrays) -> Arrays:
        outputs = model.predict_on_batch(inputs)
        return {name: np.asarray(value) for name, value in outputs.items()}

    return predict


def _unstacked(outputs: Mapping[str, np.ndarray]) -> list[Arrays]:
    count = len(next(iter(outputs.values())))
    return [{name: np.asarray(value[i]) for name, value in outputs.items()} for i in range(count)]


def _mirrored(outputs: Arrays) -> Arrays:
    return {name: value[:, ::-1] for name, value in outputs.items()}
