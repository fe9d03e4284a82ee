"""Resizing, cropping, mirroring and turning a sample with everything that belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel

from rs_ml_training.data import box_geometry
from rs_ml_training.data.sample import IGNORE, Sample

_SMOOTH = ('image', 'infrared')


def mapped(sample: Sample, change: Callable[[str, np.ndarray], np.ndarray]) -> Sample:
    """The sample with `change(name, map)` instead of each of its maps."""
    own: dict[str, Any] = {
        n: change(n, a) for n, a in sample.maps().items() if n not in sample.extra
    }
    extra = {n: change(n, a) for n, a in sample.extra.items()}
    return replace(sample, **own, extra=extra)


def resized(sample: Sample, size: tuple[int, int]) -> Sample:
    """Stretch to a size.

    Images are averaged over blocks where they shrink to a half or less, then interpolated;
    depth, labels and extra maps take the nearest pixel: no value appears that was not there.

    Args:
        sample: any sample.
        size: (width, height) [px].

    Raises:
        InputError: a side is not positive.
    """
    _check_size(size)
    before = sample.size
    if before == tuple(size):
        return sample
    factors = size[0] / before[0], size[1] / before[1]

    def change(name: str, array: np.ndarray) -> np.ndarray:
        return _smooth(array, size) if name in _SMOOTH else _nearest(array, size)

    camera, focal = sample.intrinsics, sample.focal_px
    return replace(
        mapped(sample, change),
        boxes=box_geometry.scaled(sample.boxes, factors, size),
        intrinsics=camera and camera.resized(*size),
        focal_px=focal and focal * factors[0],
    )


def cropped(sample: Sample, x: int, y: int, width: int, height: int) -> Sample:
    """Cut out a part; beyond the border are black, unknown depth and IGNORE.

    Args:
        sample: any sample.
        x: left column [px], may be negative.
        y: upper row [px], may be negative.
        width: of the part [px], may reach beyond the image.
        height: of the part [px], may reach beyond the image.

    Raises:
        InputError: a side is not positive.
    """
    _check_size((width, height))
    if (x, y, width, height) == (0, 0, *sample.size):
        return sample

    def change(name: str, array: np.ndarray) -> np.ndarray:
        return _cut(array, x, y, width, height, _outside(name))

    return replace(
        mapped(sample, change),
        boxes=box_geometry.shifted(sample.boxes, (-x, -y), (width, height)),
        intrinsics=sample.intrinsics and sample.intrinsics.cropped(x, y, width, height),
    )


def center_cropped(sample: Sample, size: tuple[int, int]) -> Sample:
    """Cut out the middle; smaller samples are padded on all sides."""
    width, height = sample.size
    return cropped(sample, (width - size[0]) // 2, (height - size[1]) // 2, *size)


def random_crop(sample: Sample, size: tuple[int, int], rng: np.random.Generator) -> Sample:
    """Cut out a part at random; smaller samples are padded at random."""
    return cropped(sample, *random_corner(sample.size, size, rng), *size)


def random_corner(
    whole: tuple[int, int], part: tuple[int, int], rng: np.random.Generator
) -> tuple[int, int]:
    """(x, y) of the upper left corner of a part [px]; negative where the part is the larger."""
    free = [have - want for have, want in zip(whole, part, strict=True)]
    x, y = (int(rng.integers(min(f, 0), max(f, 0) + 1)) for f in free)
    return x, y


def flipped(sample: Sample) -> Sample:
    """Mirror left to right."""
    width = sample.size[0]
    boxes = box_geometry.flipped(sample.boxes, 0, width)
    camera = sample.intrinsics
    camera = camera and replace(camera, cx=width - 1 - camera.cx)
    return replace(_mirrored(sample, 1), boxes=boxes, intrinsics=camera)


def flipped_vertically(sample: Sample) -> Sample:
    """Mirror upside down."""
    height = sample.size[1]
    boxes, camera = box_geometry.flipped(sample.boxes, 1, height), sample.intrinsics
    camera = camera and replace(camera, cy=height - 1 - camera.cy)
    return replace(_mirrored(sample, 0), boxes=boxes, intrinsics=camera)


def rotated(
    sample: Sample,
    degrees: float,
    size: tuple[int, int] | None = None,
    corner: tuple[int, int] | None = None,
) -> Sample:
    """Turn about the centre, counter-clockwise as seen, and cut out the middle or another part.

    Images are interpolated, other maps take the nearest pixel; beyond the border it is
    black, unknown depth and IGNORE. A box becomes the upright box around its turned corners. The
    camera keeps its focal lengths, which is exact where both are equal.

    Args:
        sample: any sample.
        degrees: angle.
        size: (width, height) of the part [px]; None: as large as it was.
        corner: (x, y) of the part [px]; None: that of the middle.
    """
    width, height = sample.size
    size = size or (width, height)
    if not degrees:
        return cropped(sample, *corner, *size) if corner else center_cropped(sample, size)
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    matrix[:, 2] = matrix[:, 2] - np.array(
        corner or ((width - size[0]) / 2, (height - size[1]) / 2)
    )
    return _moved(sample, matrix, size)


def scaled(sample: Sample, factor: float, size: tuple[int, int] | None = None) -> Sample:
    """Enlarge as if the camera had come nearer: depth is divided, the focal length stays.

    Args:
        sample: any sample.
        factor: enlargement of objects in the image.
        size: (width, height) that factor 1 would give; None: that of the sample.
    """
    width, height = size or sample.size
    large = resized(sample, (round(width * factor), round(height * factor)))
    camera, focal = large.intrinsics, large.focal_px
    return replace(
        large,
        depth_m=_divided(large.depth_m, factor),
        raw_depth_m=_divided(large.raw_depth_m, factor),
        intrinsics=camera and replace(camera, fx=camera.fx / factor, fy=camera.fy / factor),
        focal_px=focal and focal / factor,
    )


def rolled(sample: Sample, pixels: int) -> Sample:
    """Turn a panorama about its vertical axis: columns move right, and in again at the left.

    A box over the seam becomes two.
    """
    boxes = box_geometry.rolled(sample.boxes, pixels, sample.size)
    turned = mapped(sample, lambda _, array: np.roll(array, pixels, axis=1))
    return replace(turned, boxes=boxes)


def _check_size(size: tuple[int, int]) -> None:
    if min(size) < 1:
        raise InputError(f'a sample cannot have {size[0]}x{size[1]} pixels: give positive sides')


def _outside(name: str) -> int:
    return IGNORE if name == 'labels' else 0


def _moved_camera(
    camera: CameraModel | None, matrix: np.ndarray, size: tuple[int, int]
) -> CameraModel | None:
    if camera is None:
        return None
    cx, cy = map(float, matrix @ [camera.cx, camera.cy, 1])
    return CameraModel(*size, camera.fx, camera.fy, cx, cy)


def _moved(sample: Sample, matrix: np.ndarray, size: tuple[int, int]) -> Sample:
    """Pixels moved by a rotation and translation, float (2, 3), from old to new positions."""
    _check_size(size)

    def change(name: str, array: np.ndarray) -> np.ndarray:
        flags = cv2.INTER_LINEAR if name in _SMOOTH else cv2.INTER_NEAREST
        turned = _warped(_for_opencv(array), matrix, size, flags, _outside(name))
        return turned.astype(array.dtype, copy=False)

    return replace(
        mapped(sample, change),
        boxes=box_geometry.moved(sample.boxes, matrix, size),
        intrinsics=_moved_camera(sample.intrinsics, matrix, size),
    )


def _warped(
    array: np.ndarray, matrix: np.ndarray, size: tuple[int, int], flags: int, outside: int
) -> np.ndarray:
    """Four channels take OpenCV less than half the time of three, and the result is the same."""
    has_colors = array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8
    if has_colors:
        array = cv2.cvtColor(array, cv2.COLOR_RGB2RGBA)
    border = (outside,) * 4
    turned = cv2.warpAffine(array, matrix, size, flags=flags, borderValue=border)
    return cv2.cvtColor(turned, cv2.COLOR_RGBA2RGB) if has_colors else turned


def _divided(depth_m: np.ndarray | None, factor: float) -> np.ndarray | None:
    return None if depth_m is None else depth_m / np.float32(factor)


def _mirrored(sample: Sample, axis: int) -> Sample:
    def change(_: str, array: np.ndarray) -> np.ndarray:
        return cv2.flip(_for_opencv(array), axis).astype(array.dtype, copy=False)

    return mapped(sample, change)


def _for_opencv(array: np.ndarray) -> np.ndarray:
    """OpenCV has no booleans, no wide integers and little for half floats."""
    if array.dtype == bool:
        return array.view(np.uint8)
    if array.dtype == np.float16:
        return array.astype(np.float32)
    return array.astype(np.int32) if array.dtype.kind in 'iu' and array.itemsize > 2 else array


def _smooth(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Averaging whole blocks first is as free of aliasing as area weights, and 6 times faster."""
    height, width = array.shape[:2]
    block = min(width // size[0], height // size[1])
    if block > 1 and not (width % block or height % block):
        blocks = width // block, height // block
        array = cv2.resize(array, blocks, interpolation=cv2.INTER_AREA)
    elif block > 1:
        return cv2.resize(array, size, interpolation=cv2.INTER_AREA)
    return cv2.resize(array, size, interpolation=cv2.INTER_LINEAR)


def _nearest(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The pixel whose centre is nearest to the centre of the new pixel."""
    height, width = array.shape[:2]
    rows = ((np.arange(size[1]) + 0.5) * (height / size[1])).astype(int)
    columns = ((np.arange(size[0]) + 0.5) * (width / size[0])).astype(int)
    return array[rows].take(columns, axis=1)


def _cut(array: np.ndarray, x: int, y: int, width: int, height: int, outside: int) -> np.ndarray:
    rows, columns = array.shape[:2]
    inside = array[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
    if inside.shape[:2] == (height, width):
        return inside
    out = np.full((height, width, *array.shape[2:]), outside, array.dtype)
    top, left = max(-y, 0), max(-x, 0)
    if top < height and left < width and y < rows and x < columns:
        out[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return out
