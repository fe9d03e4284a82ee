"""Truth in the classes of a network."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_training.data.classes import class_table, with_classes
from rs_ml_training.data.sample import IGNORE, Boxes, Sample


@pytest.mark.parametrize(
    ('labels', 'data_labels', 'expected'),
    [
        (('a', 'b'), (), [0, 1, IGNORE]),
        (('a', 'b'), ('a', 'b'), [0, 1, IGNORE]),
        (('a', 'b'), ('b', 'c', 'a'), [1, IGNORE, 0]),
    ],
)
def test_classes_are_matched_by_name(labels, data_labels, expected) -> None:
    table = class_table(labels, data_labels)
    assert table[:3].tolist() == expected
    assert table[IGNORE] == IGNORE


@pytest.mark.parametrize(('labels', 'words'), [((), 'name their classes'), (('z',), 'in common')])
def test_classes_that_do_not_match(labels, words) -> None:
    with pytest.raises(ConfigError, match=words):
        class_table(labels, ('a', 'b') if labels else ())


def test_truth_takes_the_ids_of_the_network() -> None:
    table = class_table(('b', 'a'), ('a', 'b', 'c'))
    labels = np.array([[0, 1, 2, IGNORE]], np.uint8)
    boxes = Boxes.of([[0, 0, 1, 1], [1, 0, 2, 1], [2, 0, 3, 1]], [2, 1, 0], [False, True, False])
    found = with_classes(Sample('x', labels=labels, boxes=boxes), table)
    assert found.labels.tolist() == [[1, 0, IGNORE, IGNORE]]
    assert found.boxes.class_ids.tolist() == [0, 1]
    assert found.boxes.is_crowd.tolist() == [True, False]
    assert found.boxes.xyxy[:, 0].tolist() == [1, 2]


def test_without_truth_there_is_nothing_to_change() -> None:
    image = np.zeros((2, 3, 3), np.uint8)
    found = with_classes(Sample('x', image=image), class_table(('a',), ()))
    assert (found.labels, found.boxes) == (None, None)
    empty = Sample('x', image=image, boxes=Boxes.of([], []))
    assert len(with_classes(empty, class_table(('a',), ())).boxes) == 0
