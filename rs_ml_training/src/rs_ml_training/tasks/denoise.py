"""Depth denoising: measured depth and infrared in, clean depth and its confidence out."""

from __future__ import annotations

from typing import Any

import numpy as np

from rs_ml_training.data.sample import Sample
from rs_ml_training.data.sequence import Arrays
from rs_ml_training.errors import ConfigError
from rs_ml_training.losses.denoise import DENOISE_LOSSES
from rs_ml_training.metrics.denoise import DenoiseMetrics
from rs_ml_training.tasks import strip
from rs_ml_training.tasks.task import Metrics, Task, Tensors, require
from rs_ml_training.trained import ModelSpec


class DenoiseTask(Task):
    """See tasks.task.Task.

    Args:
        spec: of the network.
        loss: key of losses.denoise.DENOISE_LOSSES.
    """

    parts = ('loss', 'confidence')
    lower_is_better = frozenset(('rmse_m', 'mae_m', 'rmse_valid_m', 'mae_valid_m', 'edge_mae_m'))

    def __init__(self, spec: ModelSpec, loss: str) -> None:
        super().__init__(spec)
        if loss not in DENOISE_LOSSES:
            raise ConfigError(f'no denoise loss {loss!r}; there are {", ".join(DENOISE_LOSSES)}')
        self._loss = DENOISE_LOSSES[loss]

    def arrays(self, sample: Sample) -> tuple[Arrays, Arrays]:
        require(sample, 'raw_depth_m', 'depth_m')
        raw_m = np.nan_to_num(sample.raw_depth_m)[..., None].astype(np.float32)
        infrared = sample.infrared if sample.infrared is not None else np.zeros(raw_m.shape[:2])
        inputs = {'depth_m': raw_m, 'infrared': infrared[..., None].astype(np.float32)}
        low, high = self.spec.depth_range_m
        depth_m = np.nan_to_num(sample.depth_m)
        known = (depth_m > low) & (depth_m <= high)
        target = np.where(known, depth_m, 0)[..., None].astype(np.float32)
        return inputs, {'depth_m': target, 'raw_depth_m': raw_m, 'infrared': inputs['infrared']}

    def losses(self, targets: Tensors, outputs: Tensors) -> dict[str, Any]:
        return self._loss(targets, outputs)

    def metrics(self) -> Metrics:
        return _DenoiseMetrics(DenoiseMetrics())

    def picture(self, inputs: Arrays, targets: Arrays, outputs: Arrays) -> np.ndarray:
        maps = [m['depth_m'][..., 0] for m in (inputs, targets, outputs)]
        shown = strip.depth_range(maps[1])
        return strip.side_by_side(*(strip.colored_depth(m, shown) for m in maps))


class _DenoiseMetrics(Metrics):
    def __init__(self, accumulator: DenoiseMetrics) -> None:
        self._accumulator = accumulator

    def update(self, targets: Arrays, outputs: Arrays) -> None:
        for i, depth_m in enumerate(outputs['depth_m']):
            truth_m, raw_m = (targets[name][i, ..., 0] for name in ('depth_m', 'raw_depth_m'))
            self._accumulator.update(depth_m[..., 0], truth_m, raw_m)

    def result(self) -> dict[str, float]:
        return self._accumulator.result()
