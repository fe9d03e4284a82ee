"""Depth as an image."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from rs_ml_perception.core.errors import ConfigError

COLORMAPS = {
    'viridis': cv2.COLORMAP_VIRIDIS,
    'turbo': cv2.COLORMAP_TURBO,
    'jet': cv2.COLORMAP_JET,
}
"""Names of `colorize_depth`; values are OpenCV's."""

_PERCENTILES = (2, 98)
_STRIDE = 4
"""Every fourth pixel each way suffices for a percentile and is sixteen times as fast."""
_NEW = 0.1
"""Fraction of a new frame in a range that follows the frames."""

_CUT = 1.5
"""Factor by which the far end changes where a video cuts to another scene."""

_MIN_SPAN_M = 0.1
"""Minimum range, so that the noise of a flat wall does not fill the palette."""


@cache
def colormap_rgb(name: str = 'viridis') -> np.ndarray:
    """The palette from near to far: uint8 (256, 3), RGB, entry 0 black for invalid pixels.

    Raises:
        ConfigError: no palette has this name.
    """
    if name not in COLORMAPS:
        raise ConfigError(f'colormap must be one of {", ".join(COLORMAPS)}, got {name!r}')
    ramp = np.concatenate(([0], np.linspace(0, 255, 255).round())).astype(np.uint8)
    bgr = cv2.applyColorMap(ramp[:, None], COLORMAPS[name])[:, 0]
    colors = np.ascontiguousarray(bgr[:, ::-1])
    colors[0] = 0
    colors.flags.writeable = False
    return colors


def depth_range_m(*depths_m: np.ndarray | None) -> tuple[float, float]:
    """Near and far end of a palette that shows all the given depths, in metres.

    Args:
        depths_m: float32 arrays (H, W), NaN invalid; None is skipped.

    Returns:
        The outermost percentiles 2 and 98; 0 and 1 if no pixel is valid.
    """
    samples = [d[::_STRIDE, ::_STRIDE] for d in depths_m if d is not None]
    bounds_m = [np.percentile(s[s > 0], _PERCENTILES) for s in samples if (s > 0).any()]
    if not bounds_m:
        return 0.0, 1.0
    near_m, far_m = np.min(bounds_m, axis=0)[0], np.max(bounds_m, axis=0)[1]
    return float(near_m), float(max(far_m, near_m + _MIN_SPAN_M))


class FollowingRange:
    """The range of one frame after the other; it moves slowly, except at a cut.

    If each frame had its own range, a video would flicker.
    """

    def __init__(self) -> None:
        self._range_m: tuple[float, float] | None = None

    def __call__(self, depth_m: np.ndarray) -> tuple[float, float]:
        """Near and far end for the next frame, in metres.

        Args:
            depth_m: float32 (H, W), NaN invalid.
        """
        found_m = depth_range_m(depth_m)
        before_m = self._range_m or found_m
        if not 1 / _CUT < found_m[1] / before_m[1] < _CUT:
            before_m = found_m
        near_m, far_m = (
            (1 - _NEW) * before + _NEW * found
            for before, found in zip(before_m, found_m, strict=True)
        )
        self._range_m = near_m, far_m
        return self._range_m


def colorize_depth(
    depth_m: np.ndarray,
    near_m: float | None = None,
    far_m: float | None = None,
    colormap: str = 'viridis',
) -> np.ndarray:
    """Paint depth.

    Args:
        depth_m: float32 (H, W), NaN (or 0) invalid.
        near_m: distance of the palette's first colour; None: the 2nd percentile.
        far_m: distance of its last; None: the 98th percentile.
        colormap: 'viridis', 'turbo' or 'jet'.

    Returns:
        uint8 (H, W, 3), RGB; invalid pixels black, pixels beyond the range in its end colours.

    Raises:
        ConfigError: unknown colormap, or a range of no extent.
    """
    if near_m is None or far_m is None:
        found_near_m, found_far_m = depth_range_m(depth_m)
        near_m = found_near_m if near_m is None else near_m
        far_m = max(found_far_m, near_m + _MIN_SPAN_M) if far_m is None else far_m
    if not near_m < far_m:
        raise ConfigError(f'depth range must grow, got near {near_m} m and far {far_m} m')
    with np.errstate(invalid='ignore'):
        return colorize(depth_m, near_m, far_m, depth_m > 0, colormap)


def colorize(
    values: np.ndarray, low: float, high: float, valid: np.ndarray, colormap: str = 'viridis'
) -> np.ndarray:
    """Paint values of any unit.

    Args:
        values: float32 (H, W).
        low: value of the palette's first colour.
        high: value of its last, above `low`.
        valid: bool (H, W); all else becomes black.
        colormap: 'viridis', 'turbo' or 'jet'.

    Returns:
        uint8 (H, W, 3), RGB; values beyond the range in its end colours.

    Raises:
        ConfigError: unknown colormap.
    """
    per_unit = 254 / (high - low)
    index = values * np.float32(per_unit)
    index += np.float32(1.5 - low * per_unit)
    np.clip(index, 1, 255, out=index)
    index[~valid] = 0
    return cv2.applyColorMap(index.astype(np.uint8), colormap_rgb(colormap)[:, None])


def normals_image(normals: np.ndarray) -> np.ndarray:
    """Unit normals (H, W, 3) in camera axes as RGB, uint8; facing the camera is light blue."""
    shown = (1 - normals) * 127.5
    return np.nan_to_num(np.clip(np.rint(shown), 0, 255)).astype(np.uint8)
