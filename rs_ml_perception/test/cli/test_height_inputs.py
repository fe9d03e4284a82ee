"""Boxes, and readings of the accelerometer, from files."""

import json

import numpy as np
import pytest
from rs_ml_perception.cli.height_inputs import BoxFile, GravityFile
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.geometry.gravity import UpMethod


@pytest.mark.parametrize(
    ('readings', 'expected'),
    [
        ({}, None),
        ({'a': []}, None),
        ({'b': [[0, -9.8, 0]]}, None),
        ({'a': [[0, -9.8, 0]]}, [0, -1, 0]),
        ({'a': [[0, -8, -6], [0, -7.8, -5.8]]}, [0, -0.802, -0.598]),
        ({'a': [[0, -5, 0]]}, None),
        ({'a': [[0, -9.8, 0], [0, 9.8, 0]]}, None),
    ],
)
def test_up(readings, expected, tmp_path):
    path = tmp_path / 'accelerometer.json'
    path.write_text(json.dumps(readings))
    up = GravityFile(path).up('a')
    if expected is None:
        assert up is None
    else:
        np.testing.assert_allclose(up.vector, expected, atol=0.001)
        assert up.method is UpMethod.IMU


@pytest.mark.parametrize('text', ['', '[1]', '{"a": 3}', '{"a": [[1, 2]]}', '{"a": [["up"]]}'])
def test_no_readings(text, tmp_path):
    path = tmp_path / 'accelerometer.json'
    path.write_text(text)
    with pytest.raises(ConfigError, match=r'accelerometer\.json holds no accelerometer readings'):
        GravityFile(path)


def test_no_readings_file(tmp_path):
    with pytest.raises(ConfigError, match=r'none\.json'):
        GravityFile(tmp_path / 'none.json')


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
def test_no_boxes(text, tmp_path):
    path = tmp_path / 'results.jsonl'
    path.write_text(text)
    with pytest.raises(ConfigError, match=r'results\.jsonl holds no boxes'):
        BoxFile(path, ('person',))


def test_no_box_file(tmp_path):
    with pytest.raises(ConfigError, match=r'none\.jsonl'):
        BoxFile(tmp_path / 'none.jsonl', ('person',))
