"""Measured depth as the second input of a network that labels colour images."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from rs_ml_perception.core.errors import InputError, ModelError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.registration import register_depth
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.inference.manifest import ModelManifest
from rs_ml_perception.inference.preprocess import ImageTransform, InputSpec

DEPTH = 'depth'
_STEP = 2
"""Unaligned depth is registered to colour at half its resolution, or at twice that of the result:
networks of half a megapixel and less need no more, and it takes a quarter of the time."""


def depth_spec(manifest: ModelManifest) -> InputSpec | None:
    """The depth input of a network, None for a network that takes colour only.

    Raises:
        ModelError: the network has any other input after the image.
    """
    further = manifest.inputs[1:]
    if not further:
        return None
    spec = further[0]
    fits = spec.dtype == 'float32' and spec.channels == 1 and spec.layout == 'NHWC'
    if len(further) > 1 or spec.name != DEPTH or not fits or spec.size != manifest.input.size:
        names = [s.name for s in further]
        raise ModelError(
            f'{manifest.name}: after the image there may be one input {DEPTH!r}, float32 NHWC of '
            f'one channel and of the size of the image, got {names}'
        )
    return spec


class DepthInput:
    """Makes the tensor: metres in the pixels of the network's image, 0 where depth is unknown.

    Args:
        spec: the input.
    """

    def __init__(self, spec: InputSpec) -> None:
        self._spec = spec
        self._tensor = np.zeros((1, 1, 1, 1), np.float32)

    def __call__(self, frame: Frame | None, transform: ImageTransform) -> np.ndarray:
        """The tensor (1, h, w, 1) float32, valid until the next call.

        All 0 without a frame, without depth, and for unaligned depth if the intrinsics of either
        camera are unknown.

        Raises:
            InputError: aligned depth has another size than the image.
        """
        width, height = transform.model_size
        if self._tensor.shape != (1, height, width, 1):
            self._tensor = np.zeros((1, height, width, 1), np.float32)
        self._tensor[...] = 0
        depth = None if frame is None else depth_in_image(frame, transform)
        if depth is not None:
            x, y, w, h = transform.model_rect
            depth_m = depth.depth_m
            np.nan_to_num(depth_m, copy=False, nan=0.0)
            self._tensor[0, y : y + h, x : x + w, 0] = depth_m
        return self._tensor


def depth_in_image(
    frame: Frame,
    transform: ImageTransform,
    size: tuple[int, int] | None = None,
    interpolation: int = cv2.INTER_NEAREST,
) -> DepthImage | None:
    """Measured depth in the part of the image that a network sees.

    Args:
        frame: with its depth, aligned or not.
        transform: of its image to the input of the network.
        size: width and height of the result, by default those of the part in the input.
        interpolation: of aligned depth, INTER_NEAREST or INTER_NEAREST_EXACT.

    Returns:
        None without depth, and for unaligned depth if the intrinsics of either camera are unknown.

    Raises:
        InputError: aligned depth has another size than the image.
    """
    size = size or transform.model_rect[2:]
    if frame.depth is None:
        return None
    if frame.color_from_depth is None:
        return _aligned(frame.depth, transform, size, interpolation)
    return _registered(frame.depth, frame, frame.color_from_depth, transform, size)


def _aligned(
    depth: DepthImage, transform: ImageTransform, size: tuple[int, int], interpolation: int
) -> DepthImage:
    if (depth.width, depth.height) != transform.source_size:
        raise InputError(
            f'aligned depth is {depth.width}x{depth.height}, its image '
            '{}x{}: pass depth aligned to it'.format(*transform.source_size)
        )
    x, y, width, height = transform.source_rect
    part = depth.values[y : y + height, x : x + width]
    values = cv2.resize(part, size, interpolation=interpolation)
    return DepthImage(values, depth.metres_per_unit)


def _registered(
    depth: DepthImage,
    frame: Frame,
    color_from_depth: RigidTransform,
    transform: ImageTransform,
    size: tuple[int, int],
) -> DepthImage | None:
    camera = frame.camera
    if camera is None or frame.depth_camera is None:
        return None
    step = max(_STEP, depth.width // (_STEP * size[0]))
    middle = step // 2
    coarse = DepthImage(depth.values[middle::step, middle::step], depth.metres_per_unit)
    depth_camera = _sampled(frame.depth_camera, step, middle, coarse)
    seen = transform.content_camera(camera, size)
    return register_depth(coarse, depth_camera, seen, color_from_depth)


def _sampled(camera: CameraModel, step: int, first: int, image: DepthImage) -> CameraModel:
    """Intrinsics of every `step`-th pixel from `first` on in both directions."""
    return replace(
        camera,
        width=image.width,
        height=image.height,
        fx=camera.fx / step,
        fy=camera.fy / step,
        cx=(camera.cx - first) / step,
        cy=(camera.cy - first) / step,
    )
