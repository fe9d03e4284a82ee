"""Depth denoising: measured depth and infrared in, clean depth and its confidence out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rs_ml_perception.core.drawing.colormap import depth_range_m
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.options import option, override

from rs_ml_training.data.encodings import ENCODINGS
from rs_ml_training.data.reader import Reader, Subset, last_frames
from rs_ml_training.data.sample import Arrays, Sample, known_depth_m, required
from rs_ml_training.metrics.denoise import DenoiseMetrics
from rs_ml_training.networks.registry import NetworkEntry
from rs_ml_training.prediction.colors import depth_image, side_by_side
from rs_ml_training.prediction.predictor import PredictionHead, PredictOptions
from rs_ml_training.prediction.preprocess import View
from rs_ml_training.prediction.results import DenoisePrediction
from rs_ml_training.prediction.stored import RawDepth, StoredDenoised
from rs_ml_training.tasks.objective import (
    Accumulated,
    Objective,
    Tensors,
    chosen_loss,
    with_options,
)
from rs_ml_training.tasks.options import DepthTrainOptions, EvaluateOptions, name_values
from rs_ml_training.tasks.task import (
    PredictBatch,
    Rivals,
    Scorer,
    ServedSample,
    ServingOptions,
    Task,
    further_outputs,
)
from rs_ml_training.trained import ModelSpec

if TYPE_CHECKING:
    import keras

RAW = 'raw depth'
_OWN_LOSS = 'denoise'
_MILLIMETRES = (
    'rmse_m',
    'mae_m',
    'rmse_raw_m',
    'rmse_strict_m',
    'edge_mae_m',
    'edge_raw_mae_m',
    'plane_rms_m',
)
_FRACTIONS = 'coverage', 'hole_coverage', 'removed', 'good', 'good_raw'


@dataclass(frozen=True)
class DenoiseTraining(DepthTrainOptions):
    """Depth denoising and hole filling."""

    model: str = override('unet-light')
    loss: str = override(
        'denoise', doc="'denoise' (in units of the camera's noise) or a loss of monocular depth"
    )
    augment: str = override('denoise')
    monitor: str = override('rmse_m')
    batch_size: int = override(2)


@dataclass(frozen=True)
class DenoiseEvaluation(EvaluateOptions):
    """Depth denoising: rmse_m, mae_m, coverage, removed, edges, planes."""

    baseline: bool = option(False, 'measure the raw depth itself')
    sdk_filters: bool = option(
        False, "measure the raw depth and the camera SDK's own filters, too"
    )
    last_of_scene: bool = option(
        False,
        'evaluate only the last frame of a scene: temporal filters have seen those before it',
    )
    min_confidence: float = option(0.0, 'depth below it is left out', low=0)
    encoding: str = option('mm', 'of predictions in files', choices=ENCODINGS)


class DenoiseObjective(Objective):
    """Clean depth and its confidence.

    Args:
        spec: of the network.
        loss: 'denoise' (losses.denoise) or a key of losses.depth.DEPTH_LOSSES.
        loss_options: keywords of it.
    """

    def __init__(
        self, spec: ModelSpec, loss: str, loss_options: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(spec)
        from rs_ml_training.losses.denoise import TERM_WEIGHTS, denoise_loss
        from rs_ml_training.losses.depth import DEPTH_LOSSES

        losses = {_OWN_LOSS: denoise_loss, **DEPTH_LOSSES}
        self._loss = with_options(chosen_loss(losses, loss, 'denoise'), loss_options or {})
        self._terms = tuple(TERM_WEIGHTS) if loss == _OWN_LOSS else ()

    def arrays(self, sample: Sample) -> tuple[Arrays, Arrays]:
        raw, truth = (required(sample, name, 'to train on') for name in DenoiseTask.needs)
        raw_m, depth_m = known_depth_m(raw), known_depth_m(truth)
        infrared = sample.infrared if sample.infrared is not None else np.zeros(raw_m.shape[:2])
        inputs = {'depth_m': raw_m, 'infrared': infrared[..., None].astype(np.float32)}
        low, high = self.spec.depth_range_m
        target = np.where((depth_m > low) & (depth_m <= high), depth_m, np.float32(0))
        return inputs, {'depth_m': target, 'raw_depth_m': raw_m}

    def losses(self, targets: Tensors, outputs: Tensors) -> dict[str, Any]:
        target_m = targets['depth_m']
        if self._terms:
            terms: dict[str, Any] = self._loss(target_m, outputs)
            return terms
        return {'loss': self._loss(target_m, outputs['depth_m'], target_m > 0)}

    def part_names(self, outputs: Collection[str]) -> tuple[str, ...]:
        if not self._terms:
            return super().part_names(outputs)
        return tuple(n for n in self._terms if n != 'confidence' or n in outputs)

    def metrics(self) -> _BatchMetrics:
        return _BatchMetrics(DenoiseMetrics())

    def picture(self, inputs: Arrays, targets: Arrays, outputs: Arrays) -> np.ndarray:
        maps = [m['depth_m'][..., 0] for m in (inputs, targets, outputs)]
        shown = depth_range_m(maps[1])
        return side_by_side(*(depth_image(m, shown) for m in maps))


class _BatchMetrics(Accumulated):
    def update(self, targets: Arrays, outputs: Arrays) -> None:
        for i, depth_m in enumerate(outputs['depth_m']):
            truth_m, raw_m = (targets[name][i, ..., 0] for name in ('depth_m', 'raw_depth_m'))
            self.accumulator.update(truth_m, raw_m, depth_m[..., 0])


class DenoiseHead(PredictionHead[DenoisePrediction]):
    """Denoised depth in the pixels of the measured one."""

    def inputs(self, sample: Sample, view: View) -> Arrays:
        if sample.raw_depth_m is None:
            raise InputError(f'{sample.name} has no measured depth to denoise')
        depth_m = view.measured(sample.raw_depth_m.astype(np.float32))
        infrared = np.zeros_like(depth_m)
        if sample.infrared is not None:
            infrared = view.picture(sample.infrared).astype(np.float32)
        return {'depth_m': depth_m[..., None], 'infrared': infrared[..., None]}

    def result(self, outputs: Arrays, view: View, sample: Sample) -> DenoisePrediction:
        depth_m = outputs['depth_m'][..., 0].astype(np.float32)
        depth_m = np.where(np.isfinite(depth_m) & (depth_m > 0), depth_m, np.float32(0))
        depth_m = _holes_kept(depth_m, view)
        if 'confidence' not in outputs:
            return DenoisePrediction(depth_m)
        confidence = view.smooth_to_source(outputs['confidence'][..., 0].astype(np.float32), 0.0)
        depth_m[confidence < self.options.min_confidence] = 0
        return DenoisePrediction(depth_m, confidence)


def _holes_kept(depth_m: np.ndarray, view: View) -> np.ndarray:
    """Depth interpolated to the image from known pixels; a hole neither bleeds nor shrinks."""
    if view.rect[2:] == depth_m.shape[1::-1]:
        return view.smooth_to_source(depth_m, 0.0)
    known = view.smooth_to_source((depth_m > 0).astype(np.float32), 0.0)
    depth_m = view.smooth_to_source(depth_m, 0.0)
    return np.where(known >= 0.5, depth_m / np.maximum(known, 0.5), np.float32(0))


class DenoiseScorer(Scorer[DenoisePrediction]):
    """Errors of denoised depth, filled holes and removed depth."""

    ranking_metric, lower_is_better = 'rmse_m', True

    def __init__(self) -> None:
        self._metrics = DenoiseMetrics()

    def update(self, sample: Sample, prediction: DenoisePrediction) -> None:
        truth_m, raw_m = (
            required(sample, name, 'to compare with: give other --data')
            for name in ('depth_m', 'raw_depth_m')
        )
        self._metrics.update(truth_m, raw_m, prediction.depth_m, sample.intrinsics)

    def result(self) -> dict[str, float]:
        return self._metrics.result()

    def fresh(self) -> DenoiseScorer:
        return DenoiseScorer()


class _ServedMetrics(Accumulated):
    def update(self, served: ServedSample, outputs: Mapping[str, np.ndarray]) -> None:
        raw_m, depth_m = served.inputs['raw_depth'][0, :, :, 0], outputs['depth'][0, :, :, 0]
        self.accumulator.update(served.truth('depth_m'), raw_m, depth_m)


class DenoiseTask(Task[DenoiseTraining, DenoiseEvaluation]):
    """See tasks.task.Task."""

    name = manifest_name = 'denoise'
    train_options, evaluate_options = DenoiseTraining, DenoiseEvaluation
    needs = ('raw_depth_m', 'depth_m')
    lower_is_better = frozenset(('mae_raw_m', 'removed', *_MILLIMETRES))
    shown_metrics = ('rmse_m', 'mae_m')
    gives_depth = True
    reads_depth_files = True
    # Depth passes through the network, and 256 steps of it would be centimetres.
    quantises_activations = False

    def objective(self, spec: ModelSpec, options: DenoiseTraining, data: Reader) -> Objective:
        return DenoiseObjective(spec, options.loss, name_values(options.loss_option))

    def depth_range_m(self, options: DenoiseTraining) -> tuple[float, float]:
        return options.min_depth_m, options.max_depth_m

    def default_size(self, entry: NetworkEntry, sample: Sample) -> tuple[int, int]:
        """Depth to denoise is not resampled where its size fits the network."""
        fits = all(side % entry.stride == 0 for side in sample.size)
        return sample.size if fits else entry.default_size

    def head(self, spec: ModelSpec, options: PredictOptions) -> DenoiseHead:
        return DenoiseHead(spec, options)

    def scorer(
        self, options: DenoiseEvaluation, labels: Sequence[str], reader: Reader
    ) -> DenoiseScorer:
        return DenoiseScorer()

    def stored(self, options: DenoiseEvaluation, folder: Path, reader: Reader) -> StoredDenoised:
        return StoredDenoised(folder, options.encoding)

    def evaluated(self, options: DenoiseEvaluation, reader: Reader) -> Reader:
        return Subset(reader, last_frames(reader)) if options.last_of_scene else reader

    def baselines(self, options: DenoiseEvaluation) -> dict[str, tuple[str, PredictBatch] | None]:
        return {'--baseline': (RAW, RawDepth().batch) if options.baseline else None}

    def rivals(self, options: DenoiseEvaluation) -> Rivals | None:
        if not options.sdk_filters:
            return None
        if options.baseline:
            raise ConfigError('--sdk-filters measure the raw depth too: leave --baseline out')
        from rs_ml_training.prediction.sdk_filters import CHAINS, SdkFilters

        columns = dict.fromkeys(_MILLIMETRES, ('mm', 1000.0))
        columns |= dict.fromkeys(_FRACTIONS, ('%', 100.0))
        filters = {chain: SdkFilters(chain).batch for chain in CHAINS}
        return Rivals('--sdk-filters', {RAW: RawDepth().batch, **filters}, columns)

    def rules(self, options: DenoiseEvaluation) -> dict[str, Any]:
        rules: dict[str, Any] = {}
        if options.last_of_scene:
            rules['judged'] = 'the last frame of each scene'
        if options.min_confidence:
            rules['min_confidence'] = options.min_confidence
        return rules

    def served(self, outputs: Tensors, options: ServingOptions) -> dict[str, Any]:
        """`depth` (1, H, W, 1) [m], and `confidence` (1, H, W, 1) of a network that has one."""
        own = ('depth_m', 'confidence')
        confidence = {n: outputs[n] for n in ('confidence',) if n in outputs}
        found = {'depth': outputs['depth_m'], **confidence}
        return found | further_outputs(outputs, own, options)

    def decoder(
        self, model: keras.Model, outputs: Collection[str], options: ServingOptions
    ) -> str:
        return 'depth'

    def served_metrics(self, spec: ModelSpec) -> _ServedMetrics:
        return _ServedMetrics(DenoiseMetrics())
