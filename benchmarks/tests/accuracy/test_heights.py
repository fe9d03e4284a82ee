"""Input of `rs-ml height` from a set of rooms, and metrics of its results."""

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

from benchmarks.accuracy import run
from benchmarks.accuracy.definitions import SHIPPED, AccuracyOptions, Candidate
from benchmarks.accuracy.heights import HeightBenchmark, HeightInput, height_errors
from benchmarks.accuracy.report import card, markdown
from benchmarks.accuracy.run import Report, run_benchmarks

BOX = [1, 0, 6, 6]
CANDIDATES = Candidate(SHIPPED, 'good'), Candidate('absent', 'absent'), Candidate('true boxes', '')
BENCHMARK = HeightBenchmark('heights', 'good', 'rooms', CANDIDATES)


class Views(Reader):
    """Two exposures of one room and one of another."""

    def __len__(self) -> int:
        return 3

    def name(self, index: int) -> str:
        return str(index + 1)

    def scene(self, index: int) -> str:
        return 'ab'[index // 2]

    def read(self, index: int) -> Sample:
        return Sample(
            self.name(index),
            image=np.full((6, 8, 3), 40 * index, np.uint8),
            raw_depth_m=np.full((6, 8), 1.5, np.float32),
            intrinsics=CameraModel(8, 6, 7.0, 7.25, 4.0, 3.0),
        )


class FakeCommands:
    """Measures 1.72 m in the boxes of a file, 1.6 m in those of a model; remembers its words."""

    def __init__(self, model_folder: Path) -> None:
        self.calls = []

    def run(self, command, pictures, *words):
        assert (command, words[-1]) == ('height', '--no-pictures')
        given = dict(zip(words[::2], words[1::2], strict=False))
        self.calls.append(given)
        if given.get('--model') == 'absent':
            raise InputError('rs-ml: no model absent')
        given['--out'].mkdir()
        names = sorted(path.name for path in pictures.iterdir())
        assert names == sorted(path.name for path in given['--depth'].iterdir())
        boxes = {name: [BOX] for name in names}
        if '--boxes' in given:
            entries = map(json.loads, given['--boxes'].read_text().splitlines())
            boxes = {e['image']: [d['box'] for d in e['detections']] for e in entries}
        height_m = 1.72 if '--boxes' in given else 1.6
        lines = [
            {'image': name, 'detections': [{'box': b, 'status': 'OK', 'height_m': height_m}]}
            for name in names
            for b in boxes[name]
        ]
        (given['--out'] / 'results.jsonl').write_text('\n'.join(map(json.dumps, lines)))
        return ''


def person(**changes):
    known = {'box': BOX, 'posture': 'standing', 'visible_share': 1.0, 'cut': False}
    return {**known, 'top_m': 1.7, **changes}


def entry(name, *people):
    return {'image': name, 'people': people, 'accelerometer': [[0, -9.8, float(name)]]}


@pytest.fixture
def rooms(tmp_path):
    """A set: somebody upright in each room, seated in the exposure that is passed over."""
    entries = entry('1', person(posture='sitting')), entry('2', person()), entry('3', person())
    (tmp_path / 'heights.json').write_text(json.dumps(entries))
    return tmp_path


@pytest.fixture
def result(rooms, monkeypatch):
    monkeypatch.setattr(run, 'RobotCommands', FakeCommands)
    monkeypatch.setattr(run, 'open_data', lambda source: Views())
    monkeypatch.setattr(run, 'ALL', (BENCHMARK,))
    options = AccuracyOptions(data=rooms, only=('heights',), upright=rooms)
    (found,) = run_benchmarks(options, lambda text: None).results
    return found


def test_detectors_and_true_boxes_are_evaluated(result):
    assert result.count == 2
    assert result.missing == {'absent': 'rs-ml: no model absent'}
    assert result.figures[SHIPPED]['bias_m'] == pytest.approx(-0.1)
    assert result.figures['true boxes']['bias_m'] == pytest.approx(0.02)
    assert result.figures['true boxes']['close'] == 1.0


def test_the_table(result):
    text = card(Report((result,)), 'good')
    assert '| shipped | 2 | 1.000 | 1.000 | 100.0 | -100.0 | 0.000 |' in text
    assert 'Skipped: absent: rs-ml: no model absent' in text
    overview = markdown(Report((result,)))
    assert '| good | heights | people | 2 | true boxes 2 |  |' in overview
    assert 'rooms: 2 images. Skipped: absent: rs-ml: no model absent.' in overview


def test_arguments_of_the_command(rooms, tmp_path):
    robot, folder = FakeCommands(tmp_path), tmp_path / 'input'
    heights = HeightInput(Views(), rooms, folder)
    heights.measure(robot, CANDIDATES[0])
    heights.measure(robot, CANDIDATES[-1])
    model, boxes = robot.calls
    assert (model['--model'], '--boxes' in model) == ('good', False)
    assert '--model' not in boxes
    assert model['--intrinsics'] == '7.0000,7.2500,4.0000,3.0000'
    readings = json.loads(model['--accelerometer'].read_text())
    assert readings == {str(n): [[0, -9.8, n]] for n in (1, 2, 3)}
    depth_mm = cv2.imread(str(model['--depth'] / '2.png'), cv2.IMREAD_UNCHANGED)
    assert (depth_mm.dtype, depth_mm[0, 0]) == (np.uint16, 1500)


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('', 'is not what rs-ml-data synth writes'),
        ('[{"name": 1}]', 'is not what rs-ml-data synth writes'),
        (json.dumps([entry('1'), entry('2')]), 'has no entry for frame 3'),
        (json.dumps([entry(n) for n in '123']), '--people upright'),
        (json.dumps([entry(n, person(cut=True)) for n in '123']), '--people upright'),
    ],
)
def test_unusable_sets_are_rejected(text, reason, tmp_path):
    (tmp_path / 'heights.json').write_text(text)
    with pytest.raises(InputError, match=reason):
        HeightInput(Views(), tmp_path, tmp_path / 'input')


