"""Depth from a single colour image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from rs_ml_perception.core.errors import InputError, ModelError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.options import option
from rs_ml_perception.core.pipeline import StageTimer
from rs_ml_perception.inference.model import Model
from rs_ml_perception.inference.preprocess import ImageTransform, Preprocessor, plan_transform
from rs_ml_perception.tasks.decoders.checks import check_outputs, fill_options, require_numbers
from rs_ml_perception.tasks.depth_alignment import (
    OFF,
    Alignment,
    AlignmentOptions,
    DepthAligner,
)
from rs_ml_perception.tasks.options import ModelOptions, ModelPipeline, RangeOptions, check_fit

_OUTPUT = 'depth'


@dataclass(frozen=True)
class MonoDepthOptions(AlignmentOptions, RangeOptions):
    """How the network's output becomes a depth image.

    The range applies in addition to that of the manifest, to which estimates are clamped. With
    output_size 'source' the depth image has the size and field of view of the colour image, NaN
    outside the network's crop; with 'model' it has the resolution and crop of the network.

    focal_correction scales metric depth if manifest and camera both give a focal length. An
    object looks the same at distance d with focal length f and at 2 d with 2 f (Facil et al.,
    CAM-Convs, CVPR 2019), so a network trained with f_t sees d f_t / f; Metric3D (Yin et al.,
    ICCV 2023) undoes it by this same factor. A fit to measured depth replaces it.
    """

    output_size: str = option(
        'source',
        'size of depth/image: of the colour image, or of the model',
        choices=('source', 'model'),
        flag=None,
    )
    focal_correction: bool = option(
        True,
        "scale depth by the ratio of this camera's focal length to the training camera's",
        flag=None,
    )


@dataclass(frozen=True, eq=False)
class DepthEstimate:
    """Depth along the optical axis.

    Attributes:
        depth_m: float32 (H, W), metres, NaN where invalid.
        camera: intrinsics of depth_m, None if unknown.
        alignment: to measured depth; None unless align_to_depth asks for it.
        make_relative_stddev: makes the standard deviation over depth of every pixel.
    """

    depth_m: np.ndarray
    camera: CameraModel | None
    alignment: Alignment | None = None
    make_relative_stddev: Callable[[], np.ndarray] | None = None

    def stddev_m(self) -> np.ndarray:
        """Standard deviation of depth_m: float32 (H, W), metres, NaN where invalid.

        Raises:
            InputError: depth was not aligned, so none is known.
        """
        if self.make_relative_stddev is None:
            raise InputError('a standard deviation needs align_to_depth other than off')
        return np.asarray(self.depth_m * self.make_relative_stddev())


class DepthEstimator:
    """Estimates depth from RGB images.

    Attributes:
        model: the network.
        options: may be replaced between calls.
        stages: wall time of preprocess, inference and postprocess.
    """

    def __init__(self, model: Model, options: MonoDepthOptions | None = None) -> None:
        """Prepare a loaded model.

        Raises:
            ModelError: the model does not estimate depth, its decoder is unknown, or its output
                is no image.
        """
        manifest = model.manifest
        manifest.require('mono_depth', decoders=('depth',))
        check_outputs(manifest.name, (_OUTPUT,), manifest.outputs)
        fill_options(manifest.name, {}, manifest.decoder_options)
        self.model = model
        self.stages = StageTimer()
        self._preprocess = Preprocessor(manifest.input)
        self._aligner = DepthAligner(options or MonoDepthOptions())
        self.options = options or MonoDepthOptions()
        self._factor = 1.0
        check_fit(model, self._plane)

    @property
    def options(self) -> MonoDepthOptions:
        """Replace to change them between calls."""
        return self._options

    @options.setter
    def options(self, options: MonoDepthOptions) -> None:
        self._options = options
        self._aligner.options = options

    def reset(self) -> None:
        """Forget earlier frames."""
        self._aligner.reset()

    def __call__(
        self, rgb: np.ndarray, camera: CameraModel | None = None, frame: Frame | None = None
    ) -> DepthEstimate:
        """Estimate the depth of an image.

        Args:
            rgb: uint8 (H, W, 3), RGB.
            camera: intrinsics of rgb, if known.
            frame: stamp and measured depth, for align_to_depth.

        Raises:
            InputError: rgb has another type or shape, or aligned depth has another size.
        """
        with self.stages('preprocess'):
            tensor, transform = self._preprocess(rgb)
        with self.stages('inference'):
            outputs = self.model({self._preprocess.spec.name: tensor})
        with self.stages('postprocess'):
            factor = self._focal_factor(transform, camera)
            if factor != self._factor:  # fits relate to metres with the former one
                self._aligner.reset()
                self._factor = factor
            depth_m, valid = self._metres(outputs, factor)
        alignment = None
        if self._options.align_to_depth != OFF:
            with self.stages('align'):
                measured = Frame(rgb) if frame is None else frame
                limits_m = self._limits_m(factor)
                alignment = self._aligner(depth_m, measured, transform, limits_m)
        with self.stages('postprocess'):
            depth_m[~(valid & self._in_range(depth_m))] = np.nan
            return self._estimate(depth_m, transform, camera, alignment)

    def _metres(
        self, outputs: Mapping[str, np.ndarray], focal_factor: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Depth (h, w) in the pixels of the network, clamped, and where it is valid."""
        spec, plane = self.model.manifest.depth, self._plane(outputs).astype(np.float32)
        factor = np.float32(spec.metres_per_unit * focal_factor)
        if spec.form == 'inverse':
            with np.errstate(divide='ignore'):
                depth_m = factor / plane
        else:
            depth_m = plane * factor
        valid = np.isfinite(depth_m) & (depth_m > 0)
        if not valid.any() and np.isnan(depth_m).all():
            require_numbers(depth_m, 'depths')
        np.clip(depth_m, *self._limits_m(focal_factor), out=depth_m)
        return depth_m, valid

    def _plane(self, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """The depth output without axes of length 1, (h, w)."""
        plane = np.squeeze(outputs[_OUTPUT])
        if plane.ndim != 2:
            raise ModelError(f'depth must have shape (1, h, w, 1), got {outputs[_OUTPUT].shape}')
        return plane

    def _limits_m(self, focal_factor: float) -> tuple[float, float]:
        low, high = self.model.manifest.depth.range_m
        return low * focal_factor, high * focal_factor

    def _in_range(self, depth_m: np.ndarray) -> np.ndarray:
        low, high = self.options.band_m
        return (depth_m >= low) & (depth_m <= high)

    def _focal_factor(self, transform: ImageTransform, camera: CameraModel | None) -> float:
        """Focal length over that of training, both in pixels of the network input."""
        training = self.model.manifest.training_camera
        if not self.options.focal_correction or training is None or camera is None:
            return 1.0
        size = training.width, training.height
        then = plan_transform(self.model.manifest.input, size)
        here, there = _input_camera(camera, transform), _input_camera(training, then)
        return float(np.sqrt(here.fx * here.fy / (there.fx * there.fy)))

    def _estimate(
        self,
        depth_m: np.ndarray,
        transform: ImageTransform,
        camera: CameraModel | None,
        alignment: Alignment | None,
    ) -> DepthEstimate:
        placed = self._placed(depth_m, transform)
        if camera is not None and self._options.output_size != 'source':
            camera = transform.content_camera(camera, (placed.shape[1], placed.shape[0]))
        if alignment is None:
            return DepthEstimate(placed, camera)
        shape = depth_m.shape

        def relative_stddev() -> np.ndarray:
            whole = np.full(shape, np.nan, np.float32)
            seen = transform.content(whole)
            seen[...] = alignment.relative_stddev_image(seen.shape)
            return self._placed(whole, transform)

        return DepthEstimate(placed, camera, alignment, relative_stddev)

    def _placed(self, values: np.ndarray, transform: ImageTransform) -> np.ndarray:
        """Values of the network's pixels in those of the result."""
        if self._options.output_size == 'source':
            return transform.to_source(values, interpolation=cv2.INTER_LINEAR, fill=float('nan'))
        return np.ascontiguousarray(transform.content(values))


def _input_camera(camera: CameraModel, transform: ImageTransform) -> CameraModel:
    return transform.content_camera(camera, transform.model_rect[2:])


class MonoDepthPipeline(ModelPipeline[MonoDepthOptions]):
    """Frame to DepthEstimate. See core.pipeline.Pipeline."""

    def __init__(self, estimator: DepthEstimator) -> None:
        self._estimator = estimator
        self._readings: dict[str, float] = {}
        super().__init__(estimator.model, estimator.options)

    @classmethod
    def load(cls, choice: ModelOptions, options: MonoDepthOptions) -> MonoDepthPipeline:
        """Load the model; raises as ModelOptions.load does."""
        return cls(DepthEstimator(choice.load(), options))

    def apply(self, options: MonoDepthOptions) -> None:
        self._estimator.options = options

    def __call__(self, frame: Frame) -> DepthEstimate:
        """Estimate the depth of one frame."""
        estimate = self._estimator(frame.color_image, frame.image_camera, frame)
        if estimate.alignment is not None:
            self._readings = estimate.alignment.readings()
        return estimate

    def reset(self) -> None:
        self._estimator.reset()
        self._readings = {}

    def readings(self) -> dict[str, float]:
        return self._readings

    def take_stages(self) -> dict[str, float]:
        return self._estimator.stages.take()
