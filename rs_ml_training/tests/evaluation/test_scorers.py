"""Predictions against truth: who counts, and what is called worst."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import IGNORE, Boxes, Sample
from rs_ml_training.evaluation.evaluate import EvaluationReport, Measured, evaluate
from rs_ml_training.prediction.results import (
    BoxPrediction,
    DenoisePrediction,
    DepthPrediction,
    MaskPrediction,
)
from rs_ml_training.tasks.denoise import DenoiseScorer
from rs_ml_training.tasks.detection.task import BoxScorer
from rs_ml_training.tasks.mono_depth import DepthScorer
from rs_ml_training.tasks.segmentation.task import MaskScorer

TRUTH_M = np.full((4, 6), 2.0, np.float32)


class _Samples(Reader):
    """Samples held in memory."""

    def __init__(self, *samples: Sample) -> None:
        self._samples = samples

    def __len__(self) -> int:
        return len(self._samples)

    def read(self, index: int) -> Sample:
        return self._samples[index]

    def name(self, index: int) -> str:
        return self._samples[index].name


def _depth(factor: float) -> DepthPrediction:
    return DepthPrediction(TRUTH_M * np.float32(factor))


@pytest.mark.parametrize(
    ('factors', 'abs_rel', 'd1'),
    [((), math.nan, math.nan), ((1.0,), 0.0, 1.0), ((1.1, 1.5), 0.3, 0.5)],
)
def test_depth_is_averaged_over_pictures(factors, abs_rel, d1) -> None:
    scorer = DepthScorer()
    for factor in factors:
        scorer.update(Sample('x', depth_m=TRUTH_M), _depth(factor))
    result = scorer.result()
    assert result['abs_rel'] == pytest.approx(abs_rel, abs=1e-6, nan_ok=True)
    assert result['d1'] == pytest.approx(d1, nan_ok=True)
    assert result['aligned_d1'] == (
        pytest.approx(1.0) if factors else pytest.approx(d1, nan_ok=True)
    )


def test_truth_divided_by_focal_length_is_multiplied_again() -> None:
    scorer = DepthScorer(reference_focal_px=700.0)
    scorer.update(Sample('x', depth_m=TRUTH_M, focal_px=1400.0), _depth(2.0))
    assert scorer.result()['abs_rel'] == 0


def test_masks_count_where_both_have_an_opinion() -> None:
    labels = np.array([[0, 0, 1, 1, 2, IGNORE]], np.uint8)
    mask = np.array([[1, 1, 0, IGNORE, 0, 0]], np.uint8)
    scorer = MaskScorer(('b', 'a'), ('a', 'b', 'c'))
    scorer.update(Sample('x', labels=labels), MaskPrediction(mask, np.ones(mask.shape)))
    result = scorer.result()
    assert result['miou'] == result['pixel_accuracy'] == 1.0
    assert result['coverage'] == 0.75
    assert result['count'] == 3
    assert math.isnan(scorer.fresh().result()['coverage'])


def test_a_mask_of_another_size_is_named() -> None:
    sample = Sample('picture 7', labels=np.zeros((4, 6), np.uint8))
    with pytest.raises(InputError, match=r'picture 7: mask \(2, 3\) and truth \(4, 6\)'):
        MaskScorer(('a',)).update(sample, MaskPrediction(np.zeros((2, 3), np.uint8), np.ones(1)))


def test_denoising_is_measured_against_raw_depth_too() -> None:
    raw_m = TRUTH_M.copy()
    raw_m[0] = 0
    scorer = DenoiseScorer()
    cleaned = DenoisePrediction(TRUTH_M + np.float32(0.01))
    scorer.update(Sample('x', depth_m=TRUTH_M, raw_depth_m=raw_m), cleaned)
    result = scorer.result()
    assert result['rmse_m'] == pytest.approx(0.01, abs=1e-6)
    assert result['hole_coverage'] == 1.0


def test_objects_of_other_classes_do_not_count() -> None:
    scorer = BoxScorer(('dog',), ('cat', 'dog'))
    boxes = np.array([[0, 0, 4, 4], [5, 5, 9, 9]], np.float32)
    found = BoxPrediction(boxes[1:], np.array([0.9]), np.array([0]))
    scorer.update(Sample('x', boxes=Boxes.of(boxes, [0, 1])), found)
    assert scorer.result()['ap50'] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ('scorer', 'prediction', 'words'),
    [
        (DepthScorer(), _depth(1.0), 'no depth_m'),
        (MaskScorer(('a',)), MaskPrediction(TRUTH_M, TRUTH_M), 'no labels'),
        (DenoiseScorer(), DenoisePrediction(TRUTH_M), 'no depth_m'),
        (BoxScorer(('a',)), None, 'no boxes'),
    ],
)
def test_samples_without_truth_are_named(scorer, prediction, words) -> None:
    sample = Sample('picture 7', image=np.zeros((4, 6, 3), np.uint8))
    with pytest.raises(InputError, match=f'picture 7 has {words}'):
        scorer.update(sample, prediction)


FACTORS = {'good': 1.0, 'bad': 1.5, 'worse': 2.0, 'fair': 1.1}
READER = _Samples(*(Sample(name, depth_m=TRUTH_M) for name in FACTORS))


def _predict(samples):
    return [_depth(FACTORS[sample.name]) for sample in samples]


@pytest.mark.parametrize('batch_size', [1, 3, 9])
@pytest.mark.parametrize(
    ('worst', 'names'), [(0, ()), (2, ('worse', 'bad')), (9, ('worse', 'bad', 'fair', 'good'))]
)
def test_worst_pictures_are_named(batch_size, worst, names) -> None:
    measured = evaluate(READER, _predict, DepthScorer(), batch_size=batch_size, worst=worst)
    assert measured.count == 4
    assert measured.metrics['abs_rel'] == pytest.approx(0.4, abs=1e-6)
    assert tuple(name for name, _ in measured.worst) == names
    assert measured.seconds_per_image >= 0


def test_worst_where_more_is_better() -> None:
    labels = np.zeros((4, 6), np.uint8)
    wrong = {'good': 0, 'bad': 12, 'fair': 6}
    reader = _Samples(*(Sample(name, labels=labels) for name in wrong))

    def predict(samples):
        masks = [(np.arange(24).reshape(4, 6) < wrong[s.name]).astype(np.uint8) for s in samples]
        return [MaskPrediction(mask, np.ones(mask.shape)) for mask in masks]

    measured = evaluate(reader, predict, MaskScorer(('a', 'b')), worst=2)
    assert [name for name, _ in measured.worst] == ['bad', 'fair']


def test_an_empty_data_set_measures_nothing() -> None:
    measured = evaluate(_Samples(), _predict, DepthScorer(), worst=3)
    assert (measured.count, measured.worst) == (0, ())
    assert math.isnan(measured.metrics['rms'])


def test_progress_sees_every_sample() -> None:
    seen = []

    def progress(samples, count):
        seen.append(count)
        for sample in samples:
            seen.append(sample.name)
            yield sample

    evaluate(READER, _predict, DepthScorer(), progress=progress)
    assert seen == [4, *FACTORS]


MEASURED = Measured(2, {'rms': 0.5, 'd1': math.nan, 'count': 2.0}, 0.01, (('a', 0.7),))
REPORT = EvaluationReport('depth', 'runs/a', 'nyu-h5:/x', MEASURED, {'crop': 'garg'}, 'rms')


def test_report_as_a_table() -> None:
    lines = REPORT.table().splitlines()
    assert lines[0] == 'depth of runs/a on nyu-h5:/x: 2 images'
    assert lines[1] == 'crop garg'
    assert lines[2].split() == ['rms', 'd1']
    assert lines[3].split() == ['0.5000', 'nan']
    assert lines[4:] == ['10.0 ms an image', 'worst: a  rms 0.7000']


def test_report_as_json(tmp_path) -> None:
    REPORT.write(tmp_path / 'r.json')
    values = json.loads((tmp_path / 'r.json').read_text())
    assert values['metrics'] == {'rms': 0.5, 'd1': None, 'count': 2.0}
    assert values['worst'] == [{'name': 'a', 'rms': 0.7}]
    names = ('task', 'model', 'data', 'count', 'seconds_per_image', 'protocol')
    assert [values[n] for n in names] == [
        'depth',
        'runs/a',
        'nyu-h5:/x',
        2,
        0.01,
        {'crop': 'garg'},
    ]
    nothing = replace(REPORT, measured=Measured(0, {}, math.nan))
    assert nothing.values()['seconds_per_image'] is None
    with pytest.raises(InputError, match='missing'):
        REPORT.write(tmp_path / 'missing' / 'r.json')


def test_a_real_camera_as_it_is(data_file) -> None:
    from rs_ml_training.data.formats import open_data
    from rs_ml_training.prediction.stored import RawDepth

    reader = open_data(f'depth-pairs:{data_file("depth_refinement_people")}')
    measured = evaluate(reader, RawDepth().batch, DenoiseScorer(), worst=1)
    assert measured.count == 11
    assert measured.metrics['removed'] == measured.metrics['hole_coverage'] == 0
    assert measured.metrics['coverage'] == pytest.approx(0.9697, abs=1e-4)
    assert measured.metrics['rmse_m'] == pytest.approx(0.0073, abs=1e-4)
    assert measured.worst[0][1] >= measured.metrics['rmse_m']
