"""Semantic segmentation: a class for every pixel."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from rs_ml_training.data.sample import Sample
from rs_ml_training.data.sequence import Arrays
from rs_ml_training.errors import ConfigError
from rs_ml_training.losses import segmentation as losses
from rs_ml_training.metrics.confusion import ConfusionMatrix
from rs_ml_training.tasks import strip
from rs_ml_training.tasks.task import Metrics, Task, Tensors, require, with_options
from rs_ml_training.trained import ModelSpec

_WEIGHTED = {'cross_entropy': 'class_weights', 'focal': 'alpha'}
"""Loss -> its keyword for one weight per class."""


class SegmentationTask(Task):
    """See tasks.task.Task.

    Args:
        spec: of the network.
        loss: key of losses.segmentation.SEGMENTATION_LOSSES.
        aux_weight: of the auxiliary head, where the network has one.
        class_weights: one per class, or None.
        loss_options: keywords of the loss.
    """

    def __init__(
        self,
        spec: ModelSpec,
        loss: str,
        *,
        aux_weight: float = 0.4,
        class_weights: Sequence[float] | None = None,
        loss_options: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__(spec)
        if loss not in losses.SEGMENTATION_LOSSES:
            known = ', '.join(losses.SEGMENTATION_LOSSES)
            raise ConfigError(f'no segmentation loss {loss!r}; there are {known}')
        chosen = {**loss_options, **_weighting(loss, class_weights)}
        self._loss = with_options(losses.SEGMENTATION_LOSSES[loss], chosen)
        self._aux_weight = aux_weight

    def arrays(self, sample: Sample) -> tuple[Arrays, Arrays]:
        require(sample, 'image', 'labels')
        return {'image': sample.image}, {'labels': sample.labels.astype(np.int32)}

    def losses(self, targets: Tensors, outputs: Tensors) -> dict[str, Any]:
        labels = targets['labels']
        parts = {'logits': self._loss(labels, outputs['logits'])}
        if 'logits_aux' in outputs:
            auxiliary = self._loss(labels, outputs['logits_aux'])
            parts['aux'] = self._aux_weight * auxiliary
        if 'confidence' in outputs:
            parts['confidence'] = losses.confidence_loss(labels, outputs['confidence'])
        return parts

    def part_names(self, outputs: Collection[str]) -> tuple[str, ...]:
        optional = {'aux': 'logits_aux', 'confidence': 'confidence'}
        return ('logits', *(part for part, output in optional.items() if output in outputs))

    def metrics(self) -> Metrics:
        return _MaskMetrics(ConfusionMatrix(self.spec.labels))

    def picture(self, inputs: Arrays, targets: Arrays, outputs: Arrays) -> np.ndarray:
        colors = strip.palette(len(self.spec.labels))
        maps = (colors[m] for m in (targets['labels'], class_map(outputs['logits'])))
        return strip.side_by_side(inputs['image'], *maps)


class _MaskMetrics(Metrics):
    def __init__(self, accumulator: ConfusionMatrix) -> None:
        self._accumulator = accumulator

    def update(self, targets: Arrays, outputs: Arrays) -> None:
        self._accumulator.update(targets['labels'], class_map(outputs['logits']))

    def result(self) -> dict[str, float]:
        return self._accumulator.result()


def _weighting(loss: str, class_weights: Sequence[float] | None) -> dict[str, Any]:
    """Class weights as the keyword that the loss has for them."""
    if class_weights is None:
        return {}
    if loss not in _WEIGHTED:
        raise ConfigError(f'--class-weights go with {" or ".join(_WEIGHTED)}, not with {loss}')
    return {_WEIGHTED[loss]: tuple(class_weights)}


def class_map(logits: np.ndarray) -> np.ndarray:
    """Class ids (..., H, W) of logits (..., H, W, C); a single channel means foreground."""
    if logits.shape[-1] == 1:
        return (logits[..., 0] > 0).astype(np.int64)
    return logits.argmax(axis=-1)


def balanced_weights(shares: np.ndarray) -> tuple[float, ...]:
    """Weights 1 / ln(1.02 + share), mean 1 (ENet, arXiv 1606.02147, eq. 1)."""
    weights = 1 / np.log(1.02 + shares)
    return tuple(float(w) for w in weights / weights.mean())
