"""Outlines of boxed objects: drawn, traced, assigned, and read from both layouts."""

import json

import cv2
import numpy as np
import pytest
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.polygons import OBJECTS, assigned, painted, traced

SQUARE = np.float32([[10, 10], [29, 10], [29, 29], [10, 29]])
SMALL = np.float32([[14, 14], [19, 14], [19, 19], [14, 19]])


@pytest.mark.parametrize(
    ('outlines', 'inside'),
    [
        ([], {}),
        ([[]], {}),
        ([[SQUARE]], {1: (25, 25)}),
        ([[SMALL], [SQUARE]], {1: (16, 16), 2: (25, 25)}),
        ([[SQUARE], [SMALL]], {1: (25, 25), 2: (16, 16)}),
        ([[], [SMALL, SMALL + 20]], {2: (36, 36)}),
    ],
)
def test_small_objects_lie_on_large_ones(outlines, inside):
    drawn = painted(outlines, (50, 40))
    assert (drawn.shape, drawn.dtype) == ((40, 50), np.uint8)
    assert set(np.unique(drawn)) == {0, *inside}
    for value, (x, y) in inside.items():
        assert drawn[y, x] == value


def test_a_drawn_outline_ends_where_its_box_does():
    edges = np.float32([[10, 10], [30, 10], [30, 30], [10, 30]])
    rows, columns = np.nonzero(painted([[edges]], (50, 40)))
    ends = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    assert np.abs(np.subtract(ends, (10, 30, 10, 30))).max() <= 1
    assert (rows.mean() + 0.5, columns.mean() + 0.5) == pytest.approx((20, 20), abs=0.51)


def test_traced_outline_draws_the_same():
    drawn = painted([[], [SQUARE]], (50, 40))
    assert traced(drawn, 0) == []
    np.testing.assert_array_equal(painted([[], traced(drawn, 1)], (50, 40)), drawn)


@pytest.mark.parametrize(
    ('boxes', 'counts'),
    [
        ([], []),
        ([[10, 10, 30, 30]], [1]),
        ([[40, 10, 60, 30]], [0]),
        ([[10, 10, 30, 60], [9, 10, 30, 30]], [0, 1]),
    ],
)
def test_a_polygon_belongs_to_the_box_that_it_fits(boxes, counts):
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    assert [len(polygons) for polygons in assigned([SQUARE], xyxy)] == counts


@pytest.fixture
def pictures(tmp_path):
    """One picture with two boxes, the second outlined, as YOLO and as COCO have it."""
    image = np.zeros((40, 50, 3), np.uint8)
    for folder in ('images', 'boxes', 'instances', 'annotations'):
        (tmp_path / folder).mkdir()
    assert cv2.imwrite(str(tmp_path / 'images' / '1.png'), image)
    (tmp_path / 'classes.yaml').write_text('names: {0: cat, 1: dog}')
    (tmp_path / 'boxes' / '1.txt').write_text('0 0.9 0.9 0.1 0.1\n1 0.4 0.5 0.4 0.5\n')
    shares = ' '.join(f'{v:.5f}' for v in (SQUARE / [50, 40]).ravel())
    (tmp_path / 'instances' / '1.txt').write_text(f'17 {shares}\n')
    annotations = [
        {'image_id': 1, 'category_id': 1, 'bbox': [42, 34, 5, 4], 'segmentation': {'counts': 'x'}},
        {
            'image_id': 1,
            'category_id': 2,
            'bbox': [10, 10, 20, 20],
            'segmentation': [SQUARE.ravel().tolist()],
        },
    ]
    content = {
        'images': [{'id': 1, 'file_name': '1.png', 'width': 50, 'height': 40}],
        'annotations': annotations,
        'categories': [{'id': 1, 'name': 'cat'}, {'id': 2, 'name': 'dog'}],
    }
    (tmp_path / 'annotations' / 'instances_train2017.json').write_text(json.dumps(content))
    return tmp_path


@pytest.mark.parametrize('name', ['yolo', 'coco'])
@pytest.mark.parametrize(('classes', 'value'), [(None, 2), ({'dog': 'dog'}, 1)])
def test_readers_number_outlines_as_their_boxes(pictures, name, classes, value):
    sample = open_data(f'{name}:{pictures}', classes=classes).read(0)
    assert set(np.unique(sample.extra[OBJECTS])) == {0, value}
    assert sample.extra[OBJECTS][20, 20] == value
    np.testing.assert_allclose(sample.boxes.xyxy[value - 1], [10, 10, 30, 30], rtol=1e-5)
