"""Depth without the camera's noise, from raw depth and its infrared image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from rs_ml_perception.core.band import closed_band
from rs_ml_perception.core.errors import ConfigError, InputError, ModelError
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.images.tiling import Window, plan_windows
from rs_ml_perception.core.stages import StageTimer
from rs_ml_perception.inference.model import Model
from rs_ml_perception.tasks.denoise_model import (
    CONFIDENCE,
    DEPTH,
    INFRARED,
    RAW_DEPTH,
    check_model,
    default_threshold,
)

_REACH_PX = 16
"""A network fills holes from what is measured around them. Farther from any measurement it invents
depth, a wall in a blank image; of what it fills in real recordings, nothing is farther."""

STRIDE_PX = 16
"""A network of open size takes multiples of this; what is missing is mirrored."""


@dataclass(frozen=True)
class DenoiserOptions:
    """What is kept of what the network says.

    Attributes:
        confidence_threshold: pixels less certain are invalid, in [0, 1]; None: as the manifest
            says in decoder_options. A network without confidence takes 0 alone.
        range_min_m, range_max_m: distances outside become invalid; None: no limit of one's own.
    """

    confidence_threshold: float | None = None
    range_min_m: float | None = None
    range_max_m: float | None = None

    def __post_init__(self) -> None:
        threshold = self.confidence_threshold
        if threshold is not None and not 0 <= threshold <= 1:
            raise ConfigError(f'confidence_threshold must be within 0..1, got {threshold}')
        closed_band(self.range_min_m, self.range_max_m)


@dataclass(frozen=True, eq=False)
class DenoisedDepth:
    """Depth along the optical axis, pixel by pixel that of the raw image.

    Attributes:
        depth_m: float32 (H, W), metres, NaN where invalid.
        confidence: float32 (H, W), 0..1, also of pixels that were not certain enough.
    """

    depth_m: np.ndarray
    confidence: np.ndarray


class Denoiser:
    """Denoises depth images of any size at their own resolution.

    A network of fixed input size sees a smaller image with its mirror image beside it, and a
    larger one through overlapping windows: nothing is resampled, so no edge is smeared and no
    distance mixed with a hole. (With holes in place of the mirror image, pixels near the border
    strayed half as far again from what the network gives where it sees on.)

    Attributes:
        model: the network.
        stages: wall time of preprocess, inference and postprocess.
    """

    def __init__(self, model: Model, options: DenoiserOptions | None = None) -> None:
        """Prepare a loaded model.

        Raises:
            ModelError: it is no denoise model, or its inputs or outputs are not as expected.
            ConfigError: a confidence is asked for that the model does not give.
        """
        check_model(model)
        self.model = model
        self.stages = StageTimer()
        self._default = default_threshold(model)
        self._windows: dict[tuple[int, int], tuple[Window, ...]] = {}
        self.options = options or DenoiserOptions()

    @property
    def options(self) -> DenoiserOptions:
        """Replace to change thresholds while running; a wrong one raises and changes nothing."""
        return self._options

    @options.setter
    def options(self, options: DenoiserOptions) -> None:
        if options.confidence_threshold and not self._gives_confidence:
            raise ConfigError(
                f'{self.model.title} gives no confidence: confidence_threshold must be 0, '
                f'got {options.confidence_threshold}'
            )
        self._options = options

    @property
    def confidence_threshold(self) -> float:
        """The one in force."""
        chosen = self._options.confidence_threshold
        return self._default if chosen is None else chosen

    @property
    def uses_infrared(self) -> bool:
        """Whether the network looks at infrared at all."""
        return any(spec.name == INFRARED for spec in self.model.manifest.inputs)

    @property
    def _gives_confidence(self) -> bool:
        return CONFIDENCE in self.model.manifest.outputs

    def __call__(self, depth: DepthImage, infrared: np.ndarray | None = None) -> DenoisedDepth:
        """Denoise an image.

        Args:
            depth: raw depth (H, W).
            infrared: uint8 (H, W), the left infrared image, whose pixels are those of the depth;
                None: there is none.

        Raises:
            InputError: infrared is no such image, or there are no pixels.
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
            is_unknown = is_unreadable | self._is_unwanted(found) | _is_unfounded(raw_m > 0)
            found.depth_m[is_unknown] = np.nan
        return found

    def inputs(
        self, depth: DepthImage, infrared: np.ndarray | None = None
    ) -> list[dict[str, np.ndarray]]:
        """What the network is given for an image, call by call; see `__call__`."""
        _check_images(depth, infrared)
        raw_m, _ = self._readable(depth)
        return [self._inputs(w, raw_m, infrared) for w in self._windows_of(raw_m.shape)]

    def _readable(self, depth: DepthImage) -> tuple[np.ndarray, np.ndarray]:
        """Metres with 0 in holes, and where the camera measured what the network cannot read."""
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

    def _windows_of(self, shape: tuple[int, ...]) -> tuple[Window, ...]:
        size = shape[1], shape[0]
        if size not in self._windows:
            self._windows = {size: plan_windows(size, self.model.input_size)}
        return self._windows[size]

    def _inputs(
        self, window: Window, raw_m: np.ndarray, infrared: np.ndarray | None
    ) -> dict[str, np.ndarray]:
        seen = window.rows.seen, window.columns.seen
        inputs = {RAW_DEPTH: self._tensor(raw_m[seen])}
        if self.uses_infrared:
            nothing = np.zeros(raw_m[seen].shape, np.uint8)
            inputs[INFRARED] = self._tensor(nothing if infrared is None else infrared[seen])
        return inputs

    def _keep(
        self, window: Window, outputs: Mapping[str, np.ndarray], found: DenoisedDepth
    ) -> None:
        """Take over the window's part of the result."""
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
        low, high = closed_band(self._options.range_min_m, self._options.range_max_m)
        depth_m = found.depth_m
        with np.errstate(invalid='ignore'):
            is_wanted = (depth_m > 0) & (depth_m >= low) & (depth_m <= high)
        is_wanted &= np.isfinite(depth_m)
        if self.confidence_threshold > 0:
            is_wanted &= found.confidence >= np.float32(self.confidence_threshold)
        return ~is_wanted


def _is_unfounded(is_measured: np.ndarray) -> np.ndarray:
    """Where no measurement is within twice _REACH_PX, nowhere that one is within _REACH_PX.

    By cells of pixels, at a fraction of what exact distances cost; bool (H, W) to (H, W).
    """
    height, width = is_measured.shape
    cells = -(-width // _REACH_PX), -(-height // _REACH_PX)
    share = cv2.resize(is_measured.astype(np.float32), cells, interpolation=cv2.INTER_AREA)
    is_near = cv2.dilate((share > 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    if is_near.all():
        return np.zeros(is_measured.shape, bool)
    return cv2.resize(is_near, (width, height), interpolation=cv2.INTER_NEAREST) == 0


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
            f'{depth.width}x{depth.height}: give both the same profile (depth_module), or work '
            'without infrared'
        )


def _empty_result(shape: tuple[int, ...]) -> DenoisedDepth:
    """Certain everywhere, for networks that do not say."""
    return DenoisedDepth(np.empty(shape, np.float32), np.ones(shape, np.float32))


def _multiple(length: int) -> int:
    return -(-length // STRIDE_PX) * STRIDE_PX
