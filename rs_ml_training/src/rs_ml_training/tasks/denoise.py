"""Depth denoising: measured depth and infrared in, clean depth and its confidence out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.sample import Sample
from rs_ml_training.data.sequence import Arrays
from rs_ml_training.losses.denoise import TERM_WEIGHTS, denoise_loss
from rs_ml_training.losses.depth import DEPTH_LOSSES
from rs_ml_training.metrics.denoise import DenoiseMetrics
from rs_ml_training.tasks import strip
from rs_ml_training.tasks.known_depth import known_depth_m
from rs_ml_training.tasks.task import Metrics, Task, Tensors, require, with_options
from rs_ml_training.trained import ModelSpec

DENOISE = 'denoise'


class DenoiseTask(Task):
    """See tasks.task.Task.

    Args:
        spec: of the network.
        loss: 'denoise' (losses.denoise) or a key of losses.depth.DEPTH_LOSSES.
        loss_options: keywords of it.
    """

    lower_is_better = frozenset(
        (
            'rmse_m',
            'mae_m',
            'rmse_raw_m',
            'mae_raw_m',
            'rmse_strict_m',
            'edge_mae_m',
            'edge_raw_mae_m',
            'removed',
            'plane_rms_m',
        )
    )

    def __init__(
        self, spec: ModelSpec, loss: str, loss_options: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        super().__init__(spec)
        if loss != DENOISE and loss not in DEPTH_LOSSES:
            known = ', '.join((DENOISE, *DEPTH_LOSSES))
            raise ConfigError(f'no denoise loss {loss!r}; there are {known}')
        self._has_terms = loss == DENOISE
        function = denoise_loss if self._has_terms else DEPTH_LOSSES[loss]
        self._loss = with_options(function, loss_options)

    def arrays(self, sample: Sample) -> tuple[Arrays, Arrays]:
        require(sample, 'raw_depth_m', 'depth_m')
        raw_m = known_depth_m(sample.raw_depth_m)
        infrared = sample.infrared if sample.infrared is not None else np.zeros(raw_m.shape[:2])
        inputs = {'depth_m': raw_m, 'infrared': infrared[..., None].astype(np.float32)}
        low, high = self.spec.depth_range_m
        depth_m = known_depth_m(sample.depth_m)
        target = np.where((depth_m > low) & (depth_m <= high), depth_m, np.float32(0))
        return inputs, {'depth_m': target, 'raw_depth_m': raw_m}

    def losses(self, targets: Tensors, outputs: Tensors) -> dict[str, Any]:
        target_m = targets['depth_m']
        if self._has_terms:
            return self._loss(target_m, outputs)
        return {'loss': self._loss(target_m, outputs['depth_m'], target_m > 0)}

    def part_names(self, outputs: Collection[str]) -> tuple[str, ...]:
        if not self._has_terms:
            return super().part_names(outputs)
        return tuple(n for n in TERM_WEIGHTS if n != 'confidence' or n in outputs)

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
            self._accumulator.update(truth_m, raw_m, depth_m[..., 0])

    def result(self) -> dict[str, float]:
        return self._accumulator.result()
