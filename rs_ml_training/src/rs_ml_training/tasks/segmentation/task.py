"""Semantic segmentation: a class for every pixel."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.options import option, override

from rs_ml_training.data.classes import class_table, with_classes
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import IGNORE, Arrays, Sample, measured_m, required
from rs_ml_training.metrics.confusion import ConfusionMatrix
from rs_ml_training.networks.registry import takes_depth
from rs_ml_training.prediction.predictor import UPSAMPLINGS, PredictionHead, PredictOptions
from rs_ml_training.prediction.preprocess import View
from rs_ml_training.prediction.results import MaskPrediction
from rs_ml_training.prediction.stored import StoredMasks
from rs_ml_training.tasks.objective import (
    Accumulated,
    Augmentation,
    Objective,
    Tensors,
)
from rs_ml_training.tasks.options import EvaluateOptions, TrainOptions, name_values
from rs_ml_training.tasks.segmentation.objective import SegmentationObjective, class_map
from rs_ml_training.tasks.task import (
    Scorer,
    ServedSample,
    ServingOptions,
    Task,
    further_outputs,
)
from rs_ml_training.trained import ModelSpec

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class SegmentationTraining(TrainOptions):
    """Semantic segmentation."""

    model: str = override('ddrnet23-slim')
    loss: str = override(
        'cross_entropy',
        doc='cross_entropy, focal, binary_cross_entropy, binary_focal, dice or cross_entropy_dice',
    )
    augment: str = override('segmentation')
    monitor: str = override('miou')
    batch_size: int = override(8)
    crop_size: tuple[int, int] | None = option(
        None, 'of the crops to train on, smaller than the input', metavar='WIDTHxHEIGHT'
    )
    textures: Path | None = option(None, "folder of backgrounds for the preset 'industrial'")
    class_weights: bool = option(False, 'weigh classes by 1 / ln(1.02 + frequency)')
    aux_weight: float = option(0.4, 'of the auxiliary head', low=0)
    unlisted_weight: float = option(0.2, 'of pixels known to be none of some classes', low=0)
    cutouts: str = option(
        '',
        'masks whose people are pasted by the preset indoor',
        metavar='FORMAT:PATH',
    )
    confidence: bool = option(False, 'train the confidence head: BCE in addition to the loss')


@dataclass(frozen=True)
class SegmentationEvaluation(EvaluateOptions):
    """Semantic segmentation: miou, dice, pixel_accuracy, iou of every class."""

    upsampling: str = option('nearest', 'of masks', choices=UPSAMPLINGS)
    min_confidence: float = option(
        0.0, 'pixels below it are left out and lower the coverage', low=0
    )


class SegmentationHead(PredictionHead[MaskPrediction]):
    """A class for every pixel, from the image and, for some networks, measured depth."""

    def inputs(self, sample: Sample, view: View) -> Arrays:
        found = {'image': self.image(sample, view)}
        if takes_depth(self.spec.network):
            found['measured_m'] = view.measured(measured_m(sample)[..., 0])[..., None]
        return found

    def averaged(self, outputs: Arrays, mirrored: Arrays) -> Arrays:
        mean = super().averaged(outputs, mirrored)
        if outputs['logits'].shape[-1] > 1:
            # Probabilities are averaged, not logits, whose scale differs from pixel to pixel.
            both = (_log_softmax(found['logits']) for found in (outputs, mirrored))
            mean['logits'] = np.logaddexp(*both) - np.log(2)
        return mean

    def result(self, outputs: Arrays, view: View, sample: Sample) -> MaskPrediction:
        logits = outputs['logits'].astype(np.float32)
        if self.options.upsampling == 'logits':
            logits = view.enlarged(logits)
        confidence = outputs.get('confidence')
        if confidence is None:
            certain = _best_probability(logits)
        else:
            certain = confidence[..., 0].astype(np.float32)
        mask = view.nearest_to_source(class_map(logits).astype(np.uint8), IGNORE)
        certain = view.smooth_to_source(certain, 0.0)
        mask[certain < self.options.min_confidence] = IGNORE
        return MaskPrediction(mask, certain)


class MaskScorer(Scorer[MaskPrediction]):
    """Metrics of masks. Pixels without a predicted class only lower `coverage`.

    Args:
        labels: class names of the network.
        data_labels: class names of the truth; classes that the network lacks do not count.
    """

    ranking_metric, lower_is_better = 'miou', False

    def __init__(self, labels: Sequence[str], data_labels: Sequence[str] = ()) -> None:
        self._labels, self._data_labels = tuple(labels or data_labels), tuple(data_labels)
        self._table = class_table(self._labels, self._data_labels)
        self._metrics = ConfusionMatrix(self._labels)
        self._labelled = self._covered = 0

    def update(self, sample: Sample, prediction: MaskPrediction) -> None:
        sample = with_classes(sample, self._table)
        truth = required(sample, 'labels', 'to compare with: give other --data')
        if prediction.mask.shape != truth.shape:
            raise InputError(
                f'{sample.name}: mask {prediction.mask.shape} and truth {truth.shape} '
                'differ in size; resize the mask to the truth'
            )
        labelled, open_ = truth != IGNORE, prediction.mask == IGNORE
        self._labelled += int(np.count_nonzero(labelled))
        self._covered += int(np.count_nonzero(labelled & ~open_))
        truth = np.where(open_, np.uint8(IGNORE), truth)
        self._metrics.update(truth, np.where(open_, 0, prediction.mask))

    def result(self) -> dict[str, float]:
        covered = self._covered / self._labelled if self._labelled else float('nan')
        return {**self._metrics.result(), 'coverage': covered}

    def fresh(self) -> MaskScorer:
        return MaskScorer(self._labels, self._data_labels)


class _ServedMetrics(Accumulated):
    def update(self, served: ServedSample, outputs: Mapping[str, np.ndarray]) -> None:
        ids, size = _served_ids(outputs['mask'][0]), served.view.model_size
        if ids.shape != size[::-1]:
            ids = cv2.resize(ids.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        self.accumulator.update(served.truth('labels'), ids)


class SegmentationTask(Task[SegmentationTraining, SegmentationEvaluation]):
    """See tasks.task.Task."""

    name = manifest_name = 'segmentation'
    train_options, evaluate_options = SegmentationTraining, SegmentationEvaluation
    needs = ('image', 'labels')
    shown_metrics = ('miou', 'pixel_accuracy')
    has_labels = True

    def objective(self, spec: ModelSpec, options: SegmentationTraining, data: Reader) -> Objective:
        weights = None
        if options.class_weights:
            weights = balanced_weights(class_frequencies(data, len(spec.labels)))
        return SegmentationObjective(
            spec,
            options.loss,
            aux_weight=options.aux_weight,
            class_weights=weights,
            loss_options=name_values(options.loss_option),
            counted=data.counted,
            unlisted_weight=options.unlisted_weight,
        )

    def network_options(
        self, given: Mapping[str, Any], options: SegmentationTraining, data: Reader
    ) -> dict[str, Any]:
        channels = _channels(given.get('classes'), options.loss, data.labels)
        chosen = {**given, 'classes': channels}
        if options.confidence:
            chosen.setdefault('confidence', True)
        return chosen

    def colors(self, data: Reader) -> tuple[tuple[int, int, int], ...]:
        return tuple(data.colors)

    def augmentation(self, options: SegmentationTraining) -> Augmentation:
        cutouts = open_data(options.cutouts) if options.cutouts else None
        return Augmentation(options.augment, options.crop_size, options.textures, cutouts)

    def head(self, spec: ModelSpec, options: PredictOptions) -> SegmentationHead:
        return SegmentationHead(spec, options)

    def scorer(
        self, options: SegmentationEvaluation, labels: Sequence[str], reader: Reader
    ) -> MaskScorer:
        return MaskScorer(labels, reader.labels)

    def stored(self, options: SegmentationEvaluation, folder: Path, reader: Reader) -> StoredMasks:
        return StoredMasks(folder)

    def rules(self, options: SegmentationEvaluation) -> dict[str, Any]:
        rules: dict[str, Any] = {}
        if options.model is not None:
            rules['upsampling'] = options.upsampling
        if options.min_confidence:
            rules['min_confidence'] = options.min_confidence
        return rules

    def served(self, outputs: Tensors, options: ServingOptions) -> dict[str, Any]:
        """`mask`: class ids uint8 (1, H, W), or probabilities (1, H, W, C); `confidence` if any.

        A single channel separates class 1 from the rest.
        """
        import tensorflow as tf

        logits = outputs['logits']
        is_single = logits.shape[-1] == 1
        if options.scores:
            mask = tf.sigmoid(logits) if is_single else tf.nn.softmax(logits)
        elif is_single:
            mask = tf.cast(logits[..., 0] > 0, tf.uint8)
        else:
            mask = tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32), tf.uint8)
        own = ('logits', 'logits_aux', 'confidence')
        confidence = {n: outputs[n] for n in ('confidence',) if n in outputs}
        return {'mask': mask, **confidence} | further_outputs(outputs, own, options)

    def decoder(
        self, model: keras.Model, outputs: Collection[str], options: ServingOptions
    ) -> str:
        if not options.scores:
            return 'class_map'
        return 'sigmoid' if model.output['logits'].shape[-1] == 1 else 'softmax'

    def served_metrics(self, spec: ModelSpec) -> _ServedMetrics:
        return _ServedMetrics(ConfusionMatrix(max(len(spec.labels), 2)))


def class_frequencies(reader: Reader, classes: int, *, limit: int = 400) -> np.ndarray:
    """Fraction of pixels of each class, float64 (classes,), over at most `limit` samples."""
    counts = np.zeros(256, np.int64)
    for i in np.linspace(0, len(reader) - 1, min(limit, len(reader))).astype(int):
        labels = reader.read(int(i)).labels
        if labels is not None:
            counts += np.bincount(labels.ravel(), minlength=256)
    return np.asarray(counts[:classes] / max(counts[:classes].sum(), 1))


def balanced_weights(frequencies: np.ndarray) -> tuple[float, ...]:
    """Weights 1 / ln(1.02 + frequency), mean 1 (ENet, arXiv 1606.02147, eq. 1)."""
    weights = 1 / np.log(1.02 + frequencies)
    return tuple(float(w) for w in weights / weights.mean())


def _channels(given: int | None, loss: str, labels: Sequence[str]) -> int:
    """Number of scores per pixel: one per class, or a single one for two classes."""
    from rs_ml_training.losses.segmentation import SIGMOID_LOSSES, SOFTMAX_LOSSES

    count = given or (1 if loss in SIGMOID_LOSSES else len(labels))
    if count == 1 and len(labels) > 2:
        raise ConfigError(
            f'--loss {loss} on one channel separates two classes, the data have {len(labels)}'
        )
    if loss in (SOFTMAX_LOSSES if count == 1 else SIGMOID_LOSSES):
        other = SIGMOID_LOSSES if count == 1 else SOFTMAX_LOSSES
        raise ConfigError(
            f'--loss {loss} is not for classes={count}: take one of {", ".join(sorted(other))}'
        )
    if count not in (1, len(labels)):
        raise ConfigError(f'classes={count}, but the data have {len(labels)}: leave it out')
    return count


def _served_ids(mask: np.ndarray) -> np.ndarray:
    """Class ids (H, W) of a class map or of scores (H, W, C)."""
    if mask.ndim == 2:
        return mask
    if mask.shape[2] == 1:
        return (mask[..., 0] >= 0.5).astype(np.uint8)
    return np.asarray(mask.argmax(axis=2))


def _best_probability(logits: np.ndarray) -> np.ndarray:
    if logits.shape[2] == 1:
        return np.asarray(1 / (1 + np.exp(-np.abs(logits[..., 0]))))
    return np.asarray(1 / np.exp(logits - logits.max(axis=2, keepdims=True)).sum(axis=2))


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
