"""Depth from a single colour image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.options import option
from rs_ml_perception.core.pipeline import StageTimer
from rs_ml_perception.inference.model import Model
from rs_ml_perception.inference.preprocess import ImageTransform, Preprocessor, plan_transform
from rs_ml_perception.tasks.decoders.checks import check_outputs, fill_options, require_numbers
from rs_ml_perception.tasks.options import ModelOptions, ModelPipeline, RangeOptions, check_fit

_OUTPUT = 'depth'


@dataclass(frozen=True)
class MonoDepthOptions(RangeOptions):
    """How the network's output becomes a depth image.

    The range applies in addition to that of the manifest, to which estimates are clamped. With
    output_size 'source' the depth image has the size and field of view of the colour image, NaN
    outside the network's crop; with 'model' it has the resolution and crop of the network.

    focal_correction scales metric depth if manifest and camera both give a focal length. An
    object looks the same at distance d with focal length f and at 2 d with 2 f (Facil et al.,
    CAM-Convs, CVPR 2019), so a network trained with f_t sees d f_t / f; Metric3D (Yin et al.,
    ICCV 2023) undoes it by this same factor.
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
    """

    depth_m: np.ndarray
    camera: CameraModel | None


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
        self.options = options or MonoDepthOptions()
        self.stages = StageTimer()
        self._preprocess = Preprocessor(manifest.input)
        check_fit(model, self._plane)

    def __call__(self, rgb: np.ndarray, camera: CameraModel | None = None) -> DepthEstimate:
        """Estimate the depth of an image.

        Args:
            rgb: uint8 (H, W, 3), RGB.
            camera: intrinsics of rgb, if known.

        Raises:
            InputError: rgb has another type or shape.
        """
        with self.stages('preprocess'):
            tensor, transform = self._preprocess(rgb)
        with self.stages('inference'):
            outputs = self.model({self._preprocess.spec.name: tensor})
        with self.stages('postprocess'):
            depth_m = self._metres(outputs[_OUTPUT], transform, camera)
            return self._placed(depth_m, transform, camera)

    def _metres(
        self, output: np.ndarray, transform: ImageTransform, camera: CameraModel | None
    ) -> np.ndarray:
        plane = self._plane({_OUTPUT: output})
        spec = self.model.manifest.depth
        factor = spec.metres_per_unit * self._focal_factor(transform, camera)
        if spec.form == 'inverse':
            with np.errstate(divide='ignore'):
                depth_m = np.float32(factor) / plane.astype(np.float32)
        else:
            depth_m = plane.astype(np.float32) * np.float32(factor)
        limits = self._clamped_to(factor / spec.metres_per_unit)
        valid = np.isfinite(depth_m) & (depth_m > 0)
        if not valid.any() and np.isnan(depth_m).all():
            require_numbers(depth_m, 'depths')
        np.clip(depth_m, *limits, out=depth_m)
        return np.where(valid & self._in_range(depth_m), depth_m, np.float32(np.nan))

    def _plane(self, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """The depth output without axes of length 1, (h, w)."""
        plane = np.squeeze(outputs[_OUTPUT])
        if plane.ndim != 2:
            raise ModelError(f'depth must have shape (1, h, w, 1), got {outputs[_OUTPUT].shape}')
        return plane

    def _clamped_to(self, focal_factor: float) -> tuple[float, float]:
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

    def _placed(
        self, depth_m: np.ndarray, transform: ImageTransform, camera: CameraModel | None
    ) -> DepthEstimate:
        if self.options.output_size == 'source':
            whole = transform.to_source(depth_m, interpolation=cv2.INTER_LINEAR, fill=float('nan'))
            return DepthEstimate(whole, camera)
        seen = np.ascontiguousarray(transform.content(depth_m))
        if camera is None:
            return DepthEstimate(seen, None)
        size = seen.shape[1], seen.shape[0]
        return DepthEstimate(seen, transform.content_camera(camera, size))


def _input_camera(camera: CameraModel, transform: ImageTransform) -> CameraModel:
    return transform.content_camera(camera, transform.model_rect[2:])


class MonoDepthPipeline(ModelPipeline[MonoDepthOptions]):
    """Frame to DepthEstimate. See core.pipeline.Pipeline."""

    def __init__(self, estimator: DepthEstimator) -> None:
        self._estimator = estimator
        super().__init__(estimator.model, estimator.options)

    @classmethod
    def load(cls, choice: ModelOptions, options: MonoDepthOptions) -> MonoDepthPipeline:
        """Load the model; raises as ModelOptions.load does."""
        return cls(DepthEstimator(choice.load(), options))

    def apply(self, options: MonoDepthOptions) -> None:
        self._estimator.options = options

    def __call__(self, frame: Frame) -> DepthEstimate:
        """Estimate the depth of one frame."""
        return self._estimator(frame.color_image, frame.camera)

    def take_stages(self) -> dict[str, float]:
        return self._estimator.stages.take()
