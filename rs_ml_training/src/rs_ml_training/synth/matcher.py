"""Depth from two infrared images as the device's processor finds it.

Semi-global matching over at most 126 disparities, then sub-pixel refinement by least squares over
a window (Lucas and Kanade), both checked from left to right, for uniqueness, for texture and for
speckles. Whatever error e [px] a disparity has, depth z has the error e * z^2 / (f * b).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.synth.camera import Rig

DISPARITIES = 128
MAX_DISPARITY_PX = 126
_NOISE = 1.5
"""Residual [gray levels] that is noise without texture."""


class Prefilter(Enum):
    """Filters of images before they are matched."""

    NONE = 'none'
    NORMALISED = 'normalised'
    SOBEL = 'sobel'
    RANK = 'rank'


class Search(Enum):
    """Along which paths costs are gathered."""

    THREE_WAYS = cv2.STEREO_SGBM_MODE_SGBM_3WAY
    FOUR_WAYS = cv2.STEREO_SGBM_MODE_HH4


@dataclass(frozen=True)
class MatcherSettings:
    """How images are matched.

    Attributes:
        prefilter: of the images.
        search: along which paths.
        block: side of the matched blocks [px], odd.
        small_penalty, large_penalty: of a step in disparity, per pixel of a block.
        uniqueness: by how many percent the best match must be better than the second.
        refine_px: side of the window of sub-pixel refinement, odd.
        worst_fit: residual of the refined match, as a fraction of the texture, above which nothing
            is reported: edges, mirrors, noise.
        least_texture: mean slope [gray levels per px] below which nothing is matched.
        speckle_px: patches of fewer pixels are dropped.
        agreement_px: allowed difference between left-to-right and right-to-left.
        max_m: farthest depth that is reported.
    """

    prefilter: Prefilter = Prefilter.NONE
    search: Search = Search.THREE_WAYS
    block: int = 5
    small_penalty: int = 8
    large_penalty: int = 32
    uniqueness: int = 10
    refine_px: int = 7
    worst_fit: float = 0.8
    least_texture: float = 0.3
    speckle_px: int = 60
    agreement_px: int = 1
    max_m: float = 12.0

    def __post_init__(self) -> None:
        for name in ('block', 'refine_px'):
            if getattr(self, name) % 2 == 0 or getattr(self, name) < 1:
                raise ConfigError(f'{name} must be odd and positive, got {getattr(self, name)}')


def match(left: np.ndarray, right: np.ndarray, rig: Rig, settings: MatcherSettings) -> np.ndarray:
    """Depth of the left image.

    Args:
        left: uint8 (H, W), rectified.
        right: uint8 (H, W).
        rig: which took them.
        settings: of the matcher.

    Returns:
        float32 (H, W) in whole millimetres [m], 0 where they do not match.
    """
    disparity = _matched(left, right, settings)
    known = disparity > 0
    disparity, sure = _refined(left, right, disparity, settings)
    disparity = np.rint(disparity * 32) / np.float32(32)
    known &= sure & (disparity > 0.5) & (disparity <= MAX_DISPARITY_PX)
    known &= np.arange(left.shape[1], dtype=np.float32) >= disparity
    depth_m = np.float32(rig.focal_baseline) / np.where(known, disparity, 1)
    known &= depth_m <= settings.max_m
    return np.where(known, np.rint(depth_m * 1000) * np.float32(0.001), 0).astype(np.float32)


def _matched(left: np.ndarray, right: np.ndarray, settings: MatcherSettings) -> np.ndarray:
    """Disparities in sixteenths by OpenCV, float32 (H, W) [px], 0 or less where unknown."""
    area = settings.block**2
    matcher = cv2.StereoSGBM.create(
        minDisparity=0,
        numDisparities=DISPARITIES,
        blockSize=settings.block,
        P1=settings.small_penalty * area,
        P2=settings.large_penalty * area,
        disp12MaxDiff=settings.agreement_px,
        preFilterCap=31,
        uniquenessRatio=settings.uniqueness,
        speckleWindowSize=settings.speckle_px,
        speckleRange=1,
        mode=settings.search.value,
    )
    # Without the border the leftmost columns could never be matched.
    padded = [
        cv2.copyMakeBorder(
            _prefiltered(p, settings.prefilter), 0, 0, DISPARITIES, 0, cv2.BORDER_REPLICATE
        )
        for p in (left, right)
    ]
    return matcher.compute(*padded)[:, DISPARITIES:].astype(np.float32) / 16


def _prefiltered(gray: np.ndarray, prefilter: Prefilter) -> np.ndarray:
    if prefilter is Prefilter.NONE:
        return gray
    if prefilter is Prefilter.NORMALISED:
        values = gray.astype(np.float32)
        mean = cv2.blur(values, (15, 15))
        spread = np.sqrt(np.maximum(cv2.blur(values * values, (15, 15)) - mean * mean, 4))
        return np.clip(128 + 50 * (values - mean) / spread, 0, 255).astype(np.uint8)
    if prefilter is Prefilter.SOBEL:
        slope = cv2.Sobel(gray, cv2.CV_32F, 1, 0, ksize=3, scale=0.5)
        return np.clip(128 + 127 * np.tanh(slope / 24), 0, 255).astype(np.uint8)
    # The rank transform: how many neighbours are darker.
    padded = cv2.copyMakeBorder(gray, 2, 2, 2, 2, cv2.BORDER_REPLICATE)
    rank = np.zeros(gray.shape, np.uint8)
    height, width = gray.shape
    for row in range(5):
        for column in range(5):
            rank += padded[row : row + height, column : column + width] < gray
    return rank * np.uint8(10)


def _refined(
    left: np.ndarray, right: np.ndarray, disparity: np.ndarray, settings: MatcherSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Disparities that fit best within a window, and where there is enough texture."""
    height, width = left.shape
    columns = np.arange(width, dtype=np.float32)
    rows = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], left.shape)
    window = settings.refine_px, settings.refine_px
    a, b = left.astype(np.float32), right.astype(np.float32)
    slope = cv2.Sobel(b, cv2.CV_32F, 1, 0, ksize=1, scale=0.5)
    warped, gradient = cv2.split(cv2.remap(
        cv2.merge([b, slope]), columns - disparity, np.ascontiguousarray(rows), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    ))  # fmt: skip
    difference = np.subtract(a, warped, out=warped)
    # Imagers differ a little in brightness.
    difference -= cv2.blur(difference, (15, 15))
    top, bottom = (cv2.blur(p * gradient, window) for p in (difference, gradient))
    step = np.clip(-top / (bottom + np.float32(0.5)), -1, 1)
    rest = difference + step * gradient
    # Wider than the match itself: cameras lose patches, not single pixels.
    residual, texture = (cv2.blur(np.abs(r, out=r), (11, 11)) for r in (rest, gradient))
    sure = residual < settings.worst_fit * texture + np.float32(_NOISE)
    sure &= cv2.blur(texture, (15, 15)) > settings.least_texture
    return disparity + step, sure
