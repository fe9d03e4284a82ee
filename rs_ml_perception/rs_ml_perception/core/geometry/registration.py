"""Whole depth images moved to where the colour camera sees them."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.distortion import distort
from rs_ml_perception.core.geometry.projection import pixel_rays
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage

_BLOCK_PIXELS = 1 << 15
"""Pixels processed at a time, so that intermediate arrays stay in the CPU cache."""

_MAX_EXTENT = 1 << 14
"""Above the width of any image, so that a width and a height fit into one number."""

_ROUNDING = np.float32(0.501)
"""Half a pixel, plus a margin that keeps corners on a boundary on one side of it."""

_NOWHERE = -(10**6)
"""Pixel of points behind the camera."""

_FARTHEST = {'H': np.uint16(65535), 'f': np.float32(np.inf)}
"""Values of empty pixels while images are merged."""

_INVALID = {'H': np.uint16(0), 'f': np.float32(np.nan)}


def register_depth(
    depth: DepthImage,
    depth_camera: CameraModel,
    camera: CameraModel,
    color_from_depth: RigidTransform,
) -> DepthImage:
    """The depth image in the pixels of the colour image, as `rs.align` and the driver produce it.

    Where the colour camera resolves finer, each depth pixel covers the rectangle between its
    projected upper left and lower right corner, else the one pixel at its upper left corner; of
    several depths at one pixel the least is kept, as in librealsense on x86. librealsense ignores
    the distortion of the colour camera unless it is of the modified Brown-Conrady model; here
    every model counts. As there, values are distances along the axis of the *depth* camera;
    `core.frames.box_points` gives points in the colour frame.

    Args:
        depth: (H, W) in the depth camera's pixels.
        depth_camera: its intrinsics.
        camera: intrinsics of the colour image.
        color_from_depth: extrinsics, metres.

    Returns:
        Depth of the size of the colour image and the unit and dtype of `depth`.
    """
    check_size(depth, depth_camera)
    blocks = [
        _covered_rectangles(depth, rows, depth_camera, camera, color_from_depth)
        for rows in _row_blocks(depth)
    ]
    values, cells, extents = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return DepthImage(_splat(values, cells, extents, camera), depth.metres_per_unit)


def check_size(depth: DepthImage, depth_camera: CameraModel) -> None:
    """Raise InputError unless the image has the size of its intrinsics."""
    if (depth.width, depth.height) != (depth_camera.width, depth_camera.height):
        raise InputError(
            f'the depth image is {depth.width}x{depth.height} but its intrinsics are for '
            f'{depth_camera.width}x{depth_camera.height}: use the camera_info of the same stream'
        )


def _row_blocks(depth: DepthImage) -> list[slice]:
    rows = max(1, _BLOCK_PIXELS // depth.width)
    return [slice(y, min(y + rows, depth.height)) for y in range(0, depth.height, rows)]


def _covered_rectangles(
    depth: DepthImage,
    rows: slice,
    depth_camera: CameraModel,
    camera: CameraModel,
    extrinsics: RigidTransform,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rectangles that some rows of the depth image cover in the colour image.

    Returns:
        values (M,) of the depth pixels that fall into the image, the flat index (M,) of the first
        colour pixel under each, and the size (M,) of its rectangle as
        `(height - 1) * _MAX_EXTENT + width - 1`.
    """
    values = depth.values[rows]
    corners = _corner_rays(depth_camera, camera, extrinsics.rotation.tobytes())
    offset = extrinsics.translation_m
    if not camera.is_distorted:
        offset = camera.matrix @ offset
    depth_m = values.astype(np.float32)
    depth_m *= np.float32(depth.metres_per_unit)
    u0, v0 = _corner_pixels(depth_m, corners[:, rows, :-1], offset, camera)
    u1, v1 = u0.copy(), v0.copy()
    if _resolves_finer(camera, depth_camera):
        lower_right = corners[:, rows.start + 1 : rows.stop + 1, 1:]
        u1, v1 = _corner_pixels(depth_m, lower_right, offset, camera)
    inside = (values > 0) & (values < _FARTHEST[values.dtype.char])
    for low, high, size in ((u0, u1, camera.width), (v0, v1, camera.height)):
        np.maximum(low, 0, out=low)
        np.minimum(high, size - 1, out=high)
        inside &= high >= low
    chosen = np.flatnonzero(inside)
    cells = v0 * camera.width + u0
    extents = (v1 - v0) * _MAX_EXTENT + (u1 - u0)
    return values.ravel()[chosen], cells.ravel()[chosen], extents.ravel()[chosen]


