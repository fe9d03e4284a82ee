"""The 14 classes of rooms, and what becomes one of them."""

from __future__ import annotations

import pytest
from rs_ml_training.data import indoor_classes
from rs_ml_training.data.classes import class_mapping
from rs_ml_training.data.nyu import LABELS

NAMES = 'bed books ceiling chair floor furniture objects picture sofa table tv wall window person'


def test_names_in_their_order():
    assert ' '.join(indoor_classes.INDOOR_LABELS) == NAMES
    assert len(set(indoor_classes.INDOOR_COLORS)) == 14


@pytest.mark.parametrize('name', indoor_classes.CLASS_TABLES)
def test_every_table_has_them_all(name):
    assert tuple(indoor_classes.CLASS_TABLES[name]) == indoor_classes.INDOOR_LABELS


def test_every_class_of_nyu_becomes_one():
    mapping = class_mapping(LABELS, 'indoor', ignored=[39])
    assert (mapping.ids[: len(LABELS)] >= 0).all()
    assert (mapping.ids[len(LABELS) :] < 0).all()


@pytest.mark.parametrize(
    ('old', 'new'),
    [
        ('blinds', 'window'),
        ('desk', 'table'),
        ('door', 'wall'),
        ('floor mat', 'floor'),
        ('mirror', 'objects'),
        ('night stand', 'furniture'),
        ('person', 'person'),
        ('television', 'tv'),
    ],
)
def test_the_published_table(old, new):
    """As in class13Mapping of SceneNet's NYU tools, but for people."""
    mapping = class_mapping(LABELS, 'indoor')
    assert mapping.labels[mapping.ids[LABELS.index(old)]] == new