BOX = [10, 10, 50, 200]
AWAY = [300, 10, 340, 200]
KEYS = 'people', 'found', 'measured', 'median_error_m', 'bias_m', 'close'
NONE = math.nan


def person(**changes):
    known = {'box': BOX, 'posture': 'standing', 'visible_share': 1.0, 'cut': False}
    return {**known, 'top_m': 1.7, **changes}


def seen(height_m=1.72, box=BOX, status='OK'):
    return {'box': box, 'status': status, 'height_m': height_m}


@pytest.mark.parametrize(
    ('people', 'found', 'expected'),
    [
        ([], [], (0, NONE, NONE, NONE, NONE, NONE)),
        ([], [seen()], (0, NONE, NONE, NONE, NONE, NONE)),
        ([person()], [], (1, 0, 0, NONE, NONE, 0)),
        ([person()], [seen()], (1, 1, 1, 0.02, 0.02, 1)),
        ([person()], [seen(1.6)], (1, 1, 1, 0.1, -0.1, 0)),
        ([person()], [seen(9.0, AWAY), seen()], (1, 1, 1, 0.02, 0.02, 1)),
        ([person()], [seen(box=AWAY)], (1, 0, 0, NONE, NONE, 0)),
        ([person()], [seen(box=[10, 10, 50, 106])], (1, 1, 1, 0.02, 0.02, 1)),
        ([person()], [seen(box=[10, 10, 50, 104])], (1, 0, 0, NONE, NONE, 0)),
        ([person()], [seen(status='TRUNCATED')], (1, 1, 0, NONE, NONE, 0)),
        ([person()], [seen(None, status='NO_DEPTH')], (1, 1, 0, NONE, NONE, 0)),
        ([person(posture='sitting')], [seen()], (0, NONE, NONE, NONE, NONE, NONE)),
        ([person(visible_share=0.79)], [seen()], (0, NONE, NONE, NONE, NONE, NONE)),
        ([person(cut=True)], [seen()], (0, NONE, NONE, NONE, NONE, NONE)),
        ([person(posture='walking', top_m=1.67), person(box=AWAY)], [seen(1.66)],
         (2, 0.5, 0.5, 0.01, -0.01, 0.5)),
        ([person(), person(box=AWAY)], [seen(1.66), seen(1.8, AWAY)],
         (2, 1, 1, 0.07, 0.03, 0.5)),
    ],
)  # fmt: skip
def test_heights_against_the_truth(people, found, expected):
    result = height_errors({'a': found}, {'a': people})
    assert [result[key] for key in KEYS] == pytest.approx(expected, nan_ok=True)


def test_an_image_without_results_counts():
    result = height_errors({'b': [seen()]}, {'a': [person()], 'b': [person()]})
    assert (result['people'], result['found']) == (2, 0.5)
