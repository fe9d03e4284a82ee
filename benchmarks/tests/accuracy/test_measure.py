"""The whole evaluation with a robot that is none: what it is given, and what is made of it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import IGNORE, Boxes, Sample
from rs_ml_training.data.yolo import UNLISTED
from rs_ml_training.prediction.results import MaskPrediction

from benchmarks.accuracy import measure, robot
from benchmarks.accuracy.contests import SHIPPED, Aim, Contest, Subject
from benchmarks.accuracy.handed import hand_over_depth, millimetres
from benchmarks.accuracy.judging import PersonScorer
from benchmarks.accuracy.measure import Book, measure_all
from benchmarks.accuracy.options import ShippedOptions
from benchmarks.accuracy.session import run_all
from benchmarks.accuracy.tables import markdown, values

SIZE = (8, 6)


class Rooms(Reader):
    """Two samples with every map."""

    labels = ('floor', 'person')

    def __len__(self) -> int:
        return 2

    def name(self, index: int) -> str:
        return f'rooms/{index}'

    def read(self, index: int) -> Sample:
        shape = SIZE[::-1]
        return Sample(
            self.name(index),
            image=np.full((*shape, 3), 40 * index, np.uint8),
            depth_m=np.full(shape, 2.0, np.float32),
            raw_depth_m=np.full(shape, 1.5, np.float32),
            labels=np.tile(np.uint8([0, 1]), (6, 4)),
            boxes=Boxes.of([[1, 1, 5, 5]], [1]),
            intrinsics=CameraModel(*SIZE, 7.0, 7.0, 4.0, 3.0),
        )


class FakeRobot:
    """Writes perfect answers, or constant ones for the model `poor`; remembers its words."""

    def __init__(self, model_folder: Path) -> None:
        self.calls: list[list[str]] = []

    def run(self, command: str, pictures: Path, *words: object) -> str:
        given = dict(zip(words[::2], words[1::2], strict=False))
        self.calls.append([command, *map(str, words)])
        if given['--model'] == 'absent':
            raise InputError('rs-ml: no model absent')
        out, is_poor = Path(given['--out']), given['--model'] == 'poor'
        out.mkdir()
        lines = []
        for path in sorted(pictures.iterdir()):
            assert cv2.imread(str(path)).shape == (6, 8, 3)
            mask = np.tile(np.uint8([0, 0 if is_poor else 1]), (6, 4))
            cv2.imwrite(str(out / f'{path.stem}_mask.png'), mask)
            depth_mm = np.full((6, 8), 1000 if is_poor else 2000, np.uint16)
            cv2.imwrite(str(out / f'{path.stem}_depth.png'), depth_mm)
            box = {'label': 'person', 'score': 0.9, 'box': [1, 1, 5, 2 if is_poor else 5]}
            lines.append(json.dumps({'image': path.name, 'detections': [box]}))
        (out / 'results.jsonl').write_text('\n'.join(lines))
        return ''


def contest(task, metric, aims=()):
    subjects = (Subject(SHIPPED, 'good'), Subject('poor', 'poor'), Subject('absent', 'absent'))
    options = {'list_file': '@names.txt'}
    return Contest(
        task, task, 'good', 'rooms', 'rooms:here', subjects, {metric: metric}, aims, options
    )


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Contest -> its outcome, and the robot that took part."""
    robots, opened = [], []

    def make(folder):
        robots.append(FakeRobot(folder))
        return robots[-1]

    def open_rooms(source, **options):
        opened.append((source, options))
        return Rooms()

    monkeypatch.setattr(measure, 'Robot', make)
    monkeypatch.setattr(measure, 'open_data', open_rooms)

    def measured(*contests):
        monkeypatch.setattr(measure, 'ALL', contests)
        monkeypatch.setattr(measure, 'NAMES', tuple(c.name for c in contests))
        options = ShippedOptions(data=tmp_path, only=measure.NAMES)
        book = measure_all(options, lambda text: None)
        return book.outcomes, robots[-1], opened

    return measured


