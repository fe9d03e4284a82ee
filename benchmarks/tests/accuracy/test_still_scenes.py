"""Deviations of pixels over time."""

import math

import numpy as np
import pytest
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

from benchmarks.accuracy.still_scenes import STILL_BENCHMARK, Wavering, compare_still

WALL_M = np.full((2, 3), 1.5, np.float32)


def exposures(*depths_m):
    return np.stack([np.full((2, 3), depth_m) for depth_m in depths_m])


@pytest.mark.parametrize(
    ('scenes', 'truth_m', 'expected_m'),
    [
        ([], 1.5, math.nan),
        ([exposures(1.5, 1.5, 1.5)], 1.5, 0.0),
        ([exposures(1.4, 1.6)], 1.5, 0.1),
        ([exposures(1.4, 1.6), exposures(1.2, 1.8), exposures(1.2, 1.8)], 1.5, 0.3),
        # Known in half of the exposures; another distance.
        ([exposures(1.4, 0.0), exposures(np.nan, 1.6)], 1.5, math.nan),
        ([exposures(1.4, 1.6)], 5.0, math.nan),
    ],
)
def test_the_median_of_the_deviations(scenes, truth_m, expected_m):
    wavering = Wavering()
    for depths_m in scenes:
        wavering.add(depths_m, np.full((2, 3), truth_m))
    result = wavering.result()
    assert result['stddev_1.2_1.8_m'] == pytest.approx(expected_m, nan_ok=True)
    assert set(result) == set(STILL_BENCHMARK.metrics)


class Rooms(Reader):
    """Two rooms with 14 exposures each, of which the first ten are wild."""

    def __len__(self):
        return 28

    def name(self, index):
        return f'{index}'

    def scene(self, index):
        return f'{index % 2}'

    def read(self, index):
        noise_m = 0.2 if index < 20 else 0.01
        raw_m = WALL_M + np.float32(noise_m * (1 if index // 2 % 2 else -1))
        return Sample(self.name(index), depth_m=WALL_M, raw_depth_m=raw_m)


def test_the_first_exposures_of_a_scene_do_not_count():
    figures = compare_still(Rooms(), {'raw': lambda s: s.raw_depth_m, 'true': lambda s: s.depth_m})
    assert figures['raw']['stddev_1.2_1.8_m'] == pytest.approx(0.01, rel=1e-3)
    assert figures['true']['stddev_1.2_1.8_m'] == 0
