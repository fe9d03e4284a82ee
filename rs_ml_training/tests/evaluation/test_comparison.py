"""The camera SDK's filters as predictors, and their table."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from rs_ml_perception.core.errors import BackendError, ConfigError, InputError
from rs_ml_training.data.reader import Reader, last_frames, scenes_in_turn
from rs_ml_training.data.sample import Sample
from rs_ml_training.evaluation.comparison import Comparison, compare
from rs_ml_training.prediction.results import DenoisePrediction
from rs_ml_training.prediction.sdk_filters import CHAINS, SdkFilters
from rs_ml_training.tasks.denoise import RAW, DenoiseEvaluation, DenoiseTask

TRUTH_M = np.full((48, 64), 2.0, np.float32)
HOLE = np.s_[20:24, 30:34]


class _Frames(Reader):
    """Noisy frames of a wall with a hole: name -> scene."""

    def __init__(self, scenes: dict[str, str]) -> None:
        self._scenes = list(scenes.items())

    def __len__(self) -> int:
        return len(self._scenes)

    def name(self, index: int) -> str:
        return self._scenes[index][0]

    def scene(self, index: int) -> str:
        return self._scenes[index][1]

    def read(self, index: int) -> Sample:
        noise = np.random.default_rng(index).normal(0, 0.005, TRUTH_M.shape)
        raw_m = (TRUTH_M + noise).astype(np.float32)
        raw_m[HOLE] = 0
        return Sample(self.name(index), self.scene(index), depth_m=TRUTH_M, raw_depth_m=raw_m)


ROOMS = _Frames({'1': 'a', '2': 'b', '3': 'a', '4': 'b', '5': 'a'})


def _exact(samples) -> list[DenoisePrediction]:
    return [DenoisePrediction(sample.depth_m) for sample in samples]


@pytest.mark.parametrize(
    ('scenes', 'order', 'last'),
    [
        ({}, [], []),
        ({'1': 'a', '2': 'a'}, [0, 1], [1]),
        ({'1': 'a', '2': 'b', '3': 'a'}, [0, 2, 1], [2, 1]),
    ],
)
def test_scenes_are_taken_one_after_the_other(scenes, order, last) -> None:
    reader = _Frames(scenes)
    assert scenes_in_turn(reader) == order
    assert last_frames(reader) == last


@pytest.mark.parametrize('chain', CHAINS)
def test_filters_keep_or_fill_unknown_depth(chain, librealsense) -> None:
    (found,) = SdkFilters(chain).batch([ROOMS.read(0)])
    fills = 'hole-filling' in CHAINS[chain][-1]
    assert (found.depth_m[HOLE] > 0).all() == fills
    wall = found.depth_m[found.depth_m > 0]
    assert wall.mean() == pytest.approx(2.0, abs=0.01)


def test_the_temporal_filter_remembers_a_scene_only(librealsense) -> None:
    reader = _Frames({str(i): 'ab'[i // 6] for i in range(12)})
    found = SdkFilters('temporal').batch([reader.read(i) for i in range(len(reader))])
    spread = [frame.depth_m[frame.depth_m > 0].std() for frame in found]
    assert spread[5] < 0.7 * spread[0]
    np.testing.assert_allclose(
        found[6].depth_m, reader.read(6).raw_depth_m, atol=0.0006, err_msg='a new scene'
    )


@pytest.mark.parametrize('last_of_scene', [False, True])
def test_every_way_is_judged_on_the_same_frames(last_of_scene, tmp_path, librealsense) -> None:
    task = DenoiseTask()
    options = DenoiseEvaluation(sdk_filters=True, last_of_scene=last_of_scene)
    found = compare(task, options, ROOMS, {'exact': _exact})
    assert list(found) == [RAW, *CHAINS, 'exact']
    assert {m.metrics['count'] for m in found.values()} == {2 if last_of_scene else 5}
    assert found['exact'].metrics['rmse_m'] == 0
    assert found[RAW].metrics['rmse_m'] == pytest.approx(0.005, rel=0.1)
    assert found['disparity-spatial'].metrics['rmse_m'] < 0.5 * found[RAW].metrics['rmse_m']
    report = Comparison(
        'denoise', 'frames:x', found, task.rivals(options).columns, {'min_confidence': 0.5}
    )
    assert report.table().count('\n') == len(found) + 1
    report.write(tmp_path / 'figures.json')
    written = json.loads((tmp_path / 'figures.json').read_text())
    assert written['ways']['exact']['coverage'] == 1


def test_filters_that_cannot_be(monkeypatch) -> None:
    with pytest.raises(ConfigError, match="'median'; there are spatial"):
        SdkFilters('median')
    monkeypatch.setitem(sys.modules, 'pyrealsense2', None)
    with pytest.raises(BackendError, match='pip install pyrealsense2'):
        SdkFilters('spatial')


def test_a_frame_without_measurement_is_named(librealsense) -> None:
    with pytest.raises(InputError, match='picture 7'):
        SdkFilters('spatial').batch([Sample('picture 7', depth_m=TRUTH_M)])
