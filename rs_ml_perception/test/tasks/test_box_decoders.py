"""Raw tensors of detection heads."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.tasks.decoders.boxes import BOX_DECODERS, check_outputs, fill_options

SIZE = (200, 100)


def decode(name, outputs, min_score=0.5, **options):
    decoder = BOX_DECODERS[name]
    return decoder.decode(outputs, SIZE, min_score, fill_options('m', decoder.options, options))


def tf_outputs(rows, padding=3):
    """Rows of (y_min, x_min, y_max, x_max, score, class), then zeros."""
    array = np.zeros((1, len(rows) + padding, 6), np.float32)
    array[0, : len(rows)] = np.array(rows, np.float32).reshape(-1, 6)
    return {
        'boxes': array[:, :, :4],
        'scores': array[:, :, 4],
        'classes': array[:, :, 5],
        'count': np.array([len(rows)], np.float32),
    }


def yolo_head(rows, count=20, classes=3):
    """Rows of (cx, cy, w, h, class, score)."""
    head = np.zeros((1, 4 + classes, count), np.float32)
    for i, (cx, cy, w, h, class_id, score) in enumerate(rows):
        head[0, :4, i] = cx, cy, w, h
        head[0, 4 + class_id, i] = score
    return {'head': head}


ROW = (0.1, 0.2, 0.5, 0.4, 0.9, 1)
WEAK = (0.1, 0.2, 0.5, 0.4, 0.3, 2)


@pytest.mark.parametrize('name', ['tf_detection', 'tflite_postprocess'])
@pytest.mark.parametrize(
    ('rows', 'xyxy', 'class_ids'),
    [
        ([], [], []),
        ([WEAK], [], []),
        ([ROW, WEAK], [[40, 10, 80, 50]], [1]),
        ([WEAK, ROW], [[40, 10, 80, 50]], [1]),
    ],
)
def test_tf_detection(name, rows, xyxy, class_ids):
    raw = decode(name, tf_outputs(rows))
    np.testing.assert_allclose(raw.xyxy, np.array(xyxy).reshape(-1, 4), rtol=1e-6)
    assert raw.class_ids.tolist() == class_ids


def test_rows_beyond_the_count_are_padding():
    outputs = tf_outputs([ROW, ROW])
    outputs['count'][:] = 1
    assert len(decode('tf_detection', outputs).scores) == 1


@pytest.mark.parametrize(
    ('rows', 'xyxy', 'class_ids'),
    [
        (np.zeros((0, 7)), [], []),
        ([[0, 1, 0.2, 0, 0, 1, 1]], [], []),
        ([[0, 1, 0.8, 0.1, 0.2, 0.3, 0.4]], [[20, 20, 60, 40]], [1]),
        ([[-1, 1, 0.8, 0.1, 0.2, 0.3, 0.4]], [], []),
    ],
)
def test_ssd_rows(rows, xyxy, class_ids):
    raw = decode('ssd_rows', {'rows': np.array(rows, np.float32).reshape(1, 1, -1, 7)})
    np.testing.assert_allclose(raw.xyxy, np.array(xyxy).reshape(-1, 4), rtol=1e-6)
    assert raw.class_ids.tolist() == class_ids


@pytest.mark.parametrize('transposed', [False, True])
@pytest.mark.parametrize(
    ('rows', 'unit', 'xyxy', 'class_ids'),
    [
        ([], 'fraction', [], []),
        ([(0.5, 0.5, 0.2, 0.4, 2, 0.4)], 'fraction', [], []),
        ([(0.5, 0.5, 0.2, 0.4, 2, 0.9)], 'fraction', [[80, 30, 120, 70]], [2]),
        ([(100, 50, 40, 40, 1, 0.9)], 'pixel', [[80, 30, 120, 70]], [1]),
    ],
)
def test_yolo_head(rows, unit, xyxy, class_ids, transposed):
    outputs = yolo_head(rows)
    if transposed:
        outputs['head'] = outputs['head'].transpose(0, 2, 1)
    raw = decode('yolo_head', outputs, box_unit=unit)
    np.testing.assert_allclose(raw.xyxy, np.array(xyxy).reshape(-1, 4), rtol=1e-5)
    assert raw.class_ids.tolist() == class_ids
    assert (raw.xyxy.dtype, raw.scores.dtype, raw.class_ids.dtype) == (
        np.float32,
        np.float32,
        np.int32,
    )


def test_what_the_manifest_lacks_is_named():
    with pytest.raises(ModelError, match=r"lacks \['scores'\]"):
        check_outputs('m', ('boxes', 'scores'), {'boxes': 'b'})
    with pytest.raises(ModelError, match=r"\['unit'\] unknown, known are \['box_unit'\]"):
        fill_options('m', {'box_unit': 'fraction'}, {'unit': 1})
