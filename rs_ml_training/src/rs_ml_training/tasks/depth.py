"""Monocular depth: a picture in, metres out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from keras import ops
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.sample import Sample
from rs_ml_training.data.sequence import Arrays
from rs_ml_training.losses.depth import DEPTH_LOSSES
from rs_ml_training.metrics.depth import DepthMetrics
from rs_ml_training.tasks import strip
from rs_ml_training.tasks.known_depth import known_depth_m
from rs_ml_training.tasks.task import Metrics, Task, Tensors, require, with_options
from rs_ml_training.trained import ModelSpec


class DepthTask(Task):
    """See tasks.task.Task.

    Args:
        spec: of the network.
        loss: key of losses.depth.DEPTH_LOSSES.
        loss_options: keywords of it.
    """

    lower_is_better = frozenset(('silog', 'abs_rel', 'log10', 'rms', 'sq_rel', 'log_rms', 'mae'))

    def __init__(
        self, spec: ModelSpec, loss: str, loss_options: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        super().__init__(spec)
        self._loss = with_options(_loss(loss), loss_options)

    def arrays(self, sample: Sample) -> tuple[Arrays, Arrays]:
        require(sample, 'image', 'depth_m')
        return {'image': sample.image}, {'depth_m': known_depth_m(sample.depth_m)}

    def losses(self, targets: Tensors, outputs: Tensors) -> dict[str, Any]:
        target_m = targets['depth_m']
        low, high = self.spec.depth_range_m
        mask = ops.logical_and(target_m > low, target_m <= high)
        return {'loss': self._loss(target_m, outputs['depth_m'], mask)}

    def metrics(self) -> Metrics:
        return _DepthMetrics(DepthMetrics(*self.spec.depth_range_m))

    def picture(self, inputs: Arrays, targets: Arrays, outputs: Arrays) -> np.ndarray:
        truth_m, depth_m = targets['depth_m'][..., 0], outputs['depth_m'][..., 0]
        shown = strip.depth_range(truth_m)
        maps = (strip.colored_depth(m, shown) for m in (truth_m, depth_m))
        return strip.side_by_side(inputs['image'], *maps)


class _DepthMetrics(Metrics):
    def __init__(self, accumulator: DepthMetrics) -> None:
        self._accumulator = accumulator

    def update(self, targets: Arrays, outputs: Arrays) -> None:
        for truth, depth in zip(targets['depth_m'], outputs['depth_m'], strict=True):
            self._accumulator.update(truth[..., 0], depth[..., 0])

    def result(self) -> dict[str, float]:
        return self._accumulator.result()


def _loss(name: str) -> Callable[..., Any]:
    if name not in DEPTH_LOSSES:
        raise ConfigError(f'no depth loss {name!r}; there are {", ".join(DEPTH_LOSSES)}')
    return DEPTH_LOSSES[name]
