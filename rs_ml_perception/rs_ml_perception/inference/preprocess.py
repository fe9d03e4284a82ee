"""From a camera image to the input tensor of a network, and back to pixels of the image."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel

INTERPOLATIONS = {
    'nearest': cv2.INTER_NEAREST,
    'linear': cv2.INTER_LINEAR,
    'area': cv2.INTER_AREA,
    'cubic': cv2.INTER_CUBIC,
}
COLORS = ('RGB', 'BGR', 'GRAY')
LAYOUTS = ('NHWC', 'NCHW')
_ANY_SIZE = (640, 480)
RESIZES = ('stretch', 'letterbox', 'crop')


@dataclass(frozen=True)
class InputSpec:
    """One input tensor of a network: value = pixel * scale + offset.

    Attributes:
        name: name of the tensor.
        size: (width, height) in pixels, or None: any size.
        layout: 'NHWC' or 'NCHW'; the batch is 1.
        dtype: numpy name, 'uint8' or 'float32'.
        color: 'RGB', 'BGR' or 'GRAY'.
        resize: 'stretch' fills the size; 'letterbox' keeps the aspect ratio and pads right and
            below, or on both sides where `centered`; 'crop' cuts the rectangle `crop` first.
        interpolation: a key of INTERPOLATIONS.
        scale, offset: one number, or one per channel.
        crop: [x, y, width, height] as fractions of the image; None with resize 'crop': the largest
            centred rectangle of the aspect ratio of `size`.
        pad_value: pixel value of the padding of a letterboxed image.
        centered: whether letterbox pads on both sides.
    """

    name: str = 'image'
    size: tuple[int, int] | None = None
    layout: str = 'NHWC'
    dtype: str = 'uint8'
    color: str = 'RGB'
    resize: str = 'stretch'
    interpolation: str = 'linear'
    scale: float | tuple[float, ...] = 1.0
    offset: float | tuple[float, ...] = 0.0
    crop: tuple[float, float, float, float] | None = None
    pad_value: int = 0
    centered: bool = False

    @property
    def channels(self) -> int:
        return 1 if self.color == 'GRAY' else 3

    def shape(self, size: tuple[int, int]) -> tuple[int, ...]:
        """Tensor shape for an image of size (width, height)."""
        width, height = size
        if self.layout == 'NCHW':
            return 1, self.channels, height, width
        return 1, height, width, self.channels

    def black(self) -> np.ndarray:
        """The tensor of zeros; for an image of 640x480 where any size fits."""
        return np.zeros(self.shape(self.size or _ANY_SIZE), self.dtype)


@dataclass(frozen=True)
class ImageTransform:
    """Position of the pixels of a network input in their image.

    Attributes:
        source_size, model_size: (width, height) in pixels.
        source_rect: (x, y, width, height) of the part of the image used.
        model_rect: (x, y, width, height) of that part in the network input.
    """

    source_size: tuple[int, int]
    model_size: tuple[int, int]
    source_rect: tuple[int, int, int, int]
    model_rect: tuple[int, int, int, int]

    def boxes_to_source(self, xyxy: np.ndarray) -> np.ndarray:
        """Boxes (N, 4) in pixels of the network input to float32 pixels of the image."""
        sx, sy, sw, sh = self.source_rect
        mx, my, mw, mh = self.model_rect
        scale = np.array([sw / mw, sh / mh] * 2, np.float32)
        shift = np.array([mx, my] * 2, np.float32)
        return (xyxy.astype(np.float32) - shift) * scale + np.array([sx, sy] * 2, np.float32)

    def content(self, output: np.ndarray) -> np.ndarray:
        """The part of a dense output (h, w, ...) inside the image, at any resolution."""
        x, y, width, height = self.model_rect
        fx, fy = output.shape[1] / self.model_size[0], output.shape[0] / self.model_size[1]
        x_min, x_max = round(x * fx), round((x + width) * fx)
        y_min, y_max = round(y * fy), round((y + height) * fy)
        return output[y_min:y_max, x_min:x_max]

    def to_source(self, output: np.ndarray, *, interpolation: int, fill: float) -> np.ndarray:
        """Resample a dense output (h, w) to the image, with `fill` outside the input."""
        x, y, width, height = self.source_rect
        seen = cv2.resize(
            np.ascontiguousarray(self.content(output)),
            (width, height),
            interpolation=interpolation,
        )
        if (width, height) == self.source_size:
            return seen
        whole = np.full(self.source_size[::-1], fill, seen.dtype)
        whole[y : y + height, x : x + width] = seen
        return whole

    def content_camera(self, camera: CameraModel, size: tuple[int, int]) -> CameraModel:
        """The camera of `content` resampled to size (width, height)."""
        return camera.cropped(*self.source_rect).resized(*size)


def plan_transform(spec: InputSpec, source_size: tuple[int, int]) -> ImageTransform:
    """The transform of an image of source_size (width, height) to the network input."""
    width, height = source_size
    whole = (0, 0, width, height)
    if spec.size is None:
        return ImageTransform(source_size, source_size, whole, whole)
    filled = (0, 0, *spec.size)
    if spec.resize == 'stretch':
        return ImageTransform(source_size, spec.size, whole, filled)
    if spec.resize == 'crop':
        return ImageTransform(
            source_size, spec.size, _crop_rect(spec.crop, spec.size, source_size), filled
        )
    letterbox = _letterbox_rect(spec.size, source_size, spec.centered)
    return ImageTransform(source_size, spec.size, whole, letterbox)


def _crop_rect(
    crop: tuple[float, float, float, float] | None,
    size: tuple[int, int],
    source_size: tuple[int, int],
) -> tuple[int, int, int, int]:
    width, height = source_size
    if crop is not None:
        x, y, w, h = crop
        x_min, y_min = round(x * width), round(y * height)
        return x_min, y_min, round((x + w) * width) - x_min, round((y + h) * height) - y_min
    aspect = size[0] / size[1]
    w, h = min(width, round(height * aspect)), min(height, round(width / aspect))
    return (width - w) // 2, (height - h) // 2, w, h


def _letterbox_rect(
    size: tuple[int, int], source_size: tuple[int, int], is_centered: bool
) -> tuple[int, int, int, int]:
    scale = min(size[0] / source_size[0], size[1] / source_size[1])
    width = max(1, min(size[0], round(source_size[0] * scale)))
    height = max(1, min(size[1], round(source_size[1] * scale)))
    if not is_centered:
        return 0, 0, width, height
    return (size[0] - width) // 2, (size[1] - height) // 2, width, height


class Preprocessor:
    """Converts images to the tensor of an InputSpec; buffers are kept between calls.

    Example:
        >>> prepare = Preprocessor(InputSpec(size=(4, 2), dtype='float32', scale=1 / 255))
        >>> tensor, transform = prepare(np.full((6, 8, 3), 255, np.uint8))
        >>> tensor.shape, float(tensor.max()), transform.source_size
        ((1, 2, 4, 3), 1.0, (8, 6))
    """

    def __init__(self, spec: InputSpec) -> None:
        self.spec = spec
        self._transform: ImageTransform | None = None
        self._scale = np.asarray(spec.scale, np.float32)
        self._offset = np.asarray(spec.offset, np.float32)
        self._is_raw = spec.dtype == 'uint8' and spec.scale == 1.0 and spec.offset == 0.0

    def __call__(self, rgb: np.ndarray) -> tuple[np.ndarray, ImageTransform]:
        """Prepare one image.

        Args:
            rgb: uint8 (H, W, 3), RGB; not modified, may be read-only.

        Returns:
            The tensor with its batch axis, valid until the next call (it may share memory with
            `rgb`), and its transform.

        Raises:
            InputError: rgb is not such an image.
        """
        check_rgb(rgb)
        size = rgb.shape[1], rgb.shape[0]
        transform = self._transform
        if transform is None or transform.source_size != size:
            transform = self._transform = self._allocate(size)
        pixels = self._in_color(self._resized(rgb, transform))
        return self._in_layout(pixels), transform

    def _allocate(self, source_size: tuple[int, int]) -> ImageTransform:
        spec = self.spec
        transform = plan_transform(spec, source_size)
        width, height = transform.model_size
        self._canvas = np.full((height, width, 3), spec.pad_value, np.uint8)
        self._recolored = np.empty((height, width, spec.channels), np.uint8)
        self._tensor = np.empty(spec.shape((width, height)), spec.dtype)
        return transform

    def _resized(self, rgb: np.ndarray, transform: ImageTransform) -> np.ndarray:
        x, y, w, h = transform.source_rect
        part = rgb[y : y + h, x : x + w]
        mx, my, mw, mh = transform.model_rect
        if (w, h) == (mw, mh) == transform.model_size:
            return np.ascontiguousarray(part)
        interpolation = INTERPOLATIONS[self.spec.interpolation]
        if (mw, mh) == transform.model_size:
            return cv2.resize(part, (mw, mh), dst=self._canvas, interpolation=interpolation)
        resized = cv2.resize(part, (mw, mh), interpolation=interpolation)
        self._canvas[my : my + mh, mx : mx + mw] = resized
        return self._canvas

    def _in_color(self, pixels: np.ndarray) -> np.ndarray:
        if self.spec.color == 'RGB':
            return pixels
        if self.spec.color == 'BGR':
            return cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR, dst=self._recolored)
        return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[:, :, None]

    def _in_layout(self, pixels: np.ndarray) -> np.ndarray:
        nchw = self.spec.layout == 'NCHW'
        if self._is_raw and not nchw:
            return pixels[None]
        target = self._tensor[0].transpose(1, 2, 0) if nchw else self._tensor[0]
        if self._is_raw:
            np.copyto(target, pixels)
            return self._tensor
        np.multiply(pixels, self._scale, out=target, casting='unsafe')
        if self.spec.offset != 0.0:
            np.add(target, self._offset, out=target, casting='unsafe')
        return self._tensor


def check_rgb(rgb: np.ndarray) -> None:
    """Raise InputError unless rgb is a colour image with at least one pixel."""
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise InputError(
            f'a colour image must be uint8 of shape (H, W, 3), got {rgb.dtype} {rgb.shape}'
        )
