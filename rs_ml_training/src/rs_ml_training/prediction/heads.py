"""From a sample to the inputs of a network, and from its outputs to a result, task by task."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.sample import IGNORE, Sample
from rs_ml_training.errors import CheckpointError
from rs_ml_training.networks.registry import takes_depth
from rs_ml_training.prediction.results import (
    BoxPrediction,
    DenoisePrediction,
    DepthPrediction,
    MaskPrediction,
)
from rs_ml_training.prediction.view import View
from rs_ml_training.tasks.known_depth import measured_m
from rs_ml_training.trained import ModelSpec

Arrays = dict[str, np.ndarray]
Predict = Callable[[Arrays], Mapping[str, np.ndarray]]
Result = TypeVar('Result')

UPSAMPLINGS = ('nearest', 'logits')


@dataclass(frozen=True)
class PredictOptions:
    """How a network is used.

    Attributes:
        flip: predict the mirrored picture too and average.
        kb_crop: show the network the crop of KITTI's benchmark instead of the spec's.
        focal_px: focal length of pictures that do not know their own.
        focal_correction: scale depth by the ratio of the camera's focal length to that of
            training, where both are known: with twice the focal length things look as large at
            twice the distance (Facil et al., CAM-Convs, CVPR 2019).
        upsampling: 'nearest': masks are enlarged as class ids, as exported models do;
            'logits': scores are interpolated first, which follows edges closer.
        min_confidence: of masks and denoised depth; less becomes 255, or 0 m.
        min_score: of boxes.
    """

    flip: bool = False
    kb_crop: bool = False
    focal_px: float | None = None
    focal_correction: bool = True
    upsampling: str = 'nearest'
    min_confidence: float = 0.0
    min_score: float = 0.05

    def __post_init__(self) -> None:
        if self.upsampling not in UPSAMPLINGS:
            raise ConfigError(f'upsampling must be one of {UPSAMPLINGS}, got {self.upsampling!r}')
        for name in ('min_confidence', 'min_score'):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f'{name} must be within 0..1, got {getattr(self, name)}')


class Head(ABC, Generic[Result]):
    """What a task adds to running a network. Arrays have no batch axis: (H, W, C)."""

    def __init__(self, spec: ModelSpec, options: PredictOptions) -> None:
        self.spec, self.options = spec, options

    @abstractmethod
    def inputs(self, sample: Sample, view: View) -> Arrays:
        """Named inputs of a sample, (h, w, C) float32.

        Raises:
            InputError: the sample lacks what the network needs.
        """

    @abstractmethod
    def result(self, outputs: Arrays, view: View, sample: Sample) -> Result:
        """The result in the pixels of the sample."""

    def averaged(self, outputs: Arrays, mirrored: Arrays) -> Arrays:
        """Outputs averaged with those of the mirrored picture, already mirrored back."""
        return {name: (value + mirrored[name]) / 2 for name, value in outputs.items()}


class DepthHead(Head[DepthPrediction]):
    """Monocular depth."""

    def inputs(self, sample: Sample, view: View) -> Arrays:
        return {'image': _picture(sample, view)}

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
        """Of a camera that the network sees as one of the reference focal length."""
        own = sample.focal_px or (sample.intrinsics.fx if sample.intrinsics else None)
        focal_px = own or self.options.focal_px
        if focal_px is None:
            raise ConfigError(
                f'{self.spec.network} was trained on depth scaled by focal length: '
                f'give that of {sample.name} with --focal-px'
            )
        return focal_px


def _enlargement(view: View) -> float:
    """How much larger things are in the network input than in the picture."""
    _, _, width, height = view.rect
    return math.sqrt(view.model_size[0] * view.model_size[1] / (width * height))


class SegmentationHead(Head[MaskPrediction]):
    """A class for every pixel, with the depth that a sample has for networks that take it."""

    def inputs(self, sample: Sample, view: View) -> Arrays:
        found = {'image': _picture(sample, view)}
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
        mask = view.nearest_to_source(_best_class(logits), IGNORE)
        certain = view.smooth_to_source(certain, 0.0)
        mask[certain < self.options.min_confidence] = IGNORE
        return MaskPrediction(mask, certain)


class DenoiseHead(Head[DenoisePrediction]):
    """Measured depth and infrared to better depth."""

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


class DetectionHead(Head[BoxPrediction]):
    """Objects and their boxes, from heat maps of their centres or from cells."""

    def inputs(self, sample: Sample, view: View) -> Arrays:
        return {'image': _picture(sample, view)}

    def averaged(self, outputs: Arrays, mirrored: Arrays) -> Arrays:
        if 'heatmap' not in outputs:
            raise ConfigError(
                f'cells of {self.spec.network} cannot be averaged with those of the mirrored '
                'picture: leave out --flip'
            )
        # A centre's place within its cell has no mirror image on the same grid: it stays.
        names = ('heatmap', 'size')
        return outputs | {n: (outputs[n] + mirrored[n]) / 2 for n in names}

    def result(self, outputs: Arrays, view: View, sample: Sample) -> BoxPrediction:
        from rs_ml_training.prediction import cells, peaks

        if 'distances' in outputs:
            found = cells.boxes_of(outputs['scores'], outputs['distances'], view.model_size)
        else:
            maps = (outputs[name] for name in ('heatmap', 'size', 'offset'))
            found = peaks.boxes_of(*maps, view.model_size)
        found = found.above(self.options.min_score)
        return BoxPrediction(view.boxes_to_source(found.xyxy), found.scores, found.class_ids)


HEADS: dict[str, type[Head]] = {
    'depth': DepthHead,
    'segmentation': SegmentationHead,
    'denoise': DenoiseHead,
    'detection': DetectionHead,
}


def _picture(sample: Sample, view: View) -> np.ndarray:
    if sample.image is None:
        raise InputError(f'{sample.name} has no picture')
    return view.picture(sample.image).astype(np.float32)


def _is_depth(name: str, output: np.ndarray) -> bool:
    return name.endswith('_m') and output.ndim == 3 and output.shape[2] == 1


def _best_class(logits: np.ndarray) -> np.ndarray:
    if logits.shape[2] == 1:
        return (logits[..., 0] > 0).astype(np.uint8)
    return logits.argmax(axis=2).astype(np.uint8)


def _best_probability(logits: np.ndarray) -> np.ndarray:
    if logits.shape[2] == 1:
        return 1 / (1 + np.exp(-np.abs(logits[..., 0])))
    return 1 / np.exp(logits - logits.max(axis=2, keepdims=True)).sum(axis=2)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _holes_kept(depth_m: np.ndarray, view: View) -> np.ndarray:
    """Depth interpolated to the picture from what is known; a hole neither bleeds nor shrinks."""
    if view.rect[2:] == depth_m.shape[1::-1]:
        return view.smooth_to_source(depth_m, 0.0)
    known = view.smooth_to_source((depth_m > 0).astype(np.float32), 0.0)
    depth_m = view.smooth_to_source(depth_m, 0.0)
    return np.where(known >= 0.5, depth_m / np.maximum(known, 0.5), np.float32(0))
