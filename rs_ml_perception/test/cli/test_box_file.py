"""Boxes from a file in place of a detector's."""

import json

import numpy as np
import pytest
from rs_ml_perception.cli.box_file import BoxFile
from rs_ml_perception.core.errors import ConfigError, InputError

SIZE = (48, 36)


def entry(box, label='person', score=0.5):
    return {'label': label, 'score': score, 'box': box, 'height_m': None}


def opened(tmp_path, detections, **options):
    path = tmp_path / 'results.jsonl'
    path.write_text(json.dumps({'image': 'a.png', 'detections': detections}) + '\n')
    return BoxFile(path, ('person',), **options)


@pytest.mark.parametrize(
    ('detections', 'boxes', 'scores'),
    [
        ([], [], []),
        ([entry([1, 2, 30, 31.5])], [[1, 2, 30, 31.5]], [0.5]),
        ([entry([-3, -2, 99, 77])], [[0, 0, 48, 36]], [0.5]),
        ([entry([50, 2, 60, 31])], [], []),
        ([entry([1, 2, 30, 31], 'chair')], [], []),
        ([entry([1, 2, 30, 31], score=0.2)], [], []),
        ([entry([1, 2, 3, 4], score=0.4), entry([5, 6, 7, 8])],
         [[5, 6, 7, 8], [1, 2, 3, 4]], [0.5, 0.4]),
    ],
)  # fmt: skip
def test_boxes(detections, boxes, scores, tmp_path):
    file = opened(tmp_path, detections, least_score=0.3)
    found = file.detections('a.png', *SIZE)
    np.testing.assert_allclose(found.xyxy, np.reshape(boxes, (-1, 4)))
    np.testing.assert_allclose(found.scores, scores)
    assert [file.labels.name(i) for i in found.class_ids] == ['person'] * len(boxes)


def test_a_picture_without_a_line_is_rejected(tmp_path):
    with pytest.raises(InputError, match=r'no boxes for b\.png'):
        opened(tmp_path, []).detections('b.png', *SIZE)


@pytest.mark.parametrize(
    'text',
    [
        '[',
        '{}',
        '{"image": "a", "detections": [{"label": "person"}]}',
        '{"image": "a", "detections": [{"label": "person", "score": 1, "box": [1, 2, 3]}]}',
    ],
)
def test_something_else(text, tmp_path):
    path = tmp_path / 'results.jsonl'
    path.write_text(text)
    with pytest.raises(ConfigError, match=r'results\.jsonl holds no boxes'):
        BoxFile(path, ('person',))


def test_no_file(tmp_path):
    with pytest.raises(ConfigError, match=r'none\.jsonl'):
        BoxFile(tmp_path / 'none.jsonl', ('person',))
