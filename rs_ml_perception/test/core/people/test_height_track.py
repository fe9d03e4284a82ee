"""Heights over the frames of a track."""

import numpy as np
import pytest
from rs_ml_perception.core.people.height_track import HeightTracks

SECOND = 1_000_000_000


def fed(tracks: HeightTracks, heights, stddev_m: float = 0.02) -> tuple[float, float]:
    result = (np.nan, np.nan)
    for index, height_m in enumerate(heights):
        result = tracks.measured(1, height_m, stddev_m, index * SECOND // 30)
    return result


def test_first_measurement_stands():
    assert fed(HeightTracks(), [1.8]) == (1.8, 0.02)


def test_mean_of_noise_is_steadier():
    heights = 1.75 + np.random.default_rng(0).normal(0, 0.02, 60)
    height_m, stddev_m = fed(HeightTracks(), heights)
    assert height_m == pytest.approx(1.75, abs=0.01)
    assert stddev_m < 0.012


def test_outlier_hardly_moves_it():
    before, _ = fed(HeightTracks(), [1.75] * 20)
    after, _ = fed(HeightTracks(), [1.75] * 20 + [2.6])
    assert after - before < 0.02


def test_old_measurements_are_forgotten():
    height_m, _ = fed(HeightTracks(memory=10), [1.6] * 30 + [1.8] * 200)
    assert height_m == pytest.approx(1.8, abs=0.02)


@pytest.mark.parametrize('bound_m', [0.9, 1.2, 1.7])
def test_lower_bound_never_pulls_down(bound_m):
    tracks = HeightTracks()
    fed(tracks, [1.75] * 5)
    assert tracks.bounded(1, bound_m, 0.02, SECOND)[0] == pytest.approx(1.75)
    assert tracks.measured(1, 1.75, 0.02, SECOND)[0] == pytest.approx(1.75)


def test_bound_of_an_unknown_track_is_the_bound():
    tracks = HeightTracks()
    assert tracks.bounded(9, 1.2, 0.05, 0) == (1.2, 0.05)
    assert len(tracks) == 0


def test_higher_bound_counts():
    tracks = HeightTracks()
    fed(tracks, [1.5])
    assert tracks.bounded(1, 1.7, 0.02, SECOND)[0] == 1.7


@pytest.mark.parametrize(
    ('range_m', 'expected_m'),
    [(3.0, 1.75), (3.5, 1.75), (1.5, 1.2), (6.0, 1.2), (np.nan, 1.75)],
)
def test_somebody_else_under_the_same_number_gets_nothing_of_the_height(range_m, expected_m):
    tracks = HeightTracks()
    tracks.measured(1, 1.75, 0.02, 0, range_m=3.0)
    assert tracks.bounded(1, 1.2, 0.05, SECOND // 10, range_m=range_m)[0] == expected_m


def test_tracks_are_forgotten_by_time_and_number():
    tracks = HeightTracks(forget_after_secs=5.0, max_tracks=3)
    for track_id in range(10):
        tracks.measured(track_id, 1.7, 0.02, 0)
    assert len(tracks) == 3
    tracks.measured(99, 1.7, 0.02, 6 * SECOND)
    assert len(tracks) == 1
    tracks.clear()
    assert len(tracks) == 0
