"""Depth without the camera's noise, from raw depth and its infrared image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from rs_ml_perception.core.errors import ConfigError, InputError, ModelError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.bounded_depth import (
    DepthBounds,
    MoveLimits,
    Moves,
    is_unfounded,
)
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.stereo import AUTO, CAMERA_TYPES, noise_growth_per_m
from rs_ml_perception.core.geometry.still_depth import StillDepth
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.images.tiling import ImageWindow, plan_windows
from rs_ml_perception.core.options import option
from rs_ml_perception.core.pipeline import StageTimer
from rs_ml_perception.inference.model import Model
from rs_ml_perception.tasks.decoders.denoised import (
    CONFIDENCE,
    DEPTH,
    INFRARED,
    RAW_DEPTH,
    check_model,
    default_threshold,
)
from rs_ml_perception.tasks.options import ModelOptions, ModelPipeline, RangeOptions

INFRARED_MODES = ('auto', 'require', 'none')
"""Used if available; frames without it are dropped; never used."""

_NO_LIMIT = 1e6
_NOISIEST = 4.0
"""Noise level up to which the gate of still pixels grows."""

STRIDE_PX = 16
"""A network of open size takes multiples of this; the image is padded by mirroring."""


@dataclass(frozen=True)
class DenoiseOptions(RangeOptions):
    """Options of the denoised depth. Without a confidence output the threshold must be 0."""

    infrared: str = option(
        'auto',
        'left infrared image: used if published, required, or not used',
        choices=INFRARED_MODES,
        static=True,
        flag=None,
    )
    confidence_threshold: float | None = option(
        None,
        'minimum confidence; pixels below it become invalid',
        low=0.0,
        high=1.0,
        none=-1.0,
        none_doc='set by the model',
    )
    camera_type: str = option(
        AUTO,
        'depth camera, whose noise bounds the moves; auto: D415 or D435, by the focal length',
        choices=CAMERA_TYPES,
    )
    max_toward_sigmas: float = option(
        0.75,
        'largest move of a measured pixel toward the camera, in standard deviations of the '
        'expected noise; 0: no limit',
        low=0.0,
        high=1000.0,
    )
    max_away_sigmas: float = option(
        10.0, 'the same away from the camera; 0: no limit', low=0.0, high=1000.0
    )
    temporal_weight: float = option(
        0.0, 'weight of the past at still pixels; 0: off, 0.6: steady', low=0.0, high=0.95
    )
    temporal_gate_sigmas: float = option(
        0.75,
        'larger changes pass at once, in standard deviations of the noise',
        low=0.0,
        high=10.0,
    )

    def move_limits(self, size: tuple[int, int], camera: CameraModel | None) -> MoveLimits | None:
        """The limits for images of a depth camera, None without any."""
        toward, away = (
            limit or _NO_LIMIT for limit in (self.max_toward_sigmas, self.max_away_sigmas)
        )
        if toward == away == _NO_LIMIT:
            return None
        return MoveLimits(toward, away, noise_growth_per_m(self.camera_type, size, camera))


@dataclass(frozen=True, eq=False)
class DenoisedDepth:
    """Depth along the optical axis, in the pixels of the raw image.

    Attributes:
        depth_m: float32 (H, W), metres, NaN where invalid.
        confidence: float32 (H, W), 0..1, also of pixels below the threshold.
        moves: noise of the raw image, and the fraction held at a bound.
        still: fraction of the valid pixels that were smoothed over time.
    """

    depth_m: np.ndarray
    confidence: np.ndarray
    moves: Moves = field(default_factory=Moves)
    still: float = 0.0


class Denoiser:
    """Denoises depth images of any size at their own resolution.

    A network of fixed input size gets smaller images padded by mirroring and larger ones in
    overlapping windows. Nothing is resampled, so edges stay sharp and distances are never mixed
    with holes. (With zero padding, pixels near the border deviated half as far again from the
    result of an unpadded image.)

    Attributes:
        model: the network.
        stages: wall time of preprocess, inference and postprocess.
    """

    def __init__(self, model: Model, options: DenoiseOptions | None = None) -> None:
        """Prepare a loaded model.

        Raises:
            ModelError: the model does not denoise, or has unexpected inputs or outputs.
            ConfigError: a confidence threshold for a model without confidence.
        """
        check_model(model)
        self.model = model
        self.stages = StageTimer()
        self._default = default_threshold(model)
        self._windows: dict[tuple[int, int], tuple[ImageWindow, ...]] = {}
        self._bounds = DepthBounds()
        self.options = options or DenoiseOptions()

    @property
    def options(self) -> DenoiseOptions:
        """Replace to change them between calls; ConfigError refuses and changes nothing."""
        return self._options

    @options.setter
    def options(self, options: DenoiseOptions) -> None:
        if options.confidence_threshold and not self._gives_confidence:
            raise ConfigError(
                f'{self.model.title} predicts no confidence: confidence_threshold must be 0, '
                f'got {options.confidence_threshold}'
            )
        self._options = options

    @property
    def confidence_threshold(self) -> float:
        """The threshold in force."""
        chosen = self._options.confidence_threshold
        return self._default if chosen is None else chosen

    @property
    def uses_infrared(self) -> bool:
        """Whether the network has an infrared input."""
        return any(spec.name == INFRARED for spec in self.model.manifest.inputs)

    @property
    def _gives_confidence(self) -> bool:
        return CONFIDENCE in self.model.manifest.outputs

    def __call__(
        self,
        depth: DepthImage,
        infrared: np.ndarray | None = None,
        camera: CameraModel | None = None,
    ) -> DenoisedDepth:
        """Denoise an image.

        Args:
            depth: raw depth (H, W).
            infrared: uint8 (H, W), the left infrared image in the pixels of depth, or None.
            camera: intrinsics of the depth camera, if known and depth is in its pixels.

        Raises:
            InputError: infrared has another type or size, or there are no pixels.
        """
        _check_images(depth, infrared)
        with self.stages('preprocess'):
            raw_m, is_unreadable = self._readable(depth)
            found = _empty_result(raw_m.shape)
        for window in self._windows_of(raw_m.shape):
            with self.stages('preprocess'):
                inputs = self._inputs(window, raw_m, infrared)
            with self.stages('inference'):
                outputs = self.model(inputs)
            with self.stages('postprocess'):
                self._keep(window, outputs, found)
        with self.stages('postprocess'):
            found = self._bounded(raw_m, found, camera)
            is_unknown = is_unreadable | self._is_unwanted(found) | is_unfounded(raw_m > 0)
            found.depth_m[is_unknown] = np.nan
        return found

    def _bounded(
        self, raw_m: np.ndarray, found: DenoisedDepth, camera: CameraModel | None
    ) -> DenoisedDepth:
        """Hold measured pixels within the bounds of the options, in place."""
        size = raw_m.shape[1], raw_m.shape[0]
        limits = self._options.move_limits(size, camera)
        if limits is None:
            return found
        moves = self._bounds(raw_m, found.depth_m, found.confidence, limits)
        return replace(found, moves=moves)

    def inputs(
        self, depth: DepthImage, infrared: np.ndarray | None = None
    ) -> list[dict[str, np.ndarray]]:
        """The inputs of the network for an image, window by window; see `__call__`."""
        _check_images(depth, infrared)
        raw_m, _ = self._readable(depth)
        return [self._inputs(w, raw_m, infrared) for w in self._windows_of(raw_m.shape)]

    def _readable(self, depth: DepthImage) -> tuple[np.ndarray, np.ndarray]:
        """Metres with 0 in holes, and a mask of measurements out of the network's range."""
        raw_m = depth.values.astype(np.float32)
        if depth.metres_per_unit != 1.0:
            raw_m *= np.float32(depth.metres_per_unit)
        low, high = self.model.manifest.depth.range_m
        with np.errstate(invalid='ignore'):
            is_measured = raw_m > 0
            is_readable = (raw_m >= low) & (raw_m <= high) & is_measured
        is_unreadable = is_measured & ~is_readable
        raw_m[~is_readable] = 0
        return raw_m, is_unreadable

    def _windows_of(self, shape: tuple[int, ...]) -> tuple[ImageWindow, ...]:
        size = shape[1], shape[0]
        if size not in self._windows:
            self._windows = {size: plan_windows(size, self.model.input_size)}
        return self._windows[size]

    def _inputs(
        self, window: ImageWindow, raw_m: np.ndarray, infrared: np.ndarray | None
    ) -> dict[str, np.ndarray]:
        seen = window.rows.seen, window.columns.seen
        inputs = {RAW_DEPTH: self._tensor(raw_m[seen])}
        if self.uses_infrared:
            nothing = np.zeros(raw_m[seen].shape, np.uint8)
            inputs[INFRARED] = self._tensor(nothing if infrared is None else infrared[seen])
        return inputs

    def _keep(
        self, window: ImageWindow, outputs: Mapping[str, np.ndarray], found: DenoisedDepth
    ) -> None:
        """Copy the window's part of the result."""
        inside = window.rows.kept_inside, window.columns.kept_inside
        kept = window.rows.kept, window.columns.kept
        found.depth_m[kept] = self._plane(outputs[DEPTH])[inside]
        if (unit := self.model.manifest.depth.metres_per_unit) != 1.0:
            found.depth_m[kept] *= np.float32(unit)
        if self._gives_confidence:
            found.confidence[kept] = self._plane(outputs[CONFIDENCE])[inside]

    def _tensor(self, part: np.ndarray) -> np.ndarray:
        """(1, h, w, 1) with the part in its upper left corner, mirrored right and below."""
        height, width = part.shape
        size = self.model.input_size or (_multiple(width), _multiple(height))
        if size != (width, height):
            right, below = size[0] - width, size[1] - height
            part = cv2.copyMakeBorder(part, 0, below, 0, right, cv2.BORDER_REFLECT)
        return np.ascontiguousarray(part)[None, :, :, None]

    def _plane(self, output: np.ndarray) -> np.ndarray:
        if output.ndim != 4 or output.shape[0] != 1 or output.shape[3] != 1:
            raise ModelError(
                f'{self.model.title}: depth and confidence must have shape (1, h, w, 1), '
                f'got {output.shape}'
            )
        return output[0, :, :, 0]

    def _is_unwanted(self, found: DenoisedDepth) -> np.ndarray:
        low, high = self._options.band_m
        depth_m = found.depth_m
        with np.errstate(invalid='ignore'):
            is_wanted = (depth_m > 0) & (depth_m >= low) & (depth_m <= high)
        is_wanted &= np.isfinite(depth_m)
        if self.confidence_threshold > 0:
            is_wanted &= found.confidence >= np.float32(self.confidence_threshold)
        return ~is_wanted


