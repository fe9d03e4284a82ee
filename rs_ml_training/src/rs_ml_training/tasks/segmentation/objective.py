"""The objective of segmentation: labels, losses and metrics."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.sample import Arrays, Sample, measured_m, required
from rs_ml_training.data.yolo import UNLISTED
from rs_ml_training.metrics.confusion import ConfusionMatrix
from rs_ml_training.networks.registry import takes_depth
from rs_ml_training.prediction.colors import palette, side_by_side
from rs_ml_training.tasks.objective import (
    Accumulated,
    Objective,
    Tensors,
    chosen_loss,
    with_options,
)
from rs_ml_training.trained import ModelSpec

# Loss -> its keyword for one weight per class.
_WEIGHTED = {'cross_entropy': 'class_weights', 'focal': 'alpha'}


class SegmentationObjective(Objective):
    """A class for every pixel, and further heads of the network.

    Args:
        spec: of the network.
        loss: key of losses.segmentation.SEGMENTATION_LOSSES.
        aux_weight: of the auxiliary head, where the network has one.
        class_weights: one per class, or None.
        loss_options: keywords of the loss.
        counted: classes that pixels marked as `unlisted` are none of; see data.yolo.
        unlisted_weight: of the loss of those pixels.
    """

    def __init__(
        self,
        spec: ModelSpec,
        loss: str,
        *,
        aux_weight: float = 0.4,
        class_weights: Sequence[float] | None = None,
        loss_options: Mapping[str, Any] | None = None,
        counted: Sequence[str] = (),
        unlisted_weight: float = 0.2,
    ) -> None:
        super().__init__(spec)
        from rs_ml_training.losses import segmentation as losses

        function = chosen_loss(losses.SEGMENTATION_LOSSES, loss, 'segmentation')
        chosen = {**(loss_options or {}), **_weighting(loss, class_weights)}
        self._losses, self._loss = losses, with_options(function, chosen)
        self._aux_weight = aux_weight
        self._takes_depth = takes_depth(spec.network)
        self._counted = tuple(spec.labels.index(name) for name in counted)
        self._unlisted_weight = unlisted_weight

    def arrays(self, sample: Sample) -> tuple[Arrays, Arrays]:
        image, labels = (required(sample, n, 'to train on') for n in ('image', 'labels'))
        inputs, targets = {'image': image}, {'labels': labels.astype(np.int32)}
        if self._takes_depth:
            inputs['measured_m'] = measured_m(sample)
        if self._counted:
            none = np.zeros_like(labels)
            targets[UNLISTED] = sample.extra.get(UNLISTED, none).astype(np.uint8)
        return inputs, targets

    def losses(self, targets: Tensors, outputs: Tensors) -> dict[str, Any]:
        losses, logits = self._losses, outputs['logits']
        labels = losses.at_scores(targets['labels'], logits)
        parts = {'logits': self._loss(labels, logits)}
        if self._counted:
            unlisted = losses.at_scores(targets[UNLISTED], logits)
            unlisted_loss = losses.none_of(unlisted, logits, self._counted)
            parts[UNLISTED] = self._unlisted_weight * unlisted_loss
        if 'logits_aux' in outputs:
            parts['aux'] = self._aux_weight * self._loss(labels, outputs['logits_aux'])
        if 'confidence' in outputs:
            parts['confidence'] = losses.confidence_loss(labels, outputs['confidence'])
        return parts

    def part_names(self, outputs: Collection[str]) -> tuple[str, ...]:
        optional = {'aux': 'logits_aux', 'confidence': 'confidence'}
        found = [part for part, output in optional.items() if output in outputs]
        return ('logits', *((UNLISTED,) if self._counted else ()), *found)

    def metrics(self) -> _BatchMetrics:
        return _BatchMetrics(ConfusionMatrix(self.spec.labels))

    def picture(self, inputs: Arrays, targets: Arrays, outputs: Arrays) -> np.ndarray:
        colors = palette((), len(self.spec.labels))
        truth = targets['labels']
        maps = (colors[m] for m in (truth, _enlarged(class_map(outputs['logits']), truth)))
        return side_by_side(inputs['image'], *maps)


class _BatchMetrics(Accumulated):
    def update(self, targets: Arrays, outputs: Arrays) -> None:
        truth = targets['labels']
        self.accumulator.update(truth, _enlarged(class_map(outputs['logits']), truth))


def class_map(logits: np.ndarray) -> np.ndarray:
    """Class ids (..., H, W) of logits (..., H, W, C); a single channel means foreground."""
    if logits.shape[-1] == 1:
        return (logits[..., 0] > 0).astype(np.int64)
    return np.asarray(logits.argmax(axis=-1))


def _weighting(loss: str, class_weights: Sequence[float] | None) -> dict[str, Any]:
    """Class weights as a keyword of the loss."""
    if class_weights is None:
        return {}
    if loss not in _WEIGHTED:
        raise ConfigError(f'--class-weights go with {" or ".join(_WEIGHTED)}, not with {loss}')
    return {_WEIGHTED[loss]: tuple(class_weights)}


def _enlarged(ids: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Class ids (..., h, w) repeated to the size of another map (..., H, W)."""
    factors = like.shape[-2] // ids.shape[-2], like.shape[-1] // ids.shape[-1]
    return ids.repeat(factors[0], axis=-2).repeat(factors[1], axis=-1)
