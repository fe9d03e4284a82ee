"""From light to gray levels: gain, noise and pattern of an infrared or colour sensor.

Noise of a pixel of s gray levels above black has the variance read^2 + shot * gain * s. The
pattern of a sensor follows from its number: it is the same in all exposures of a device.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from rs_ml_training.synth.numerics import median

_BRIGHT_GAIN = 600.0
"""Gain at which `Imager.shot` holds [gray levels per unit of light]."""


@dataclass(frozen=True)
class Imager:
    """A sensor and its lens.

    Attributes:
        target: mean gray level that automatic exposure aims at.
        max_gain: gray levels of one unit of light at the longest exposure.
        black: gray level of no light.
        read: noise without light [gray levels].
        shot: variance of noise per gray level in a bright room [gray levels].
        blur_px: standard deviation of the lens's blur at a width of 1280 pixels.
        vignette: loss of light in the corners, 0..1.
        pattern: constant differences between pixels, as a fraction.
        number: of the device; the pattern follows from it.
    """

    target: float = 80.0
    max_gain: float = 1200.0
    black: float = 16.0
    read: float = 0.8
    shot: float = 0.05
    blur_px: float = 0.9
    vignette: float = 0.25
    pattern: float = 0.01
    number: int = 0

    def gain(self, light: np.ndarray) -> float:
        """Gray levels per unit of light that automatic exposure would choose."""
        # Saturated areas (dots close by, lamps, windows) must not darken the rest.
        mean = float(np.minimum(light, 4 * median(light) + 1e-4).mean())
        return float(min((self.target - self.black) / max(mean, 1e-6), self.max_gain))

    def expose(self, light: np.ndarray, gain: float, rng: np.random.Generator) -> np.ndarray:
        """One image.

        Args:
            light: float32 (H, W) or (H, W, C), linear.
            gain: gray levels per unit of light.
            rng: of the noise.

        Returns:
            float32 of the same shape, linear gray levels 0..255 with noise.
        """
        height, width = light.shape[:2]
        sigma = max(self.blur_px * width / 1280, 0.3)
        blurred = cv2.GaussianBlur(light * np.float32(gain), (0, 0), sigma)
        gray: np.ndarray = np.minimum(blurred, 1000, out=blurred).reshape(light.shape)
        gray *= self._fixed(height, width).reshape(height, width, *[1] * (light.ndim - 2))
        # In dim light each gray level stands for fewer electrons.
        scale = np.float32(np.clip(gain / _BRIGHT_GAIN, 0.3, 8.0))
        spread = np.float32(self.shot) * scale * gray
        spread += np.float32(self.read**2)
        noise = rng.standard_normal(light.shape, np.float32)
        noise *= np.sqrt(spread, out=spread)
        gray += noise
        gray += np.float32(self.black)
        return np.clip(gray, 0, 255, out=gray)

    def _fixed(self, height: int, width: int) -> np.ndarray:
        # One pattern for all devices, each has another part of it first.
        pattern = np.roll(_pattern(height, width), self.number % 99991)
        x = (np.arange(width, dtype=np.float32) / width - 0.5) ** 2
        y = (np.arange(height, dtype=np.float32) / height - 0.5) ** 2
        pattern *= np.float32(self.pattern)
        pattern += 1
        corner = np.float32(2 * self.vignette)
        pattern *= (1 - corner * x) - (corner * y)[:, None]
        return pattern


@lru_cache(maxsize=4)
def _pattern(height: int, width: int) -> np.ndarray:
    """Differences between pixels and between columns, float32 (H, W), about 1."""
    rng = np.random.default_rng([77, height, width])
    pattern = rng.standard_normal((height, width), np.float32)
    return pattern + 0.5 * rng.standard_normal((1, width), np.float32)


def developed(linear: np.ndarray, white_balance: np.ndarray, saturation: float) -> np.ndarray:
    """Linear colour as a camera's processor gives it: balanced, with the curve of sRGB.

    Args:
        linear: float32 (H, W, 3), 0..255.
        white_balance: (3,), factors.
        saturation: 0 is gray, 1 as it is.

    Returns:
        uint8 (H, W, 3).
    """
    # Away from the mean of the channels, each of which is balanced before.
    mixing = saturation * np.eye(3) + (1 - saturation) / 3
    matrix = (mixing * white_balance * (4095 / 255)).astype(np.float32)
    place = cv2.transform(linear, matrix)
    np.clip(place, 0, 4095, out=place)
    return _SRGB.take(np.rint(place, out=place).astype(np.uint16))


def _srgb_curve() -> np.ndarray:
    x = np.arange(4096) / 4095
    curve = np.where(x < 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    return np.rint(255 * curve).astype(np.uint8)


_SRGB = _srgb_curve()