def _check_images(depth: DepthImage, infrared: np.ndarray | None) -> None:
    if 0 in depth.values.shape:
        raise InputError(f'the depth image has no pixels: {depth.width}x{depth.height}')
    if infrared is None:
        return
    if infrared.dtype != np.uint8 or infrared.ndim != 2:
        raise InputError(
            f'infrared must be uint8 of shape (H, W), got {infrared.dtype} {infrared.shape}'
        )
    if infrared.shape != depth.values.shape:
        raise InputError(
            f'the infrared image is {infrared.shape[1]}x{infrared.shape[0]}, the depth image '
            f'{depth.width}x{depth.height}: set the same profile for both (depth_module), or work '
            'without infrared'
        )


def _empty_result(shape: tuple[int, ...]) -> DenoisedDepth:
    """Confidence 1 everywhere, for networks without that output."""
    return DenoisedDepth(np.empty(shape, np.float32), np.ones(shape, np.float32))


def _multiple(length: int) -> int:
    return -(-length // STRIDE_PX) * STRIDE_PX


class DenoisePipeline(ModelPipeline[DenoiseOptions]):
    """Frame to DenoisedDepth. See core.pipeline.Pipeline."""

    def __init__(self, denoiser: Denoiser, options: DenoiseOptions) -> None:
        self._denoiser = denoiser
        self._still = StillDepth()
        self._readings: dict[str, float] = {}
        super().__init__(denoiser.model, options)

    @classmethod
    def load(cls, choice: ModelOptions, options: DenoiseOptions) -> DenoisePipeline:
        """Load the model; raises as ModelOptions.load does."""
        return cls(Denoiser(choice.load(), options), options)

    @property
    def uses_infrared(self) -> bool:
        """Whether the network has an infrared input."""
        return self._denoiser.uses_infrared

    def apply(self, options: DenoiseOptions) -> None:
        self._denoiser.options = options

    def __call__(self, frame: Frame) -> DenoisedDepth:
        """Denoise the depth of one frame.

        Raises:
            InputError: there is no depth, or required infrared is missing or has another size.
        """
        if frame.depth is None:
            raise InputError('there is no depth image to denoise')
        if self.options.infrared == 'require' and frame.infrared is None:
            raise InputError('there is no infrared image, and infrared is set to require')
        infrared = None if self.options.infrared == 'none' else frame.infrared
        found = self._denoiser(frame.depth, infrared, frame.depth_camera)
        found = self._steadied(found, frame)
        moves = found.moves
        self._readings = {
            'clamped': moves.clamped,
            'noise_px': moves.noise_px,
            'still': found.still,
        }
        return found

    def _steadied(self, found: DenoisedDepth, frame: Frame) -> DenoisedDepth:
        options = self.options
        if not options.temporal_weight:
            self._still.reset()
            return found
        size = found.depth_m.shape[1], found.depth_m.shape[0]
        growth_per_m = noise_growth_per_m(options.camera_type, size, frame.depth_camera)
        noise_per_m = growth_per_m * min(max(found.moves.noise_level, 1.0), _NOISIEST)
        gate_per_m = options.temporal_gate_sigmas * noise_per_m
        with self._denoiser.stages('postprocess'):
            still = self._still(found.depth_m, frame.stamp_ns, options.temporal_weight, gate_per_m)
        return replace(found, still=still)

    def reset(self) -> None:
        """Forget the depth before: time has jumped."""
        self._still.reset()
        self._readings = {}

    def readings(self) -> dict[str, float]:
        """Fractions held at a bound and smoothed over time, noise of disparity [px]."""
        return self._readings

    def describe(self) -> dict[str, str]:
        return {
            **super().describe(),
            'confidence_threshold': f'{self._denoiser.confidence_threshold:g}',
        }

    def take_stages(self) -> dict[str, float]:
        return self._denoiser.stages.take()
