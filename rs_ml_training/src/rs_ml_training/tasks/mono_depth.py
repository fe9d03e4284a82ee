"""Monocular depth: a colour image in, metres out."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rs_ml_perception.core.drawing.colormap import depth_range_m
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.options import option, override

from rs_ml_training.data.encodings import ENCODINGS
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Arrays, Sample, known_depth_m, required
from rs_ml_training.errors import CheckpointError
from rs_ml_training.metrics.crops import CROPS
from rs_ml_training.metrics.depth import DepthMetrics
from rs_ml_training.prediction.colors import depth_image, side_by_side
from rs_ml_training.prediction.predictor import PredictionHead, PredictOptions
from rs_ml_training.prediction.preprocess import View
from rs_ml_training.prediction.results import DepthPrediction
from rs_ml_training.prediction.stored import StoredDepth
from rs_ml_training.tasks.objective import (
    Accumulated,
    Objective,
    Tensors,
    chosen_loss,
    with_options,
)
from rs_ml_training.tasks.options import DepthTrainOptions, EvaluateOptions, name_values
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
class DepthTraining(DepthTrainOptions):
    """Monocular depth."""

    model: str = override('fastdepth')
    loss: str = override(
        'l1',
        doc='l1, l2, berhu, silog, gradient, relative, l1_normal_ssim or l1_normal_ssim_sphere',
    )
    augment: str = override('depth')
    monitor: str = override('d1')
    batch_size: int = override(8)


@dataclass(frozen=True)
class DepthEvaluation(EvaluateOptions):
    """Monocular depth: silog, abs_rel, log10, rms, sq_rel, log_rms, d1, d2, d3, mae."""

    crop: str | None = option(
        None, 'pixels that count', none_doc='by data set', choices=(*CROPS, 'none')
    )
    min_depth: float = option(1e-3, 'nearest truth that counts', unit='m', low=0)
    max_depth: float | None = option(
        None,
        'farthest truth that counts',
        unit='m',
        none_doc='80 for KITTI, else 10',
        low=1e-3,
    )
    pooled: bool = option(False, 'weigh all pixels of all images alike')
    kb_crop: bool | None = option(
        None, 'predict the 1216x352 crop of KITTI', none_doc='by data set'
    )
    focal_px: float | None = option(
        None, 'focal length of images that do not state theirs', unit='px', low=1e-3
    )
    focal_correction: bool = option(True, 'scale depth to the focal length of a known camera')
    encoding: str = option('mm', 'of predictions in files', choices=ENCODINGS)


@dataclass(frozen=True)
class DepthProtocol:
    """The rules by which depth of a data set is evaluated.

    Attributes:
        crop: see metrics.crops; None: the whole image.
        max_depth_m: truth beyond does not count.
        kb_crop: whether networks see the benchmark crop of the whole image.
    """

    crop: str | None = None
    max_depth_m: float = 10.0
    kb_crop: bool = False


# By format of the data, as publications on them do (Eigen 2014, Garg 2016).
PROTOCOLS: dict[str, DepthProtocol] = {
    'nyu-labelled': DepthProtocol('nyu-eigen'),
    'nyu-rgbd': DepthProtocol('nyu-eigen'),
    'nyu-h5': DepthProtocol('nyu-eigen'),
    'bts-list': DepthProtocol('nyu-eigen'),
    'kitti-list': DepthProtocol('garg', 80.0, kb_crop=True),
}


def protocol_of(options: DepthEvaluation) -> DepthProtocol:
    """The rules of the data set, unless the options override them."""
    usual = PROTOCOLS.get(options.data.partition(':')[0], DepthProtocol())
    crop = usual.crop if options.crop is None else options.crop
    return DepthProtocol(
        crop=None if crop == 'none' else crop,
        max_depth_m=usual.max_depth_m if options.max_depth is None else options.max_depth,
        kb_crop=usual.kb_crop if options.kb_crop is None else options.kb_crop,
    )


class DepthObjective(Objective):
    """Metres for every pixel.

    Args:
        spec: of the network.
        loss: key of losses.depth.DEPTH_LOSSES.
        loss_options: keywords of it.
    """

    def __init__(
        self, spec: ModelSpec, loss: str, loss_options: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(spec)
        from rs_ml_training.losses.depth import DEPTH_LOSSES

        self._loss = with_options(chosen_loss(DEPTH_LOSSES, loss, 'depth'), loss_options or {})

    def arrays(self, sample: Sample) -> tuple[Arrays, Arrays]:
        image, depth_m = (required(sample, n, 'to train on') for n in MonoDepthTask.needs)
        return {'image': image}, {'depth_m': known_depth_m(depth_m)}

    def losses(self, targets: Tensors, outputs: Tensors) -> dict[str, Any]:
        target_m = targets['depth_m']
        low, high = self.spec.depth_range_m
        return {
            'loss': self._loss(target_m, outputs['depth_m'], (target_m > low) & (target_m <= high))
        }

    def metrics(self) -> _BatchMetrics:
        return _BatchMetrics(DepthMetrics(*self.spec.depth_range_m))

    def picture(self, inputs: Arrays, targets: Arrays, outputs: Arrays) -> np.ndarray:
        maps = [found['depth_m'][..., 0] for found in (targets, outputs)]
        shown = depth_range_m(maps[0])
        return side_by_side(inputs['image'], *(depth_image(m, shown) for m in maps))


class _BatchMetrics(Accumulated):
    def update(self, targets: Arrays, outputs: Arrays) -> None:
        for truth, depth in zip(targets['depth_m'], outputs['depth_m'], strict=True):
            self.accumulator.update(truth[..., 0], depth[..., 0])


class DepthHead(PredictionHead[DepthPrediction]):
    """Depth in the pixels of the image, scaled to its camera's focal length."""

    def inputs(self, sample: Sample, view: View) -> Arrays:
        return {'image': self.image(sample, view)}

    def result(self, outputs: Arrays, view: View, sample: Sample) -> DepthPrediction:
        factor = self._focal_factor(sample, view)
        found = {n: self._metres(v, factor, view) for n, v in outputs.items() if _is_depth(n, v)}
        depth_m = found.pop('depth_m', None)
        if depth_m is None:
            raise CheckpointError(f"{self.spec.network} has no output 'depth_m'")
        return DepthPrediction(depth_m, found)

    def _metres(self, output: np.ndarray, factor: float, view: View) -> np.ndarray:
        near, far = (limit * factor for limit in self.spec.depth_range_m)
        depth_m = output[..., 0].astype(np.float32) * np.float32(factor)
        known = np.isfinite(depth_m) & (depth_m > 0)
        depth_m = np.where(known, np.clip(depth_m, near, far), np.float32(np.nan))
        return view.smooth_to_source(depth_m, np.nan)

    def _focal_factor(self, sample: Sample, view: View) -> float:
        if self.spec.reference_focal_px is not None:
            seen = _enlargement(view) if self.spec.cropped else 1.0
            return self._focal_px(sample) * seen / self.spec.reference_focal_px
        camera, there = sample.intrinsics, self.spec.camera_at(view.model_size)
        if not self.options.focal_correction or camera is None or there is None:
            return 1.0
        here = camera.cropped(*view.rect).resized(*view.model_size)
        return math.sqrt(here.fx * here.fy / (there.fx * there.fy))

    def _focal_px(self, sample: Sample) -> float:
        """The focal length of the sample, by its camera, its list or the options."""
        own = sample.focal_px or (sample.intrinsics.fx if sample.intrinsics else None)
        focal_px = own or self.options.focal_px
        if focal_px is None:
            raise ConfigError(
                f'{self.spec.network} was trained on depth scaled by focal length: '
                f'give that of {sample.name} with --focal-px'
            )
        return focal_px


