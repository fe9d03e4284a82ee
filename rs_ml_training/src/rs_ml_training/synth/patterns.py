"""Gray images that repeat without a seam, the textures of surfaces.

Each side of the world has its own kinds; none is drawn for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from types import MappingProxyType

import cv2
import numpy as np

from rs_ml_training.synth.numerics import quantile, sampled
from rs_ml_training.synth.options import Side

LEVELS = 8
"""Halvings of each image, for surfaces that are far away."""

_ACROSS = 8

SIDE_PX = 512

VARIANTS = 4
"""Images of each kind."""

_SIDES_PX = np.array([SIDE_PX >> level for level in range(LEVELS)], np.float32)

PatternMaker = Callable[[np.random.Generator], np.ndarray]


def halvings(picture: np.ndarray) -> list[np.ndarray]:
    """An image (S, S) of 0..1 and its halvings, uint8."""
    levels = [picture]
    for _ in range(LEVELS - 1):
        upper, lower = levels[-1][::2], levels[-1][1::2]
        sums = (upper[:, ::2] + upper[:, 1::2]) + (lower[:, ::2] + lower[:, 1::2])
        levels.append(sums * np.float32(0.25))
    return [np.rint(255 * level).astype(np.uint8) for level in levels]


def atlas(levels: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """All images of all levels side by side, each with a rim that repeats it.

    Args:
        levels: uint8 (N, S, S), the largest first.

    Returns:
        uint8 (H, W), and where each picture's (0, 0) lies, float32 (level, image, 2) as x, y;
        the corner of its first pixel, not its centre.
    """
    count, width = len(levels[0]), _ACROSS * (levels[0].shape[-1] + 2)
    corners = np.zeros((len(levels), count, 2), np.float32)
    rows, top = [], 0
    for level, pictures in enumerate(levels):
        rimmed = np.pad(pictures, ((0, 0), (1, 1), (1, 1)), mode='wrap')
        side = rimmed.shape[1]
        for first in range(0, count, _ACROSS):
            row = np.concatenate(list(rimmed[first : first + _ACROSS]), axis=1)
            rows.append(np.pad(row, ((0, 0), (0, width - row.shape[1]))))
            place = np.arange(len(rimmed[first : first + _ACROSS]))
            corners[level, first + place] = np.stack(
                [place * side + 0.5, place * 0 + top + 0.5], -1
            )
            top += side
    return np.concatenate(rows), corners


def fractal_noise(
    rng: np.random.Generator, slope: float, *, stretch: tuple[float, float] = (1.0, 1.0)
) -> np.ndarray:
    """Noise with an amplitude that falls with frequency ** -slope, periodic, float32, 0..1.

    Args:
        rng: source of numbers.
        slope: 0 is white; larger is smoother.
        stretch: of the structures along rows and along columns.
    """
    white = np.fft.rfft2(rng.standard_normal((SIDE_PX, SIDE_PX)).astype(np.float32))
    shaped = white * (1 / _frequency(*stretch) ** slope)
    shaped[0, 0] = 0
    return _spread(np.fft.irfft2(shaped, (SIDE_PX, SIDE_PX)))


@lru_cache(maxsize=4)
def _frequency(along_rows: float, along_columns: float) -> np.ndarray:
    """Of the parts of `numpy.fft.rfft2`, at least 1, float64."""
    rows = np.fft.fftfreq(SIDE_PX)[:, None] * SIDE_PX * along_rows
    columns = np.fft.rfftfreq(SIDE_PX)[None] * SIDE_PX * along_columns
    return np.maximum(np.hypot(rows, columns), 1.0)


def _spread(values: np.ndarray) -> np.ndarray:
    """Between the 2nd and 98th percentile, float32, 0..1."""
    low, high = quantile(values, 0.02), quantile(values, 0.98)
    return np.clip((values - low) / max(high - low, 1e-9), 0, 1).astype(np.float32)


def _grid() -> tuple[np.ndarray, np.ndarray]:
    """Rows (SIDE_PX, 1) and columns (1, SIDE_PX) as fractions of the side."""
    share = (np.arange(SIDE_PX, dtype=np.float32) + 0.5) / SIDE_PX
    return share[:, None], share[None]


def _cloudy(rng: np.random.Generator) -> np.ndarray:
    return fractal_noise(rng, rng.uniform(1.0, 1.8))


def _carpet(rng: np.random.Generator) -> np.ndarray:
    return _spread(fractal_noise(rng, 0.4) + 0.5 * fractal_noise(rng, 1.5))


def _wood(rng: np.random.Generator) -> np.ndarray:
    row, _ = _grid()
    warp = fractal_noise(rng, 1.6, stretch=(1.0, 9.0))
    rings = np.sin(2 * np.pi * (row * rng.integers(5, 12) + 3.0 * warp))
    return _spread(rings + 1.2 * fractal_noise(rng, 0.7, stretch=(1.0, 14.0)))


def _stripes(rng: np.random.Generator) -> np.ndarray:
    row, _ = _grid()
    edges = np.sort(rng.random(rng.integers(4, 14)))
    levels = rng.random(len(edges) + 1)
    levels[-1] = levels[0]
    return _spread(levels[np.searchsorted(edges, row)] + 0.15 * fractal_noise(rng, 0.5))


def _checks(rng: np.random.Generator) -> np.ndarray:
    row, column = _grid()
    count = rng.integers(3, 9)
    across = (np.sin(2 * np.pi * count * row) > 0).astype(float)
    down = (np.sin(2 * np.pi * count * column) > 0) * rng.uniform(0.5, 1.0)
    return _spread(across + down + 0.2 * fractal_noise(rng, 0.6))


def _bricks(rng: np.random.Generator) -> np.ndarray:
    row, column = _grid()
    rows, columns = 2 * rng.integers(4, 8), rng.integers(3, 6)
    course = np.floor(row * rows)
    across = column * columns + 0.5 * (course % 2)
    joint = (np.mod(row * rows, 1) < 0.12) | (np.mod(across, 1) < 0.06)
    tone = rng.random((rows, columns + 1))[course.astype(int), np.floor(across).astype(int)]
    tone[np.floor(across) == columns] = rng.random()
    return _spread(np.where(joint, 0.0, 0.6 + 0.3 * tone) + 0.3 * fractal_noise(rng, 0.8))


def _weave(rng: np.random.Generator) -> np.ndarray:
    row, column = _grid()
    count = rng.integers(24, 48)
    over = np.sin(2 * np.pi * count * row) * np.sin(2 * np.pi * count * column)
    return _spread(over + 0.8 * fractal_noise(rng, 1.0))


def _shapes(rng: np.random.Generator) -> np.ndarray:
    """A print: rectangles, lines and lettering on a soft ground."""
    canvas = (255 * fractal_noise(rng, 2.0)).astype(np.uint8)
    for _ in range(rng.integers(10, 30)):
        a, b = rng.integers(0, SIDE_PX, (2, 2))
        thickness = int(rng.choice([-1, -1, 2, 6]))
        cv2.rectangle(canvas, a.tolist(), b.tolist(), int(rng.integers(256)), thickness)
    for _ in range(rng.integers(5, 20)):
        text = ''.join(chr(c) for c in rng.integers(65, 90, 8))
        place, size = rng.integers(0, SIDE_PX, 2).tolist(), float(rng.uniform(0.6, 2.5))
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, int(rng.integers(256)), 3)
    return canvas.astype(np.float32) / 255


def _cells(rng: np.random.Generator) -> np.ndarray:
    """Stone chips: each pixel has the tone of the nearest of many centres."""
    count = int(rng.integers(150, 700))
    centres = rng.random((count, 2))
    steps = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)])
    around = (centres + steps[:, None]).reshape(-1, 2)
    scaled = np.rint((around + 1) * SIDE_PX).astype(int)
    size = 3 * SIDE_PX
    seeds = np.full((size + 1, size + 1), 255, np.uint8)
    seeds[scaled[:, 0], scaled[:, 1]] = 0
    _, labels = cv2.distanceTransformWithLabels(
        seeds[:size, :size], cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    middle = labels[SIDE_PX : 2 * SIDE_PX, SIDE_PX : 2 * SIDE_PX]
    tone = np.zeros(labels.max() + 1, np.float32)
    tone[labels[scaled[:, 0].clip(0, size - 1), scaled[:, 1].clip(0, size - 1)]] = np.tile(
        rng.random(count), 9
    )
    return _spread(tone[middle] + 0.2 * fractal_noise(rng, 0.6))


def _herringbone(rng: np.random.Generator) -> np.ndarray:
    row, column = _grid()
    count = rng.integers(4, 9)
    fold = np.abs(np.mod(column * count, 1) - 0.5)
    planks = np.mod((row + fold / count * 2) * count * 3, 1)
    grain = fractal_noise(rng, 0.9, stretch=(3.0, 1.0))
    return _spread((planks > 0.08) + 0.5 * (np.mod(column * count, 1) > 0.5) + 0.7 * grain)


def _dots(rng: np.random.Generator) -> np.ndarray:
    row, column = _grid()
    count, radius = rng.integers(5, 16), rng.uniform(0.15, 0.4)
    shifted = column * count + 0.5 * (np.floor(row * count * 2) % 2)
    distance = np.hypot(np.mod(row * count * 2, 1) / 2 - 0.25, np.mod(shifted, 1) - 0.5)
    return _spread((distance < radius).astype(float) + 0.2 * fractal_noise(rng, 0.7))


def _marble(rng: np.random.Generator) -> np.ndarray:
    row, column = _grid()
    warp = fractal_noise(rng, 1.7)
    waves = rng.integers(1, 4) * row + rng.integers(1, 4) * column + 1.5 * warp
    return _spread(1 - np.abs(np.sin(2 * np.pi * waves)) ** 0.5 + 0.2 * fractal_noise(rng, 1.0))


def _chevrons(rng: np.random.Generator) -> np.ndarray:
    row, column = _grid()
    count = rng.integers(4, 12)
    fold = np.abs(np.mod(column * count, 1) - 0.5)
    band = np.sin(2 * np.pi * (row * count + fold))
    return _spread(np.tanh(3 * band) + 0.4 * fractal_noise(rng, 0.6))


def _plaster(rng: np.random.Generator) -> np.ndarray:
    ridges = 1 - np.abs(2 * fractal_noise(rng, 1.2) - 1)
    return _spread(ridges**3 + 0.2 * fractal_noise(rng, 0.3))


def _felt(rng: np.random.Generator) -> np.ndarray:
    fibres = fractal_noise(rng, 0.6, stretch=(1.0, 4.0))
    return _spread(fibres + fractal_noise(rng, 0.6, stretch=(4.0, 1.0)))


def _circles(rng: np.random.Generator) -> np.ndarray:
    """A print: discs, arcs and wedges on plain ground."""
    canvas = np.full((SIDE_PX, SIDE_PX), int(rng.integers(256)), np.uint8)
    for _ in range(rng.integers(15, 45)):
        centre = rng.integers(0, SIDE_PX, 2).tolist()
        axes = rng.integers(8, 140, 2).tolist()
        start, end = rng.uniform(0, 360, 2)
        thickness = int(rng.choice([-1, -1, 3, 8]))
        tone = int(rng.integers(256))
        cv2.ellipse(canvas, centre, axes, float(start), 0, float(end), tone, thickness)
    return _spread(canvas + 60 * fractal_noise(rng, 1.5))


GROUNDS: Mapping[Side, Mapping[str, PatternMaker]] = MappingProxyType(
    {
        Side.TRAIN: MappingProxyType(
            {
                'cloudy': _cloudy,
                'carpet': _carpet,
                'wood': _wood,
                'stripes': _stripes,
                'checks': _checks,
                'bricks': _bricks,
                'weave': _weave,
                'shapes': _shapes,
            }
        ),
        Side.TEST: MappingProxyType(
            {
                'plaster': _plaster,
                'felt': _felt,
                'herringbone': _herringbone,
                'chevrons': _chevrons,
                'dots': _dots,
                'cells': _cells,
                'marble': _marble,
                'circles': _circles,
            }
        ),
    }
)
"""Kinds of patterns by side; the order gives their meaning, see `materials`."""


class PatternBank:
    """All patterns of one side with their halvings, and how they are looked up."""

    def __init__(self, side: Side) -> None:
        makers = GROUNDS[side]
        self.names = tuple(name for name in makers for _ in range(VARIANTS))
        levels = [
            halvings(maker(np.random.default_rng([list(Side).index(side), kind, variant])))
            for kind, maker in enumerate(makers.values())
            for variant in range(VARIANTS)
        ]
        self._atlas, corners = atlas([np.stack(level) for level in zip(*levels, strict=True)])
        self._corners = np.ascontiguousarray(corners.reshape(-1, 2).T)

    def sample(self, pattern: np.ndarray, uv: np.ndarray, footprint: np.ndarray) -> np.ndarray:
        """Tones, bilinear within the halving that fits.

        Args:
            pattern: int (N,), places in `names`.
            uv: float32 (2, N) in repeats of the pattern.
            footprint: float32 (N,), size of a pixel in repeats.

        Returns:
            float32 (N,), 0..1.
        """
        # Half a level sharper than a pixel: imagers are not that soft.
        level = np.log2(np.maximum(footprint * (0.7 * SIDE_PX), 1.0)).astype(np.int32)
        level = np.minimum(level, LEVELS - 1)
        part = uv - np.floor(uv)
        part *= _SIDES_PX.take(level)
        part += self._corners.take(level * len(self.names) + pattern, axis=1)
        return sampled(self._atlas, *part) * np.float32(1 / 255)


@cache
def pattern_bank(side: Side) -> PatternBank:
    """The patterns of a side, made once in each process."""
    return PatternBank(side)
