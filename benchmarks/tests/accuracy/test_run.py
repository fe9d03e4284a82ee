"""The whole evaluation with fake commands: their arguments, and the figures of their results."""

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

from benchmarks.accuracy import run as run_module
from benchmarks.accuracy.__main__ import evaluate
from benchmarks.accuracy.definitions import SHIPPED, AccuracyOptions, Benchmark, Candidate, Target
from benchmarks.accuracy.evaluators import PersonScorer, RobotCommands
from benchmarks.accuracy.inputs import millimetres, write_depth_images
from benchmarks.accuracy.range_bands import BandBenchmark
from benchmarks.accuracy.report import card, markdown, values
from benchmarks.accuracy.run import Report, run_benchmarks

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


class FakeCommands:
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


def benchmark(task, metric, targets=()):
    candidates = (
        Candidate(SHIPPED, 'good'),
        Candidate('poor', 'poor'),
        Candidate('absent', 'absent'),
    )
    options = {'list_file': '@names.txt'}
    return Benchmark(
        task, task, 'good', 'rooms', 'rooms:here', candidates, {metric: metric}, targets, options
    )


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Benchmarks -> results, fake commands, opened data."""
    robots, opened = [], []

    def make(folder):
        robots.append(FakeCommands(folder))
        return robots[-1]

    def open_rooms(source, **options):
        opened.append((source, options))
        return Rooms()

    monkeypatch.setattr(run_module, 'RobotCommands', make)
    monkeypatch.setattr(run_module, 'open_data', open_rooms)

    def measured(*benchmarks):
        monkeypatch.setattr(run_module, 'ALL', benchmarks)
        monkeypatch.setattr(run_module, 'NAMES', tuple(c.name for c in benchmarks))
        options = AccuracyOptions(data=tmp_path, only=run_module.NAMES)
        report = run_benchmarks(options, lambda text: None)
        return report.results, robots[-1], opened

    return measured


@pytest.mark.parametrize(
    ('task', 'metric', 'good', 'poor'),
    [('depth', 'd1', 1.0, 0.0), ('segmentation', 'miou', 1.0, 0.25), ('detection', 'ap50', 1, 0)],
)
def test_the_files_of_the_commands_are_scored(run, task, metric, good, poor, tmp_path):
    ((result,), fake, opened) = run(benchmark(task, metric))
    assert result.count == 2
    assert result.figures[SHIPPED][metric] == pytest.approx(good)
    assert result.figures['poor'][metric] == pytest.approx(poor)
    assert result.missing == {'absent': 'rs-ml: no model absent'}
    source, options = opened[0]
    assert source == f'rooms:{tmp_path / "here"}'
    assert Path(options['list_file']).parts[-3:] == ('args', 'lists', 'names.txt')
    assert ('--intrinsics' in fake.calls[0]) is (task != 'detection')


def test_bands_with_and_without_bounds_against_raw(run):
    bands = BandBenchmark('bands', 'rooms', 'rooms:here', ('1_2', '2_3'), 'd455', every=2)
    ((result,), fake, _) = run(bands)
    assert result.count == 1
    found = {title: figures['rmse_2_3_m'] for title, figures in result.figures.items()}
    assert found == {SHIPPED: 0.0, 'without bounds': 0.0, 'raw depth': pytest.approx(0.5)}
    camera = ['--camera-type', 'd455']
    assert [call[-2:] == camera for call in fake.calls] == [True, False]
    assert fake.calls[1][-4:] == ['--max-toward-sigmas', '0', '--max-away-sigmas', '0']
    text = markdown(Report((result,)))
    assert '| RMSE at 2 to 3 m [mm] | 0.0 | without bounds 0.0; raw depth 500.0 |' in text
    assert 'not above raw: yes' in text
    json.dumps(values(Report((result,))), allow_nan=False)


def test_missing_data_are_skipped_with_a_reason(run, monkeypatch):
    def missing(source, **options):
        raise InputError('no such folder')

    monkeypatch.setattr(run_module, 'open_data', missing)
    ((result,), _, _) = run(benchmark('depth', 'd1'))
    assert result.missing == {'': 'no such folder'}
    assert 'Skipped: all: no such folder' in markdown(Report((result,)))


def test_tables_show_met_targets(run):
    targets = (Target('all', 'd1', least=1.0), Target('worse', 'd1', most=1.0, others=('poor',)))
    ((result,), _, _) = run(benchmark('depth', 'd1', targets))
    text = markdown(Report((result,)))
    assert '| good | depth | d1 | 1.000 | poor 0.000 | all: yes; worse: **no** |' in text
    assert '| worse | 1.000 | **no** |' in card(Report((result,)), 'good')
    found = values(Report((result,)))['benchmarks']['depth']
    assert found['targets'] == {'all': True, 'worse': False}
    json.dumps(found, allow_nan=False)


def test_options_are_checked_first(tmp_path, monkeypatch):
    monkeypatch.delenv('RS_ML_TEST_DATA', raising=False)
    for options, sentence in (
        (AccuracyOptions(only=('depht',)), "no benchmark 'depht'"),
        (AccuracyOptions(), 'give --data DIR'),
        (AccuracyOptions(json_file=tmp_path / 'no' / 'a.json'), 'is no folder'),
        (AccuracyOptions(out=tmp_path / 'no' / 'a.md'), 'is no folder'),
    ):
        with pytest.raises(ConfigError, match=sentence):
            evaluate(options, print)


def test_people_count_where_pixels_are_annotated():
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
def test_depth_is_written_in_millimetres(depth_m, depth_mm):
    assert millimetres(np.float32([[depth_m]])) == [[depth_mm]]


def test_depth_needs_depth(tmp_path):
    class Pictures(Rooms):
        def read(self, index):
            return Sample(self.name(index), image=super().read(index).image)

    with pytest.raises(InputError, match='no measured depth'):
        write_depth_images(Pictures(), tmp_path)


def test_a_failing_command_is_quoted(tmp_path):
    with pytest.raises(InputError, match=r'rs-ml depth failed: rs-ml: folder .* holds no'):
        RobotCommands(tmp_path).run('depth', tmp_path, '--model', 'no such model')


def test_the_output_of_a_command(tmp_path):
    assert 'mono_depth' in RobotCommands(tmp_path).run('models', 'list')
