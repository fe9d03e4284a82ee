"""What `rs-ml height` is given of a set of rooms, and what is made of its answers."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

from benchmarks.accuracy import measure
from benchmarks.accuracy.contests import SHIPPED, Subject
from benchmarks.accuracy.heights import HeightContest, HeightCourse
from benchmarks.accuracy.measure import Book, measure_all
from benchmarks.accuracy.options import ShippedOptions
from benchmarks.accuracy.tables import markdown

BOX = [1, 0, 6, 6]
SUBJECTS = Subject(SHIPPED, 'good'), Subject('absent', 'absent'), Subject('true boxes', '')
CONTEST = HeightContest('heights', 'good', 'rooms', SUBJECTS)


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


class FakeRobot:
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
def outcome(rooms, monkeypatch):
    monkeypatch.setattr(measure, 'Robot', FakeRobot)
    monkeypatch.setattr(measure, 'open_data', lambda source: Views())
    monkeypatch.setattr(measure, 'ALL', (CONTEST,))
    options = ShippedOptions(data=rooms, only=('heights',), upright=rooms)
    (found,) = measure_all(options, lambda text: None).outcomes
    return found


def test_detectors_and_true_boxes_are_judged_beside_each_other(outcome):
    assert outcome.count == 2
    assert outcome.missing == {'absent': 'rs-ml: no model absent'}
    assert outcome.figures[SHIPPED]['bias_m'] == pytest.approx(-0.1)
    assert outcome.figures['true boxes']['bias_m'] == pytest.approx(0.02)
    assert outcome.figures['true boxes']['close'] == 1.0


def test_the_table(outcome):
    text = markdown(Book((outcome,)))
    assert '| shipped | 2 | 1.000 | 1.000 | 100.0 | -100.0 | 0.000 |' in text
    assert '| good | heights | people | 2 | true boxes 2 |  |' in text
    assert 'Left out: absent: rs-ml: no model absent' in text


def test_what_the_command_is_given(rooms, tmp_path):
    robot, folder = FakeRobot(tmp_path), tmp_path / 'handed'
    course = HeightCourse(Views(), rooms, folder)
    course.measure(robot, SUBJECTS[0])
    course.measure(robot, SUBJECTS[-1])
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
        (json.dumps([entry('1'), entry('2')]), 'says nothing about frame 3'),
        (json.dumps([entry(n) for n in '123']), '--people upright'),
        (json.dumps([entry(n, person(cut=True)) for n in '123']), '--people upright'),
    ],
)
def test_sets_that_judge_nothing(text, reason, tmp_path):
    (tmp_path / 'heights.json').write_text(text)
    with pytest.raises(InputError, match=reason):
        HeightCourse(Views(), tmp_path, tmp_path / 'handed')