_ALIGNED = ('abs_rel', 'rms', 'd1')


class DepthScorer(Scorer[DepthPrediction]):
    """Metrics of monocular depth as it is, and some of it aligned to the median of the truth.

    Args:
        min_depth_m, max_depth_m: truth that counts.
        crop: see metrics.crops.
        pooled: all pixels of all images alike, instead of image by image.
        reference_focal_px: truth was divided by focal length / this; None: it was not.
    """

    ranking_metric, lower_is_better = 'abs_rel', True

    def __init__(
        self,
        min_depth_m: float = 1e-3,
        max_depth_m: float = 10.0,
        crop: str | None = None,
        pooled: bool = False,
        reference_focal_px: float | None = None,
    ) -> None:
        self._rules = min_depth_m, max_depth_m, crop, pooled
        self._reference_focal_px = reference_focal_px
        self._metrics = DepthMetrics(*self._rules)
        self._aligned = DepthMetrics(*self._rules, median_aligned=True)

    def update(self, sample: Sample, prediction: DepthPrediction) -> None:
        truth_m = required(sample, 'depth_m', 'to compare with: give other --data')
        if self._reference_focal_px and sample.focal_px:
            truth_m = truth_m * np.float32(sample.focal_px / self._reference_focal_px)
        self._metrics.update(truth_m, prediction.depth_m)
        self._aligned.update(truth_m, prediction.depth_m)

    def result(self) -> dict[str, float]:
        aligned = self._aligned.result()
        return self._metrics.result() | {f'aligned_{name}': aligned[name] for name in _ALIGNED}

    def fresh(self) -> DepthScorer:
        return DepthScorer(*self._rules, self._reference_focal_px)


