"""The loss of a detector of cells, and which cells learn which object."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.objects.boxes import cell_centres

keras = pytest.importorskip('keras')

from rs_ml_training.losses.assignment import MOST_OBJECTS, Cells, assigned  # noqa: E402
from rs_ml_training.losses.generalized_focal import (  # noqa: E402
    TERMS,
    boxes_of,
    generalized_focal,
    generalized_iou,
)

SIZE, BINS, CLASSES = (64, 32), 8, 3
CELLS = Cells(*cell_centres(SIZE, (8, 16)))
COUNT = len(CELLS.strides)


def truth_of(*rows) -> np.ndarray:
    table = np.full((1, max(len(rows), 2), 6), -1, np.float32)
    for i, row in enumerate(rows):
        table[0, i] = row
    return table


def boxes_everywhere(xyxy) -> np.ndarray:
    return np.tile(np.array(xyxy, np.float32), (1, COUNT, 1))


def numpy_of(assignment) -> dict[str, np.ndarray]:
    return {n: keras.ops.convert_to_numpy(v) for n, v in vars(assignment).items()}


def found_for(truth, xyxy=(0, 0, 0, 0), logits=None) -> dict[str, np.ndarray]:
    logits = np.full((1, COUNT, CLASSES), -4, np.float32) if logits is None else logits
    return numpy_of(assigned(truth, logits, boxes_everywhere(xyxy), CELLS))


PERSON = (5, 3, 60, 30, 1, 0)


def test_nobody_there():
    found = found_for(truth_of())
    assert not any(found[n].any() for n in ('is_object', 'quality', 'classes', 'ignored'))


def test_as_many_cells_as_fit():
    """Perfect boxes take the most, useless ones a single cell; all of them lie in the object."""
    for xyxy, count in (((5, 3, 60, 30), 13), ((0, 0, 1, 1), 1)):
        found = found_for(truth_of(PERSON), xyxy)
        mine = found['is_object'][0] > 0
        assert mine.sum() == count
        x, y = CELLS.centres[mine].T
        assert ((x > 5) & (x < 60) & (y > 3) & (y < 30)).all()
        np.testing.assert_array_equal(found['boxes'][0][mine], [PERSON[:4]] * count)
        np.testing.assert_array_equal(found['classes'][0][mine], [[0, 1, 0]] * count)
        assert found['quality'][0][~mine].max(initial=0) == 0


def test_an_object_between_the_cells_has_one():
    found = found_for(truth_of((1, 1, 6, 6, 0, 0)))
    assert found['is_object'].sum() == 1


def test_a_cell_is_that_of_one_object():
    both = truth_of(PERSON, (5, 3, 60, 30, 2, 0))
    logits = np.full((1, COUNT, CLASSES), -4, np.float32)
    logits[..., 2] = 3
    found = found_for(both, (5, 3, 60, 30), logits)
    assert found['classes'].sum(-1).max() == 1
    assert found['classes'][..., 2].sum() > 0


def test_a_crowd_is_neither_wanted_nor_wrong():
    found = found_for(truth_of((0, 0, 64, 32, 1, 1), PERSON))
    assert found['ignored'][..., 1].sum() > 10
    assert not found['ignored'][..., [0, 2]].any()
    assert not (found['ignored'] * found['classes']).any()


def test_objects_beyond_the_most_are_ignored():
    rows = [
        (8 * (i % 8), 8 * (i // 8 % 4), 8 * (i % 8) + 8, 8 * (i // 8 % 4) + 8, 0, 0)
        for i in range(MOST_OBJECTS)
    ]
    found = found_for(truth_of(*rows, (0, 0, 64, 32, 2, 0)))
    assert found['classes'][..., 2].sum() == 0
    assert found['ignored'][..., 2].sum() > 10


def perfect(truth, quality_logit=9.0) -> dict[str, np.ndarray]:
    """What a network says that knows everything, as far as bins reach."""
    logits = np.full((1, COUNT, CLASSES), -9, np.float32)
    distances = np.zeros((1, COUNT, 4, BINS), np.float32)
    for x0, y0, x1, y1, class_id, _ in truth[0][truth[0, :, 4] >= 0]:
        x, y = CELLS.centres.T
        inside = (x > x0) & (x < x1) & (y > y0) & (y < y1)
        reach = (
            np.stack([x - x0, y - y0, x1 - x, y1 - y], -1)[inside] / CELLS.strides[inside, None]
        )
        share = np.maximum(1 - np.abs(reach[..., None] - np.arange(BINS)), 1e-6)
        distances[0, inside] = np.log(share)
        logits[0, inside, int(class_id)] = quality_logit
    return {'scores': logits, 'distances': distances.reshape(1, COUNT, 4 * BINS)}


def terms_of(truth, outputs, marked=(1, 1, 1), **more) -> dict[str, float]:
    targets = {'truth': truth, 'marked': np.array([marked], np.float32), **more}
    terms = generalized_focal(targets, outputs, cells=CELLS)
    assert tuple(terms) == TERMS
    return {name: float(value) for name, value in terms.items()}


def test_a_perfect_prediction_has_almost_no_loss():
    truth = truth_of(PERSON)
    outputs = perfect(truth)
    boxes = keras.ops.convert_to_numpy(
        boxes_of(outputs['distances'].reshape(1, COUNT, 4, BINS), CELLS)
    )
    mine = outputs['scores'][0, :, 1] > 0
    np.testing.assert_allclose(boxes[0][mine], [PERSON[:4]] * mine.sum(), atol=0.02)
    good = terms_of(truth, outputs)
    assert good['overlap'] < 0.01
    outputs['distances'] = np.roll(outputs['distances'], 3, axis=-1)
    bad = terms_of(truth, outputs)
    assert bad['overlap'] > 0.5
    assert bad['distribution'] > good['distribution']


def test_unannotated_classes_are_not_learned():
    outputs = perfect(truth_of(PERSON))
    empty = truth_of()
    assert terms_of(empty, outputs)['quality'] > 1
    assert terms_of(empty, outputs, marked=(1, 0, 1))['quality'] < 0.01


def test_a_teacher_says_the_rest():
    outputs = perfect(truth_of(PERSON))
    sigmoid = 1 / (1 + np.exp(-outputs['scores']))
    share = np.zeros(1, np.float32)
    rest = {'marked': (1, 0, 1), 'taught_share': share}
    assert terms_of(truth_of(), outputs, taught=sigmoid, **rest)['quality'] == pytest.approx(
        0, abs=1e-6
    )
    assert terms_of(truth_of(), outputs, taught=0 * sigmoid, **rest)['quality'] > 1
    both = terms_of(truth_of(), outputs, taught=sigmoid, taught_share=share + 1)
    assert both['quality'] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize('rows', [(), (PERSON,), (PERSON, (0, 0, 64, 32, 0, 1))])
def test_gradients_are_finite(value_and_gradient, rows):
    rng = np.random.default_rng(0)
    outputs = {
        'scores': rng.normal(-3, 2, (1, COUNT, CLASSES)).astype(np.float32),
        'distances': rng.normal(0, 9, (1, COUNT, 4 * BINS)).astype(np.float32),
    }
    targets = {'truth': truth_of(*rows), 'marked': np.ones((1, CLASSES), np.float32)}
    for name in outputs:

        def total(x, name=name):
            return sum(generalized_focal(targets, outputs | {name: x}, cells=CELLS).values())

        value, slope = value_and_gradient(total, outputs[name])
        assert np.isfinite(value)
        assert np.isfinite(slope).all()
        assert (slope != 0).any() == bool(rows or name == 'scores')


@pytest.mark.parametrize(
    ('a', 'b', 'expected'),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1),
        ((0, 0, 2, 2), (1, 0, 3, 2), 1 / 3),
        ((0, 0, 1, 1), (3, 0, 4, 1), -0.5),
    ],
)
def test_generalized_iou(a, b, expected):
    pair = (np.array(v, np.float32) for v in (a, b))
    assert float(generalized_iou(*pair)) == pytest.approx(expected, abs=1e-5)
