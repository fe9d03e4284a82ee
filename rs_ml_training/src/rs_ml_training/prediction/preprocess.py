"""The part of an image that a network sees, and the way back to the pixels of the image."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rs_ml_training.data.kitti_list import kb_rect

Size = tuple[int, int]
Rect = tuple[int, int, int, int]


@dataclass(frozen=True)
class View:
    """Where the pixels of a network input lie in the image they come from.

    Attributes:
        source_size: (width, height) of the image [px].
        rect: (x, y, width, height) of the part that is seen [px].
        model_size: (width, height) that this part is stretched to [px].
    """

    source_size: Size
    rect: Rect
    model_size: Size

    def picture(self, pixels: np.ndarray) -> np.ndarray:
        """An image (H, W, ...) as the network gets it: averaged over areas where it shrinks."""
        shrinks = self.model_size[0] < self.rect[2] or self.model_size[1] < self.rect[3]
        return self._stretched(pixels, cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)

    def measured(self, depth_m: np.ndarray) -> np.ndarray:
        """Measured depth (H, W) as the network gets it: each pixel a value that was measured."""
        return self._stretched(depth_m, cv2.INTER_NEAREST_EXACT)

    def enlarged(self, dense: np.ndarray) -> np.ndarray:
        """A dense output (h, w, C) interpolated to the pixels of the part that is seen."""
        whole = cv2.resize(dense, self.rect[2:], interpolation=cv2.INTER_LINEAR)
        return whole.reshape(*whole.shape[:2], -1)

    def smooth_to_source(self, dense: np.ndarray, fill: float) -> np.ndarray:
        """A dense output (h, w, ...) interpolated to the image, `fill` where it is not seen."""
        return self._to_source(dense, cv2.INTER_LINEAR, fill)

    def nearest_to_source(self, dense: np.ndarray, fill: float) -> np.ndarray:
        """A dense output (h, w) by nearest neighbour, `fill` outside the part that is seen."""
        return self._to_source(dense, cv2.INTER_NEAREST, fill)

    def boxes_to_source(self, xyxy: np.ndarray) -> np.ndarray:
        """Boxes (N, 4) in pixels of the network input to pixels of the image, clipped to it."""
        x, y, width, height = self.rect
        scale = np.array([width / self.model_size[0], height / self.model_size[1]] * 2)
        boxes = xyxy * scale + np.array([x, y] * 2)
        return np.clip(boxes, 0, np.array(self.source_size * 2)).astype(np.float32)

    def _stretched(self, pixels: np.ndarray, interpolation: int) -> np.ndarray:
        x, y, width, height = self.rect
        part = np.ascontiguousarray(pixels[y : y + height, x : x + width])
        if (width, height) == self.model_size:
            return part
        return cv2.resize(part, self.model_size, interpolation=interpolation)

    def _to_source(self, dense: np.ndarray, interpolation: int, fill: float) -> np.ndarray:
        x, y, width, height = self.rect
        seen = np.ascontiguousarray(dense)
        if seen.shape[1::-1] != (width, height):
            seen = cv2.resize(seen, (width, height), interpolation=interpolation)
        if (width, height) == self.source_size:
            return seen
        whole = np.full((*self.source_size[::-1], *seen.shape[2:]), fill, seen.dtype)
        whole[y : y + height, x : x + width] = seen
        return whole


def view_of(
    source_size: Size,
    model_size: Size,
    crop: tuple[float, float, float, float] | None = None,
    kb_crop: bool = False,
) -> View:
    """The view of an image.

    Args:
        source_size: (width, height) of the image [px].
        model_size: (width, height) of the network input [px].
        crop: [x, y, width, height] as fractions of the image; None: all of it.
        kb_crop: the bottom centre of 1216 x 352 instead.

    Raises:
        InputError: the image is smaller than the KITTI crop.
    """
    if kb_crop:
        return View(source_size, kb_rect(source_size), model_size)
    width, height = source_size
    if crop is None:
        return View(source_size, (0, 0, width, height), model_size)
    x, y, w, h = crop
    x_min, y_min = round(x * width), round(y * height)
    rect = x_min, y_min, round((x + w) * width) - x_min, round((y + h) * height) - y_min
    return View(source_size, rect, model_size)