@pytest.mark.parametrize(
    ('task', 'metric', 'good', 'poor'),
    [('depth', 'd1', 1.0, 0.0), ('segmentation', 'miou', 1.0, 0.25), ('detection', 'ap50', 1, 0)],
)
def test_the_files_that_the_robot_writes_are_judged(run, task, metric, good, poor, tmp_path):
    ((outcome,), fake, opened) = run(contest(task, metric))
    assert outcome.count == 2
    assert outcome.figures[SHIPPED][metric] == pytest.approx(good)
    assert outcome.figures['poor'][metric] == pytest.approx(poor)
    assert outcome.missing == {'absent': 'rs-ml: no model absent'}
    source, options = opened[0]
    assert source == f'rooms:{tmp_path / "here"}'
    assert Path(options['list_file']).parts[-3:] == ('args', 'lists', 'names.txt')
    assert ('--intrinsics' in fake.calls[0]) is (task != 'detection')


def test_data_that_are_not_there_are_left_out_with_a_reason(run, monkeypatch):
    def missing(source, **options):
        raise InputError('no such folder')

    monkeypatch.setattr(measure, 'open_data', missing)
    ((outcome,), _, _) = run(contest('depth', 'd1'))
    assert outcome.missing == {'': 'no such folder'}
    assert 'Left out: depth: no such folder' in markdown(Book((outcome,)))


def test_tables_say_what_was_reached(run):
    aims = (Aim('all', 'd1', least=1.0), Aim('worse', 'd1', most=1.0, beside=('poor',)))
    ((outcome,), _, _) = run(contest('depth', 'd1', aims))
    text = markdown(Book((outcome,)))
    assert '| good | depth | d1 | 1.000 | poor 0.000 | all: yes; worse: **no** |' in text
    assert '| worse | 1.000 | **no** |' in text
    found = values(Book((outcome,)))['contests']['depth']
    assert found['aims'] == {'all': True, 'worse': False}
    json.dumps(found, allow_nan=False)


def test_what_is_asked_for_is_checked_first(tmp_path, monkeypatch):
    monkeypatch.delenv('RS_ML_TEST_DATA', raising=False)
    for options, sentence in (
        (ShippedOptions(only=('depht',)), "no contest 'depht'"),
        (ShippedOptions(), 'give --data DIR'),
        (ShippedOptions(json_file=tmp_path / 'no' / 'a.json'), 'is no folder'),
        (ShippedOptions(out=tmp_path / 'no' / 'a.md'), 'is no folder'),
    ):
        with pytest.raises(ConfigError, match=sentence):
            run_all(options, print)


def test_people_count_where_it_is_known_who_is_there():
    scorer = PersonScorer(predicted_id=7, true_id=1)
    labels = np.uint8([[1, 1, 0, IGNORE, IGNORE]])
    unlisted = np.uint8([[0, 0, 0, 1, 0]])
    sample = Sample('a', labels=labels, extra={UNLISTED: unlisted})
    mask = np.uint8([[7, 0, 0, 7, 7]])
    scorer.update(sample, MaskPrediction(mask, np.ones(mask.shape, np.float32)))
    assert scorer.result()['iou_person'] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ('depth_m', 'depth_mm'),
    [(0.0, 0), (np.nan, 0), (np.inf, 0), (1.2344, 1234), (65.535, 65535), (65.6, 0)],
)
def test_depth_is_handed_over_in_millimetres(depth_m, depth_mm):
    assert millimetres(np.float32([[depth_m]])) == [[depth_mm]]


def test_depth_needs_depth(tmp_path):
    class Pictures(Rooms):
        def read(self, index):
            return Sample(self.name(index), image=super().read(index).image)

    with pytest.raises(InputError, match='no measured depth'):
        hand_over_depth(Pictures(), tmp_path)


def test_a_command_that_fails_is_quoted(tmp_path):
    with pytest.raises(InputError, match=r'rs-ml depth failed: rs-ml: folder .* holds no'):
        robot.Robot(tmp_path).run('depth', tmp_path, '--model', 'no such model')


def test_a_command_that_works_is_read(tmp_path):
    assert 'mono_depth' in robot.Robot(tmp_path).run('models', 'list')
