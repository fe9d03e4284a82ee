"""Names and colours of classes."""

import subprocess
import sys

import numpy as np
import pytest
from rs_ml_perception.core.objects.labels import UNLABELLED, LabelMap, class_color, palette

COCO = LabelMap({1: 'person', 2: 'bicycle', 90: 'toothbrush'})


@pytest.mark.parametrize(
    ('labels', 'class_id', 'expected'),
    [
        (LabelMap({}), 0, ''),
        (COCO, 1, 'person'),
        (COCO, np.int32(90), 'toothbrush'),
        (COCO, 3, ''),
        (COCO, -1, ''),
    ],
)
def test_name(labels, class_id, expected):
    assert labels.name(class_id) == expected


@pytest.mark.parametrize(
    ('wanted', 'expected'), [([], set()), (['person'], {1}), (['toothbrush', 'person'], {1, 90})]
)
def test_ids_of(wanted, expected):
    assert COCO.ids_of(wanted) == expected


def test_ids_of_an_unknown_name():
    with pytest.raises(KeyError, match='zebra'):
        COCO.ids_of(['person', 'zebra'])


def test_palette_holds_the_colour_of_each_class():
    colors = palette()
    assert colors.shape == (256, 3)
    assert colors.dtype == np.uint8
    for class_id in range(256):
        assert tuple(colors[class_id]) == class_color(class_id)
    assert not colors[UNLABELLED].any()
    assert colors[:UNLABELLED].any(axis=1).all()


def test_neighbouring_classes_differ():
    colors = palette()[:40].astype(int)
    differences = np.abs(colors[:, None] - colors).sum(axis=2)
    near = [differences[i, i + d] for d in (1, 2, 3, 4) for i in range(40 - d)]
    assert min(near) >= 60
    assert len({tuple(c) for c in colors}) == 40


def test_colours_are_the_same_in_every_process():
    code = (
        'from rs_ml_perception.core.objects.labels import palette\n'
        'print(palette().tobytes().hex())'
    )
    printed = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == palette().tobytes().hex()


# Recordings and dashboards rely on them: changing one is a breaking change.
@pytest.mark.parametrize(
    ('class_id', 'expected'),
    [(0, (255, 181, 38)), (1, (118, 38, 255)), (15, (31, 204, 80)), (254, (255, 156, 38))],
)
def test_colours_are_fixed(class_id, expected):
    color = class_color(class_id)
    assert all(0 <= channel <= 255 for channel in color)
    assert color == expected
