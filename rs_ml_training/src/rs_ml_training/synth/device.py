"""Properties that differ between devices and shots: sensors, projector, matcher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from rs_ml_training.synth.imager import Imager
from rs_ml_training.synth.matcher import MatcherSettings, Prefilter, Search
from rs_ml_training.synth.numerics import triple
from rs_ml_training.synth.options import Side, WorldOptions
from rs_ml_training.synth.projector import PATTERNS


@dataclass(frozen=True)
class MatcherRanges:
    """Ranges that the settings of a matcher are drawn from."""

    prefilters: tuple[Prefilter, ...]
    searches: tuple[Search, ...]
    blocks: tuple[int, ...]
    windows: tuple[int, ...]
    small_penalties: tuple[int, int]
    large_penalties: tuple[int, int]


MATCHERS: Mapping[Side, MatcherRanges] = MappingProxyType(
    {
        Side.TRAIN: MatcherRanges(
            prefilters=(Prefilter.NONE, Prefilter.NORMALISED),
            searches=(Search.THREE_WAYS,),
            blocks=(3, 7),
            windows=(7, 11),
            small_penalties=(4, 14),
            large_penalties=(24, 64),
        ),
        Side.TEST: MatcherRanges(
            prefilters=(Prefilter.SOBEL,),
            searches=(Search.FOUR_WAYS,),
            blocks=(5,),
            windows=(9,),
            small_penalties=(15, 18),
            large_penalties=(66, 90),
        ),
    }
)
"""Settings by side: filters, paths, blocks, windows and penalties of one are none of the other's;
thresholds of confidence are drawn alike."""


@dataclass(frozen=True)
class Device:
    """One camera.

    Attributes:
        left: its left infrared imager.
        right: its right infrared imager.
        color: its colour imager.
        emitter: whether the projector is on.
        power: brightness of a dot on white at 1 m; 1 as in `Lighting`.
        pattern: of the projector's dots.
        misalignment_rad: residual rotation of the right imager about x, y, z, which the matcher
            knows nothing of.
        matcher: its settings.
        white_balance: factors of red, green, blue.
        saturation: of the colour image.
    """

    left: Imager
    right: Imager
    color: Imager
    emitter: bool
    power: float
    pattern: int
    misalignment_rad: tuple[float, float, float]
    matcher: MatcherSettings
    white_balance: tuple[float, float, float]
    saturation: float


def draw_device(rng: np.random.Generator, options: WorldOptions) -> Device:
    """A device of the options' side."""
    number = int(rng.integers(1 << 30))
    gray, read, shot = rng.uniform(55, 115), rng.uniform(0.5, 1.6), rng.uniform(0.01, 0.08)
    blur, vignette = rng.uniform(0.6, 1.1), rng.uniform(0.1, 0.4)
    gain = float(np.exp(rng.uniform(*np.log([1500, 12000]))))
    left, right = (
        Imager(gray, gain, 16.0, read, shot, blur * rng.uniform(0.93, 1.07), vignette,
               rng.uniform(0.003, 0.015), number + 7919 * side)
        for side in (0, 1)
    )  # fmt: skip
    color = Imager(
        rng.uniform(25, 75), rng.uniform(400, 2000), 0.0, rng.uniform(0.2, 1.2),
        rng.uniform(0.01, 0.06), rng.uniform(0.7, 1.4), vignette, 0.005, number + 2,
    )  # fmt: skip
    # A tenth of a pixel is 0.00016 to 0.00024 rad.
    misalignment = rng.normal(0, [1.2e-4, 0.6e-4, 3e-4])
    return Device(
        left,
        right,
        color,
        emitter=bool(rng.random() < options.emitter_share),
        power=float(np.exp(rng.uniform(*np.log([0.6, 8.0])))),
        pattern=int(rng.integers(PATTERNS)),
        misalignment_rad=triple(misalignment),
        matcher=draw_matcher(rng, options.side),
        white_balance=triple(rng.uniform(0.85, 1.15, 3)),
        saturation=float(rng.uniform(0.8, 1.5)),
    )


def draw_matcher(rng: np.random.Generator, side: Side) -> MatcherSettings:
    """Settings of the side."""
    ranges = MATCHERS[side]
    return MatcherSettings(
        prefilter=ranges.prefilters[rng.integers(len(ranges.prefilters))],
        search=ranges.searches[rng.integers(len(ranges.searches))],
        block=int(rng.choice(ranges.blocks)),
        small_penalty=int(rng.integers(*ranges.small_penalties)),
        large_penalty=int(rng.integers(*ranges.large_penalties)),
        uniqueness=int(rng.integers(5, 20)),
        refine_px=int(rng.choice(ranges.windows)),
        worst_fit=float(rng.uniform(0.7, 1.6)),
        least_texture=float(rng.uniform(0.15, 0.6)),
        speckle_px=int(rng.integers(30, 150)),
    )
