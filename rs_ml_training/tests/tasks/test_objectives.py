"""Tasks: arrays, losses and metrics of perfect and of wrong predictions."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.options import options_of
from rs_ml_training.data.sample import Boxes, Sample
from rs_ml_training.trained import ModelSpec

keras = pytest.importorskip('keras')

from rs_ml_training.data.sequence import stack  # noqa: E402
from rs_ml_training.data.yolo import UNLISTED  # noqa: E402
from rs_ml_training.losses.depth import DEPTH_LOSSES  # noqa: E402
from rs_ml_training.losses.segmentation import SEGMENTATION_LOSSES  # noqa: E402
from rs_ml_training.tasks.denoise import DenoiseObjective  # noqa: E402
from rs_ml_training.tasks.detection.objective import (  # noqa: E402
    DetectionObjective,
    detection_losses,
    predictions_of,
)
from rs_ml_training.tasks.detection.task import DetectionTraining  # noqa: E402
from rs_ml_training.tasks.mono_depth import DepthObjective, DepthTraining  # noqa: E402
from rs_ml_training.tasks.registry import TASKS  # noqa: E402
from rs_ml_training.tasks.segmentation.objective import SegmentationObjective  # noqa: E402
from rs_ml_training.tasks.segmentation.task import (  # noqa: E402
    SegmentationTraining,
    balanced_weights,
)

SIZE = (64, 32)
_IMAGE = np.full((32, 64, 3), 90, np.uint8)
_DEPTH = np.linspace(1, 4, 64, dtype=np.float32)[None].repeat(32, 0)


def _spec(task: str, labels: tuple[str, ...] = ()) -> ModelSpec:
    return ModelSpec(task, 'any', SIZE, labels=labels, depth_range_m=(0.1, 10.0))


def _depth():
    depth_m = _DEPTH.copy()
    depth_m[:4] = 0
    sample = Sample('a', image=_IMAGE, depth_m=depth_m)
    return DepthObjective(_spec('depth'), 'l1'), sample, {'depth_m': _DEPTH[None, ..., None]}


def _segmentation():
    labels = (np.arange(64, dtype=np.uint8) // 32)[None].repeat(32, 0)
    sample = Sample('a', image=_IMAGE, labels=np.where(np.arange(32)[:, None] < 4, 255, labels))
    logits = 20.0 * np.eye(2, dtype=np.float32)[labels][None]
    outputs = {'logits': logits, 'logits_aux': logits}
    return SegmentationObjective(_spec('s', ('a', 'b')), 'cross_entropy'), sample, outputs


def _denoise():
    sample = Sample('a', depth_m=_DEPTH, raw_depth_m=np.where(_DEPTH > 2, 0, _DEPTH + 0.1))
    outputs = {'depth_m': _DEPTH[None, ..., None], 'confidence': np.ones((1, 32, 64, 1)) - 1e-6}
    return DenoiseObjective(_spec('denoise'), 'denoise'), sample, outputs


def _detection():
    boxes = Boxes.of([[8, 4, 24, 28], [30, 2, 60, 30]], [2, 0])
    task = DetectionObjective(
        _spec('detection', ('person',)), ('dog', 'cat', 'person'), 'centernet'
    )
    sample = Sample('a', image=_IMAGE, boxes=boxes)
    targets = task.arrays(sample)[1]
    outputs = {name: targets[name][None] for name in ('heatmap', 'size', 'offset')}
    return task, sample, outputs


PERFECT = {
    'depth': (_depth, {'d1': 1.0, 'rms': 0.0, 'abs_rel': 0.0}),
    'segmentation': (_segmentation, {'miou': 1.0}),
    'denoise': (_denoise, {'rmse_m': 0.0, 'hole_coverage': 1.0, 'removed': 0.0}),
    'detection': (_detection, {'ap50': 1.0, 'ap50_95': 1.0}),
}


@pytest.mark.parametrize('name', PERFECT)
def test_a_perfect_prediction(name):
    make, expected = PERFECT[name]
    task, sample, outputs = make()
    inputs, targets = (stack([arrays]) for arrays in task.arrays(sample))
    losses = task.losses(targets, {n: keras.ops.convert_to_tensor(a) for n, a in outputs.items()})
    assert set(losses) == set(task.part_names(outputs))
    assert float(sum(losses.values())) == pytest.approx(0, abs=0.02)
    metrics = task.metrics()
    metrics.update(targets, outputs)
    result = metrics.result()
    assert {n: result[n] for n in expected} == pytest.approx(expected, abs=1e-5)
    picture = task.picture(*({n: a[0] for n, a in d.items()} for d in (inputs, targets, outputs)))
    assert picture.dtype == np.uint8
    assert picture.shape[0] == 32
    assert picture.shape[1] % 64 == 0


@pytest.mark.parametrize('name', PERFECT)
def test_a_wrong_one_costs_and_scores_less(name):
    make, expected = PERFECT[name]
    task, sample, outputs = make()
    wrong = {n: np.ascontiguousarray(a[:, :, ::-1]).astype(np.float32) for n, a in outputs.items()}
    _, targets = (stack([arrays]) for arrays in task.arrays(sample))
    losses = task.losses(targets, {n: keras.ops.convert_to_tensor(a) for n, a in wrong.items()})
    assert float(sum(losses.values())) > 0.1
    metrics = task.metrics()
    metrics.update(targets, wrong)
    metric = next(iter(expected))
    assert TASKS[name].is_better(metric, expected[metric], metrics.result()[metric])


def test_truth_in_its_place():
    """Truth and prediction are not exchanged: abs_rel is relative to the truth."""
    task, sample, _ = _depth()
    _, targets = (stack([arrays]) for arrays in task.arrays(sample))
    metrics = task.metrics()
    metrics.update(targets, {'depth_m': 2 * _DEPTH[None, ..., None]})
    assert metrics.result()['abs_rel'] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ('metric', 'value', 'than', 'expected'),
    [
        ('d1', 0.5, None, True),
        ('d1', float('nan'), None, False),
        ('d1', 0.5, 0.4, True),
        ('rms', 0.5, 0.4, False),
        ('rms', 0.3, 0.4, True),
        ('rms', 0.4, 0.4, False),
    ],
)
def test_is_better(metric, value, than, expected):
    assert TASKS['depth'].is_better(metric, value, than) is expected


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: DepthObjective(_spec('depth'), 'l3'), "no depth loss 'l3'"),
        (lambda: DenoiseObjective(_spec('denoise'), 'l3'), "no denoise loss 'l3'"),
        (lambda: DetectionObjective(_spec('detection'), (), 'l3'), "no detection loss 'l3'"),
        (
            lambda: DetectionObjective(_spec('detection'), (), 'soft_centernet'),
            'without --teacher',
        ),
        (
            lambda: DetectionObjective(
                _spec('detection'), (), 'centernet', teacher=lambda image, targets: targets
            ),
            'with --teacher',
        ),
        (lambda: SegmentationObjective(_spec('s'), 'l3'), "no segmentation loss 'l3'"),
    ],
)
def test_wrong_losses(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.mark.parametrize(
    ('options', 'losses'),
    [
        (DepthTraining, DEPTH_LOSSES),
        (SegmentationTraining, SEGMENTATION_LOSSES),
        (DetectionTraining, detection_losses()),
    ],
)
def test_help_lists_every_loss(options, losses):
    """The tables need Keras, `--help` does not: so the text lists the names itself."""
    [loss] = [leaf for leaf in options_of(options) if leaf.name == 'loss']
    listed = re.split(', | or ', loss.info.doc.partition(' (')[0])
    assert listed == list(losses)


def test_a_sample_without_truth():
    with pytest.raises(InputError, match='b has no depth_m'):
        DepthObjective(_spec('depth'), 'l1').arrays(Sample('b', image=_IMAGE))


def test_predictions_are_not_drawn_on_the_truth():
    task, sample, _ = _detection()
    inputs, targets = task.arrays(sample)
    nothing = {name: np.zeros_like(targets[name]) for name in ('heatmap', 'size', 'offset')}
    before = inputs['image'].copy()
    truth, found = np.hsplit(task.picture(inputs, targets, nothing), 2)
    np.testing.assert_array_equal(found, before)
    assert (truth != before).any()
    np.testing.assert_array_equal(inputs['image'], before)


def test_no_boxes():
    task, *_ = _detection()
    none = Sample('b', image=_IMAGE, boxes=Boxes.of([], []))
    targets = task.arrays(none)[1]
    assert targets['mask'].sum() == 0
    assert (targets['truth'] == -1).all()
    outputs = stack([{n: targets[n] for n in ('heatmap', 'size', 'offset')}])
    (found,) = predictions_of(outputs, SIZE)
    assert len(found) == 0


def test_one_object_is_found_once():
    """Two peaks whose boxes are nearly one, and one of another class in the same place."""
    shape = SIZE[1] // 4, SIZE[0] // 4
    heatmap = np.zeros((1, *shape, 2), np.float32)
    heatmap[0, 4, [4, 6], 0] = 0.9, 0.6
    heatmap[0, 4, 4, 1] = 0.5
    maps = {'heatmap': heatmap, 'size': np.full((1, *shape, 2), 32.0, np.float32)}
    maps['offset'] = np.full((1, *shape, 2), 0.5, np.float32)
    (found,) = predictions_of(maps, SIZE)
    assert sorted(zip(found.class_ids.tolist(), found.scores.tolist(), strict=True)) == [
        (0, pytest.approx(0.9)),
        (1, pytest.approx(0.5)),
    ]
    np.testing.assert_allclose(found.xyxy[0], [2, 2, 34, 32], atol=1e-4)


def _cells_task(**options):
    spec = _spec('detection', ('person', 'cat'))
    return DetectionObjective(spec, ('dog', 'cat', 'person'), 'generalized_focal', **options)


@pytest.mark.parametrize(
    ('marked', 'expected'), [(None, [1, 1]), ((2,), [1, 0]), ((0, 1), [0, 1]), ((), [0, 0])]
)
def test_classes_that_are_marked(marked, expected):
    boxes = Boxes.of([[8, 4, 24, 28], [30, 2, 60, 30]], [2, 0])
    sample = Sample('a', image=_IMAGE, boxes=boxes, marked=marked)
    targets = _cells_task().arrays(sample)[1]
    np.testing.assert_array_equal(targets['marked'], np.float32(expected))
    np.testing.assert_array_equal(targets['truth'][:2, 4], [0, -1])


def test_cells_that_know_everything():
    """A cell of stride 16 at (32, 16) tells of a box that reaches one or two strides."""
    sample = Sample('a', image=_IMAGE, boxes=Boxes.of([[16, 0, 64, 32]], [2]))
    task = _cells_task()
    inputs, targets = task.arrays(sample)
    count = 8 * 4 + 4 * 2 + 2 * 1 + 1
    scores = np.full((1, count, 2), -9, np.float32)
    scores[0, 32 + 4 + 2, 0] = 5
    distances = np.zeros((1, count, 4, 8), np.float32)
    distances[0, :, np.arange(4), [1, 1, 2, 1]] = 99
    outputs = {'scores': scores, 'distances': distances.reshape(1, count, 32)}
    metrics = task.metrics()
    metrics.update({'truth': targets['truth'][None]}, outputs)
    assert metrics.result()['ap50_95'] == pytest.approx(1)
    assert task.part_names(outputs) == ('quality', 'overlap', 'distribution')
    drawn = task.picture(inputs, targets, {name: a[0] for name, a in outputs.items()})
    np.testing.assert_array_equal(*np.hsplit(drawn, 2))
    losses = task.losses({name: a[None] for name, a in targets.items()}, outputs)
    assert float(losses['overlap']) < 0.01


def test_a_loss_for_another_network():
    with pytest.raises(ConfigError, match='gives heatmap: choose another'):
        _cells_task().part_names(('heatmap',))


def test_rare_classes_weigh_more():
    weights = balanced_weights(np.array([0.9, 0.09, 0.01]))
    assert weights[0] < weights[1] < weights[2]
    assert np.mean(weights) == pytest.approx(1)


@pytest.mark.parametrize(
    ('make', 'options'),
    [
        (lambda **o: DepthObjective(_spec('depth'), 'silog', **o), {'scale': 20.0}),
        (lambda **o: DenoiseObjective(_spec('denoise'), 'berhu', **o), {'share': 0.9}),
        (lambda **o: DenoiseObjective(_spec('denoise'), 'denoise', **o), {'edge_weight': 9.0}),
        (lambda **o: SegmentationObjective(_spec('s', ('a', 'b')), 'focal', **o), {'gamma': 0.0}),
    ],
)
def test_options_of_the_loss_reach_it(make, options):
    plain, changed = make(), make(loss_options=options)
    _, sample, outputs = _segmentation() if plain.spec.task == 's' else _denoise()
    sample = dataclasses.replace(sample, image=_IMAGE)
    steps = np.where(np.arange(64) > 30, 0.7, 1.1).astype(np.float32)[:, None]
    wrong = {n: keras.ops.convert_to_tensor(a * steps) for n, a in outputs.items()}
    sample = dataclasses.replace(
        sample, depth_m=np.where(np.arange(64) > 30, _DEPTH, 2 * _DEPTH).astype(np.float32)
    )
    _, targets = (stack([arrays]) for arrays in plain.arrays(sample))
    values = [float(sum(task.losses(targets, wrong).values())) for task in (plain, changed)]
    assert values[0] != pytest.approx(values[1], rel=1e-3)


def test_networks_that_take_depth_get_it_with_the_image():
    spec = dataclasses.replace(_spec('segmentation', ('a', 'b')), network='mobile-seg')
    task = SegmentationObjective(spec, 'cross_entropy', counted=('b',))
    shape = (4, 6)
    sample = Sample('s', image=np.zeros((*shape, 3), np.uint8), labels=np.zeros(shape, np.uint8))
    measured = np.full(shape, np.nan, np.float32)
    measured[0] = 2.0
    marked = {UNLISTED: np.ones(shape, np.uint8)}
    cases = (sample, dataclasses.replace(sample, raw_depth_m=measured, extra=marked))
    for case, total_m, unlisted in zip(cases, (0.0, 12.0), (0, 24), strict=True):
        inputs, targets = task.arrays(case)
        assert inputs['measured_m'].shape == (*shape, 1)
        assert inputs['measured_m'].sum() == total_m
        assert targets[UNLISTED].sum() == unlisted


def test_scores_smaller_than_the_labels():
    """Losses and metrics compare each score with the pixel at its place."""
    spec = dataclasses.replace(_spec('segmentation', ('a', 'b')), network='mobile-seg')
    task = SegmentationObjective(spec, 'cross_entropy', counted=('b',), unlisted_weight=0.5)
    labels = np.zeros((1, 4, 8), np.int32)
    labels[:, :, 4:] = 1
    logits = np.stack([10.0 * (1 - labels), 10.0 * labels], axis=-1)[:, ::2, ::2]
    targets = {'labels': labels, UNLISTED: 1 - labels}
    losses = task.losses(targets, {'logits': logits.astype(np.float32)})
    assert set(losses) == set(task.part_names(['logits'])) == {'logits', UNLISTED}
    assert all(float(value) < 1e-3 for value in losses.values())
    metrics = task.metrics()
    metrics.update(targets, {'logits': logits})
    assert metrics.result()['miou'] == 1.0