class _ServedMetrics(Accumulated):
    def update(self, served: ServedSample, outputs: Mapping[str, np.ndarray]) -> None:
        self.accumulator.update(served.truth('depth_m'), outputs['depth'][0, :, :, 0])


class MonoDepthTask(Task[DepthTraining, DepthEvaluation]):
    """See tasks.task.Task."""

    name, manifest_name = 'depth', 'mono_depth'
    train_options, evaluate_options = DepthTraining, DepthEvaluation
    needs = ('image', 'depth_m')
    lower_is_better = frozenset(
        {'silog', 'abs_rel', 'log10', 'rms', 'sq_rel', 'log_rms', 'mae'}
        | {'aligned_abs_rel', 'aligned_rms'}
    )
    shown_metrics = ('abs_rel', 'rms', 'd1')
    gives_depth = True

    def objective(self, spec: ModelSpec, options: DepthTraining, data: Reader) -> Objective:
        return DepthObjective(spec, options.loss, name_values(options.loss_option))

    def network_options(
        self, given: Mapping[str, Any], options: DepthTraining, data: Reader
    ) -> dict[str, Any]:
        return {**given, 'max_depth_m': given.get('max_depth_m', options.max_depth_m)}

    def depth_range_m(self, options: DepthTraining) -> tuple[float, float]:
        return options.min_depth_m, options.max_depth_m

    def head(self, spec: ModelSpec, options: PredictOptions) -> DepthHead:
        return DepthHead(spec, options)

    def scorer(
        self, options: DepthEvaluation, labels: Sequence[str], reader: Reader
    ) -> DepthScorer:
        rules, focal_px = protocol_of(options), reader.reference_focal_px
        return DepthScorer(
            options.min_depth, rules.max_depth_m, rules.crop, options.pooled, focal_px
        )

    def stored(self, options: DepthEvaluation, folder: Path, reader: Reader) -> StoredDepth:
        return StoredDepth(folder, options.encoding, protocol_of(options).kb_crop)

    def predict_options(self, options: DepthEvaluation) -> PredictOptions:
        kb_crop = protocol_of(options).kb_crop
        return replace(super().predict_options(options), kb_crop=kb_crop)

    def reader_options(self, options: DepthEvaluation) -> dict[str, Any]:
        # Networks see KITTI's crop, but the truth is compared at the full size.
        return {'kb_crop': False} if options.data.startswith('kitti-list:') else {}

    def rules(self, options: DepthEvaluation) -> dict[str, Any]:
        found = protocol_of(options)
        rules = {
            'crop': found.crop or 'none',
            'min_depth_m': options.min_depth,
            'max_depth_m': found.max_depth_m,
            'pooled': options.pooled,
        }
        return rules | ({'kb_crop': True} if found.kb_crop else {})

    def served(self, outputs: Tensors, options: ServingOptions) -> dict[str, Any]:
        """`depth` (1, H, W, 1) [m], float32."""
        return {'depth': outputs['depth_m']} | further_outputs(outputs, ('depth_m',), options)

    def decoder(
        self, model: keras.Model, outputs: Collection[str], options: ServingOptions
    ) -> str:
        return 'depth'

    def served_metrics(self, spec: ModelSpec) -> _ServedMetrics:
        near, far = spec.depth_range_m
        return _ServedMetrics(DepthMetrics(max(near, 1e-3), far))


def _is_depth(name: str, output: np.ndarray) -> bool:
    return name.endswith('_m') and output.ndim == 3 and output.shape[2] == 1


def _enlargement(view: View) -> float:
    """How much larger things are in the network input than in the image."""
    _, _, width, height = view.rect
    return math.sqrt(view.model_size[0] * view.model_size[1] / (width * height))
