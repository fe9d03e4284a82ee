"""Predictions in files, and the course of trainings."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.data.sample import Sample
from rs_ml_training.prediction.stored import (
    RawDepth,
    StoredBoxes,
    StoredDenoised,
    StoredDepth,
    StoredMasks,
)
from rs_ml_training.tasks.mono_depth import DepthEvaluation, DepthProtocol, protocol_of
from rs_ml_training.training.curves import draw, draw_all, read_history

SAMPLE = Sample('scene/7', image=np.zeros((4, 6, 3), np.uint8))
DEPTH_M = np.array([[0, 1.5, 2.0]], np.float32)


@pytest.mark.parametrize('name', ['scene_7_depth.png', 'scene_7.png', '7_depth.png', '7.png'])
@pytest.mark.parametrize(('encoding', 'scale'), [('mm', 1000), ('kitti', 256)])
def test_depth_is_found_by_the_name_of_the_sample(tmp_path, name, encoding, scale) -> None:
    cv2.imwrite(str(tmp_path / name), (DEPTH_M * scale).astype(np.uint16))
    (found,) = StoredDepth(tmp_path, encoding).batch([SAMPLE])
    np.testing.assert_allclose(found.depth_m, [[np.nan, 1.5, 2.0]])
    (denoised,) = StoredDenoised(tmp_path, encoding).batch([SAMPLE])
    np.testing.assert_allclose(denoised.depth_m, DEPTH_M)


def test_a_kitti_crop_is_put_back_into_the_picture(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / 'x.png'), np.full((352, 1216), 512, np.uint16))
    sample = Sample('x', image=np.zeros((375, 1242, 3), np.uint8))
    (found,) = StoredDepth(tmp_path, 'kitti', kb_crop=True).batch([sample])
    assert found.depth_m.shape == (375, 1242)
    assert np.isnan(found.depth_m[:23]).all()
    assert (found.depth_m[23:, 13 : 13 + 1216] == 2).all()


def test_masks(tmp_path) -> None:
    mask = np.array([[0, 1, 255]], np.uint8)
    cv2.imwrite(str(tmp_path / 'scene_7_mask.png'), mask)
    (found,) = StoredMasks(tmp_path).batch([SAMPLE])
    assert (found.mask == mask).all()


def test_boxes(tmp_path) -> None:
    found = [
        {'label': 'dog', 'score': 0.5, 'box': [1, 2, 3, 4]},
        {'label': 'cow', 'score': 0.9, 'box': [1, 2, 3, 4]},
    ]
    lines = [{'image': '7.jpg', 'detections': found}, {'image': '8.jpg', 'detections': []}]
    (tmp_path / 'results.jsonl').write_text('\n'.join(map(json.dumps, lines)))
    stored = StoredBoxes(tmp_path, ('cat', 'dog'))
    seven, eight = stored.batch([SAMPLE, Sample('8', image=SAMPLE.image)])
    assert seven.xyxy.tolist() == [[1, 2, 3, 4]]
    assert seven.class_ids.tolist() == [1]
    assert eight.xyxy.shape == (0, 4)
    with pytest.raises(InputError, match='no line for 9'):
        stored.batch([Sample('9', image=SAMPLE.image)])


BOX_SETS = [
    # images of the lines, sample asked for, line that is meant or the words of the error
    (['a/7', 'b/7'], 'b/7', 1),
    (['a/7.png', 'b/7.png'], '7', '2 lines for 7'),
    (['1305.10', '1305.25'], '1305.10', 0),
    (['1305.10.png', '1305.25.png'], '1305.25', 1),
    (['1305.10.png'], '1305.25', 'no line for 1305.25'),
    (['x/7.JPG'], 'scene/7', 0),
]


@pytest.mark.parametrize(('images', 'name', 'meant'), BOX_SETS)
def test_boxes_belong_to_one_picture(tmp_path, images, name, meant) -> None:
    lines = [
        {'image': image, 'detections': [{'label': 'dog', 'score': 1, 'box': [i, 0, i + 1, 1]}]}
        for i, image in enumerate(images)
    ]
    (tmp_path / 'results.jsonl').write_text('\n'.join(map(json.dumps, lines)))
    stored = StoredBoxes(tmp_path, ('dog',))
    sample = Sample(name, image=SAMPLE.image)
    if isinstance(meant, str):
        with pytest.raises(InputError, match=meant):
            stored.batch([sample])
    else:
        assert stored.batch([sample])[0].xyxy[0, 0] == meant


def test_raw_depth_is_a_prediction_too() -> None:
    (found,) = RawDepth().batch([Sample('x', raw_depth_m=DEPTH_M)])
    assert found.depth_m is DEPTH_M
    with pytest.raises(InputError, match='scene/7 has no measured depth'):
        RawDepth().batch([SAMPLE])


@pytest.mark.parametrize(
    ('make', 'words'),
    [
        (lambda root: StoredDepth(root / 'none'), 'none is no folder'),
        (lambda root: StoredDepth(root).batch([SAMPLE]), r'scene/7: scene_7_depth\.png or'),
        (lambda root: StoredBoxes(root / 'x', ()), 'x is no folder'),
        (lambda root: StoredBoxes(root, ()), r'results\.jsonl is missing'),
    ],
)
def test_missing_predictions_are_named(tmp_path, make, words) -> None:
    with pytest.raises(InputError, match=words):
        make(tmp_path)


@pytest.mark.parametrize(
    'line', ['{', '[]', '{"image": "a"}', '{"image": "a", "detections": [1]}']
)
def test_malformed_results(tmp_path, line) -> None:
    (tmp_path / 'results.jsonl').write_text(f'{{"image": "a", "detections": []}}\n{line}\n')
    with pytest.raises(InputError, match='line 2'):
        StoredBoxes(tmp_path, ('a',))


@pytest.mark.parametrize(
    ('values', 'expected'),
    [
        ({'data': 'folder:x'}, DepthProtocol(None, 10.0)),
        ({'data': 'nyu-labelled:x'}, DepthProtocol('nyu-eigen', 10.0)),
        ({'data': 'kitti-list:x'}, DepthProtocol('garg', 80.0, kb_crop=True)),
        (
            {'data': 'kitti-list:x', 'crop': 'eigen', 'max_depth': 50.0, 'kb_crop': False},
            DepthProtocol('eigen', 50.0),
        ),
        ({'data': 'nyu-h5:x', 'crop': 'none'}, DepthProtocol(None, 10.0)),
    ],
)
def test_rules_follow_the_data_by_default(values, expected) -> None:
    assert protocol_of(DepthEvaluation(**values)) == expected


HISTORY = 'epoch,lr,loss,val_d1\n1,0.1,3.0,\n2,0.1,2.0,0.5\n3,0.05,1.5,\n4,0.01,1.0,0.7\n'


@pytest.fixture
def history(tmp_path):
    path = tmp_path / 'run' / 'history.csv'
    path.parent.mkdir()
    path.write_text(HISTORY)
    return path


def test_history(history) -> None:
    columns = read_history(history)
    assert columns['loss'] == [3.0, 2.0, 1.5, 1.0]
    assert np.isnan(columns['val_d1'][::2]).all()
    assert columns['val_d1'][1::2] == [0.5, 0.7]
    history.write_text(HISTORY + '5\n')
    assert np.isnan(read_history(history)['loss'][-1])


def test_curves_are_drawn(history, tmp_path) -> None:
    pytest.importorskip('matplotlib')
    draw(history, tmp_path / 'one.png')
    assert cv2.imread(str(tmp_path / 'one.png')).std() > 5
    draw_all({'a': history, 'b': history}, tmp_path / 'two.svg')
    assert '<svg' in (tmp_path / 'two.svg').read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ['one.png', 'run', 'two.svg']
    draw_all({'a': history}, tmp_path / 'two.png', ['d1', 'lr'])
    heights = [cv2.imread(str(tmp_path / name)).shape[0] for name in ('one.png', 'two.png')]
    assert heights[1] <= heights[0]


@pytest.mark.parametrize('text', ['', 'epoch,loss\n', 'a,b\n1,2\n', 'epoch,loss\n1,x\n'])
def test_damaged_history_is_named(tmp_path, text) -> None:
    (tmp_path / 'history.csv').write_text(text)
    with pytest.raises(InputError, match=r'history\.csv'):
        read_history(tmp_path / 'history.csv')


def test_curves_of_nothing(history, tmp_path) -> None:
    pytest.importorskip('matplotlib')
    with pytest.raises(InputError, match='cannot be read'):
        draw(tmp_path / 'none.csv', tmp_path / 'a.png')
    with pytest.raises(ConfigError, match=r'a\.txt must end'):
        draw(history, tmp_path / 'a.txt')
    with pytest.raises(ConfigError, match="no column 'd4'; there are loss, lr, d1"):
        draw_all({'a': history}, tmp_path / 'a.png', ['d4'])
