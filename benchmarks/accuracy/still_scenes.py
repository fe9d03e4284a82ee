"""Depth of a still scene over time: how much a pixel wavers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace

import numpy as np
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.tasks.denoise import DenoiseOptions, DenoisePipeline
from rs_ml_perception.tasks.options import ModelOptions
from rs_ml_training.data.reader import Reader, scenes_in_turn
from rs_ml_training.data.sample import Sample, required
from rs_ml_training.prediction.sdk_filters import SdkFilters
from rs_ml_training.tasks.denoise import RAW

from benchmarks.accuracy.definitions import SHIPPED, Figures, Target
from benchmarks.accuracy.denoising import MODEL

SMOOTHED = 'with temporal_weight 0.6'
_WEIGHT = 0.6
_FILTERS = ('temporal', 'disparity-spatial-temporal')
_RANGES_M = {'0.8_1.2': (0.8, 1.2), '1.2_1.8': (1.2, 1.8), '1.8_3': (1.8, 3.0)}
_PERIOD_NS = 33_000_000
_SETTLING = 10
"""First exposures of a scene, in which filters settle."""
_FEWEST_VALID = 0.9

Denoise = Callable[[Sample], np.ndarray]
"""Sample -> float32 (H, W), metres, 0 or NaN where invalid."""


@dataclass(frozen=True)
class StillBenchmark:
    """Exposures of still rooms, rendered.

    Attributes:
        name: for `--only`.
        data: description of the rooms.
    """

    name: str
    data: str
    model: str = MODEL
    metrics: Mapping[str, str] = field(
        default_factory=lambda: {
            f'stddev_{name}_m': f'deviation over time at {name.replace("_", " to ")} m [mm]'
            for name in _RANGES_M
        }
    )
    targets: tuple[Target, ...] = (
        Target('smoothed: 1 mm', 'stddev_1.2_1.8_m', most=0.001, of=SMOOTHED),
        Target(
            'smoothed: below raw and filters',
            'stddev_1.2_1.8_m',
            most=1.0,
            of=SMOOTHED,
            others=(RAW, *_FILTERS),
        ),
    )


STILL_BENCHMARK = StillBenchmark(
    'denoise_still',
    'still synthetic rooms of the test side, 848x480, 20 exposures each after 10 in which filters '
    'settle; standard deviation of a pixel, median over those known in nine of ten',
)


class Wavering:
    """Accumulates the standard deviations over time of the pixels of scenes."""

    def __init__(self) -> None:
        self._deviations: dict[str, list[np.ndarray]] = {name: [] for name in _RANGES_M}

    def add(self, depths_m: np.ndarray, truth_m: np.ndarray) -> None:
        """One scene: float (N, H, W) [m], 0 or NaN where invalid, and its truth (H, W)."""
        valid = depths_m > 0
        count = valid.sum(axis=0)
        mean_m = np.where(valid, depths_m, 0).sum(axis=0) / np.maximum(count, 1)
        squares = np.square(np.where(valid, depths_m - mean_m, 0)).sum(axis=0)
        stddev_m = np.sqrt(squares / np.maximum(count, 1))
        known = count > _FEWEST_VALID * len(depths_m)
        for name, (low, high) in _RANGES_M.items():
            chosen = known & (truth_m >= low) & (truth_m < high)
            self._deviations[name].append(stddev_m[chosen])

    def result(self) -> dict[str, float]:
        """Medians [m] by metric, NaN without pixels."""
        found = {name: np.concatenate([np.empty(0), *d]) for name, d in self._deviations.items()}
        return {
            f'stddev_{name}_m': float(np.median(values)) if len(values) else math.nan
            for name, values in found.items()
        }


def measure_still(reader: Reader) -> Figures:
    """Deviations of the network with and without its temporal mode, raw depth and SDK filters.

    Raises:
        BackendError: LiteRT or pyrealsense2 is not installed.
    """
    choice = ModelOptions(model=MODEL, backend='litert')
    options = DenoiseOptions()
    with (
        closing(DenoisePipeline.load(choice, options)) as alone,
        closing(
            DenoisePipeline.load(choice, replace(options, temporal_weight=_WEIGHT))
        ) as smoothed,
    ):
        ways = {SHIPPED: _denoised(alone), SMOOTHED: _denoised(smoothed), RAW: _raw}
        ways |= {chain: _filtered(SdkFilters(chain)) for chain in _FILTERS}
        return compare_still(reader, ways)


def compare_still(reader: Reader, ways: Mapping[str, Denoise]) -> Figures:
    """Deviations of any denoisers, by title; scenes come one after the other."""
    found = {title: Wavering() for title in ways}
    scenes: dict[str, list[int]] = {}
    for index in scenes_in_turn(reader):
        scenes.setdefault(reader.scene(index), []).append(index)
    for indices in scenes.values():
        samples = [reader.read(index) for index in indices]
        truth_m = required(samples[0], 'depth_m', 'to know the distance')
        for title, way in ways.items():
            depths_m = np.stack([way(sample) for sample in samples])[_SETTLING:]
            found[title].add(depths_m.astype(np.float64), truth_m)
    return {title: wavering.result() for title, wavering in found.items()}


def _raw(sample: Sample) -> np.ndarray:
    depth_m: np.ndarray = required(sample, 'raw_depth_m', 'to denoise')
    return depth_m


def _filtered(filters: SdkFilters) -> Denoise:
    return lambda sample: filters.batch([sample])[0].depth_m


def _denoised(pipeline: DenoisePipeline) -> Denoise:
    """Frames at 30 Hz; a new scene is another wall, which the gate lets pass."""
    stamp_ns = 0

    def denoise(sample: Sample) -> np.ndarray:
        nonlocal stamp_ns
        stamp_ns += _PERIOD_NS
        depth = DepthImage(_raw(sample).astype(np.float32), 1.0)
        camera = sample.intrinsics
        return pipeline(
            Frame(
                depth=depth,
                infrared=sample.infrared,
                camera=camera,
                depth_camera=camera,
                stamp_ns=stamp_ns,
            )
        ).depth_m

    return denoise