def _resolves_finer(camera: CameraModel, than: CameraModel) -> bool:
    """Whether the camera has more pixels per angle along either axis."""
    return any(
        fine > coarse for fine, coarse in zip(*map(_pixels_per_rad, (camera, than)), strict=True)
    )


def _pixels_per_rad(camera: CameraModel) -> tuple[float, float]:
    """Mean over the field of view, horizontal and vertical."""
    return tuple(
        size / (np.arctan2(centre + 0.5, focal) + np.arctan2(size - centre - 0.5, focal))
        for size, centre, focal in (
            (camera.width, camera.cx, camera.fx),
            (camera.height, camera.cy, camera.fy),
        )
    )


@lru_cache(maxsize=4)
def _corner_rays(
    depth_camera: CameraModel, camera: CameraModel, rotation_bytes: bytes
) -> np.ndarray:
    """Directions of the corners between depth pixels as the colour camera has them.

    Returns:
        float32 (3, H + 1, W + 1), multiplied by the colour camera's matrix already where its
        lens allows that (no distortion).
    """
    rotation = np.frombuffer(rotation_bytes).reshape(3, 3)
    if not camera.is_distorted:
        rotation = camera.matrix @ rotation
    u, v = np.meshgrid(np.arange(depth_camera.width + 1), np.arange(depth_camera.height + 1))
    xy = pixel_rays(np.stack([u - 0.5, v - 0.5], axis=-1), depth_camera)
    rays = np.concatenate([xy, np.ones_like(xy[..., :1])], axis=-1)
    return np.ascontiguousarray(np.moveaxis(rays @ rotation.T, -1, 0), np.float32)


def _corner_pixels(
    depth_m: np.ndarray, rays: np.ndarray, offset: np.ndarray, camera: CameraModel
) -> np.ndarray:
    """Colour pixels that hold the corners; truncated toward zero like a C cast."""
    u, v, z = rays * depth_m
    pixels = np.empty((2, *depth_m.shape), np.int32)
    with np.errstate(all='ignore'):  # invalid depth is masked by the caller
        u += np.float32(offset[0])
        v += np.float32(offset[1])
        z += np.float32(offset[2])
        u /= z
        v /= z
        if camera.is_distorted:
            xy = distort(np.stack([u, v], axis=-1), camera.distortion_model, camera.distortion)
            u = xy[..., 0] * np.float32(camera.fx) + np.float32(camera.cx)
            v = xy[..., 1] * np.float32(camera.fy) + np.float32(camera.cy)
        np.add(u, _ROUNDING, out=pixels[0], casting='unsafe')
        np.add(v, _ROUNDING, out=pixels[1], casting='unsafe')
        if z.min() <= 0:
            pixels[:, z <= 0] = _NOWHERE
    return pixels


def _splat(
    values: np.ndarray, cells: np.ndarray, extents: np.ndarray, camera: CameraModel
) -> np.ndarray:
    """Write each value over its rectangle; the least value is kept.

    Rectangles of one size share a layer: each is written at its first pixel, and a minimum filter
    spreads the layer. That is one scattered write per depth pixel instead of one per colour pixel.
    """
    sizes, layer_of = _distinct(extents)
    shape = (camera.height, camera.width)
    cells = cells + layer_of * np.int32(shape[0] * shape[1])
    layers = _nearest_per_cell(values, cells, (len(sizes), *shape))
    merged = np.full(shape, _FARTHEST[values.dtype.char])
    for size, layer in zip(sizes, layers, strict=True):
        extent_v, extent_u = divmod(int(size), _MAX_EXTENT)
        kernel = np.ones((extent_v + 1, extent_u + 1), np.uint8)
        spread = cv2.erode(layer, kernel, anchor=(extent_u, extent_v))
        np.minimum(merged, spread, out=merged)
    merged[merged == _FARTHEST[values.dtype.char]] = _INVALID[values.dtype.char]
    return merged


def _distinct(extents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sizes that occur, and for each extent the index of its size, int32."""
    present = np.bincount(extents, minlength=1) > 0
    index = np.cumsum(present, dtype=np.int32) - 1
    return np.flatnonzero(present), index[extents]


def _nearest_per_cell(values: np.ndarray, cells: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Image stack with the least of the values that share a cell.

    Of repeated indices numpy keeps one; a value that lost to a greater one is written again until
    none is left. Few collide, so this is faster than sorting and `np.minimum.at`.
    """
    layers = np.full(shape, _FARTHEST[values.dtype.char])
    flat = layers.reshape(-1)
    cells = cells.astype(np.intp)
    while len(cells):
        flat[cells] = values
        lost = values < flat[cells]
        values, cells = values[lost], cells[lost]
    return layers
