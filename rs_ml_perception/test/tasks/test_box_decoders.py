"""Raw tensors of detection heads."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError, ModelError
from rs_ml_perception.tasks.decoders.boxes import BOX_DECODERS
from rs_ml_perception.tasks.decoders.checks import check_outputs, fill_options

SIZE = (200, 100)


def decode(name, outputs, min_score=0.5, **options):
    decoder = BOX_DECODERS[name]
    filled = fill_options('m', decoder.options, options, decoder.words)
    return decoder.decode(outputs, SIZE, min_score, filled)


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


CELLS = 25 * 13 + 13 * 7 + 7 * 4 + 4 * 2
FIRST_OF_16 = 25 * 13


def gfl_outputs(rows, classes=3, bins=8):
    """Rows of (cell, class, score, left, top, right, bottom), distances in whole cells."""
    scores = np.full((1, CELLS, classes), -9, np.float32)
    distances = np.zeros((1, CELLS, 4, bins), np.float32)
    for cell, class_id, score, *edges in rows:
        scores[0, cell, class_id] = np.log(score / (1 - score))
        distances[0, cell, range(4), edges] = 50
    return {'scores': scores, 'distances': distances.reshape(1, CELLS, -1)}


GFL_ROWS = [
    ([], {}, [], []),
    ([(26, 1, 0.4, 1, 1, 1, 1)], {}, [], []),
    ([(26, 1, 0.9, 1, 0, 2, 3)], {}, [[0, 8, 24, 32]], [1]),
    ([(26, 1, 0.9, 1, 0, 2, 3)], {'cell_offset': 0.5}, [[4, 12, 28, 36]], [1]),
    ([(FIRST_OF_16 + 1, 2, 0.6, 1, 0, 1, 7)], {}, [[0, 0, 32, 112]], [2]),
    ([(26, 0, 0.6, 0, 0, 1, 1), (26, 2, 0.7, 0, 0, 1, 1)], {}, [[8, 8, 16, 16]], [2]),
]


@pytest.mark.parametrize(('rows', 'options', 'xyxy', 'class_ids'), GFL_ROWS)
def test_gfl(rows, options, xyxy, class_ids):
    raw = decode('gfl', gfl_outputs(rows), **options)
    np.testing.assert_allclose(raw.xyxy, np.array(xyxy).reshape(-1, 4), atol=1e-3)
    np.testing.assert_allclose(
        raw.scores, [max([row[2] for row in rows], default=0)] * len(xyxy), rtol=1e-5
    )
    assert raw.class_ids.tolist() == class_ids
    assert (raw.xyxy.dtype, raw.scores.dtype, raw.class_ids.dtype) == (
        np.float32,
        np.float32,
        np.int32,
    )


@pytest.mark.parametrize('transposed', [False, True])
@pytest.mark.parametrize(('rows', 'options', 'xyxy', 'class_ids'), GFL_ROWS)
def test_gfl_in_one_tensor(rows, options, xyxy, class_ids, transposed):
    head = np.concatenate(list(gfl_outputs(rows).values()), axis=2)
    raw = decode('gfl_head', {'head': head.transpose(0, 2, 1) if transposed else head}, **options)
    np.testing.assert_allclose(raw.xyxy, np.array(xyxy).reshape(-1, 4), atol=1e-3)
    assert raw.class_ids.tolist() == class_ids


@pytest.mark.parametrize(
    ('name', 'outputs', 'options', 'said'),
    [
        ('gfl', gfl_outputs([]), {'strides': [8, 16]}, r'200x100 have 416 cells'),
        ('gfl_head', {'head': np.zeros((1, CELLS, 32))}, {}, 'too few for a class'),
    ],
)
def test_a_head_that_does_not_fit_its_options_is_refused(name, outputs, options, said):
    with pytest.raises(ModelError, match=said):
        decode(name, outputs, **options)


@pytest.mark.parametrize(('score', 'count'), [(0.0, CELLS), (1.0, 0)])
def test_thresholds_at_the_ends(score, count):
    assert len(decode('gfl', gfl_outputs([]), min_score=score).scores) == count


def test_centernet():
    heat = np.zeros((1, 10, 20, 2), np.float32)
    heat[0, 3, 5, 1], heat[0, 3, 6, 1], heat[0, 8, 19, 0], heat[0, 0, 0, 0] = 0.9, 0.8, 0.6, 0.4
    size = np.full((1, 10, 20, 2), (30, 40), np.float32)
    offset = np.full((1, 10, 20, 2), (0.5, 0.25), np.float32)
    raw = decode('centernet', {'heatmap': heat, 'size': size, 'offset': offset})
    np.testing.assert_allclose(raw.xyxy, [[40, 12.5, 70, 52.5], [180, 62.5, 210, 102.5]])
    np.testing.assert_allclose(raw.scores, [0.9, 0.6])
    assert raw.class_ids.tolist() == [1, 0]


def test_missing_outputs_are_named():
    with pytest.raises(ModelError, match=r"lacks \['scores'\]"):
        check_outputs('m', ('boxes', 'scores'), {'boxes': 'b'})
    with pytest.raises(ModelError, match=r"\['unit'\] unknown, known are \['box_unit'\]"):
        fill_options('m', {'box_unit': 'fraction'}, {'unit': 1})


@pytest.mark.parametrize(
    ('default', 'value', 'is_refused'),
    [
        ((8, 16), [8], False),
        ((8, 16), [], True),
        ((8, 16), [8, 0], True),
        ((8, 16), 8, True),
        (0.0, 1, False),
        (0.0, True, True),
        (8, 2.5, True),
        ('fraction', 1, True),
        (False, 1, True),
        (False, True, False),
    ],
)
def test_options_of_another_kind_are_refused(default, value, is_refused):
    if not is_refused:
        assert fill_options('m', {'option': default}, {'option': value}) == {'option': value}
        return
    with pytest.raises(ModelError, match='m: decoder_options option must be something like'):
        fill_options('m', {'option': default}, {'option': value})


BOX = [40, 10, 80, 50]
"""Of class 1 of three, centre (60, 30), size (40, 40)."""


LOW, HIGH = -9.0, np.log(9.0)  # logits of 0.0001 and 0.9
CENTRE, FRACTIONS = [60, 30, 40, 40], [0.3, 0.3, 0.2, 0.4]
NONE, ONE = [0, 0, 0], [0, 0.9, 0]
LOGITS = [LOW, HIGH, LOW]
CELL_60_30 = 3 * 25 + 7  # of stride 8: its corner is (56, 24)
YOLO_CELLS = 25 * 13 + 13 * 7 + 7 * 4


def table(*rows):
    return np.array([rows], np.float32)


def cells(row, columns, count=YOLO_CELLS, at=CELL_60_30):
    array = np.zeros((1, count, columns), np.float32)
    array[0, at] = row
    return array


def edge_bins(*edges, bins=8):
    distances = np.zeros((4, bins), np.float32)
    distances[range(4), edges] = 50
    return distances.ravel()


FIRST = {'background': 'first'}

PRESETS = [
    ('yolov8', {'head': table(CENTRE + ONE, CENTRE + NONE)}, {}),
    ('yolov8', {'head': table(CENTRE + ONE + [7] * 32)}, {'extra_columns': 32}),
    ('yolo_head', {'head': table(FRACTIONS + ONE)}, {}),
    ('yolov5', {'head': table([*CENTRE, 0.9, 0, 1, 0], [*CENTRE, 0.4, 0, 1, 0])}, {}),
    ('yolov5', {'head': table([*CENTRE, HIGH, *LOGITS])}, {'activation': 'sigmoid'}),
    ('yolox', {'head': cells([0.5, 0.75, np.log(5), np.log(5), 1, 0, 0.9, 0], 8)}, {}),
    ('detr', {'scores': table([0, 9, 0, 0]), 'boxes': table(FRACTIONS)}, {}),
    ('detr', {'scores': table([0, 0, 9, 0]), 'boxes': table(FRACTIONS)}, FIRST),
    ('rt_detr', {'scores': table(LOGITS), 'boxes': table(FRACTIONS)}, {}),
    ('box_list', {'boxes': table(BOX)[0], 'scores': ONE[1:2], 'classes': [1]}, {}),
    ('box_list', {'boxes': table(BOX), 'scores': table(0.9), 'classes': table(1)}, {}),
    ('efficient_nms', {'boxes': table(BOX, BOX), 'scores': table(0.9, 0.9),
                       'classes': table(1, 1), 'count': table(1)}, {}),
    ('end_to_end', {'detections': table([*BOX, 0.9, 1], [0, 0, 0, 0, 0, 0])}, {}),
    ('yolov7_end_to_end', {'detections': table([0, *BOX, 1, 0.9])[0]}, {}),
    ('picodet', {
        **{f'scores_{s}': np.zeros((1, n, 3)) for s, n in ((16, 91), (32, 28), (64, 8))},
        **{f'distances_{s}': np.zeros((1, n, 32)) for s, n in ((16, 91), (32, 28), (64, 8))},
        'scores_8': cells(ONE, 3, 325), 'distances_8': cells(edge_bins(2, 2, 3, 3), 32, 325),
    }, {'cell_offset': 0.0}),
]  # fmt: skip


@pytest.mark.parametrize('is_transposed', [False, True])
@pytest.mark.parametrize(('name', 'outputs', 'options'), PRESETS)
def test_presets(name, outputs, options, is_transposed):
    outputs = {key: np.asarray(value, np.float32) for key, value in outputs.items()}
    decoder = BOX_DECODERS[name]
    if 'classes' in decoder.options:
        options = {'classes': 4 if options.get('background') == 'first' else 3} | options
        if is_transposed:
            outputs = {
                key: value if key == 'boxes' else value.transpose(0, 2, 1)
                for key, value in outputs.items()
            }
    raw = decode(name, outputs, **options)
    expected = [[40, 8, 80, 48]] if name == 'picodet' else [BOX]
    np.testing.assert_allclose(raw.xyxy, expected, atol=1e-3)
    np.testing.assert_allclose(raw.scores, 0.9, atol=0.1)
    assert raw.class_ids.tolist() == [2 if options.get('background') == 'first' else 1]


def test_maps_of_a_stride_are_read_row_by_row():
    """As exports for accelerators have them: (1, C, h, w) for every stride."""
    outputs = {'scores_8': np.zeros((1, 3, 13, 25)), 'distances_8': np.zeros((1, 64, 13, 25))}
    outputs['scores_8'][0, :, 3, 7] = ONE
    outputs['distances_8'][0, :, 3, 7] = edge_bins(2, 2, 3, 3, bins=16)
    options = {'strides': [8], 'bins': 16, 'cell_offset': 0.0, 'classes': 3}
    raw = decode('picodet', outputs, **options)
    np.testing.assert_allclose(raw.xyxy, [[40, 8, 80, 48]], atol=1e-3)
    assert raw.class_ids.tolist() == [1]


@pytest.mark.parametrize(
    ('name', 'outputs', 'options', 'said'),
    [
        ('yolov8', {'head': np.zeros((1, 9, 7))}, {'classes': 80}, '84 columns.*3 classes would'),
        ('yolox', {'head': np.zeros((1, 50, 8))}, {'classes': 3}, '200x100 have 444 cells'),
        ('yolov5', {'head': np.zeros((1, 9, 5))}, {}, 'too few for a class'),
        ('end_to_end', {'detections': np.zeros((1, 3, 7))}, {}, 'rows have 7 numbers'),
        ('box_list', {'boxes': np.zeros((3, 4)), 'scores': np.zeros(2), 'classes': np.zeros(3)},
         {}, 'four numbers, one and one a box'),
        ('detr', {'boxes': np.zeros((1, 3, 4)), 'scores': np.zeros((1, 2, 5))}, {}, 'each row'),
        ('yolov8', {'head': np.zeros((1, 9, 7))}, {'activation': 'relu'}, "one of .*'softmax'"),
        ('end_to_end', {'detections': np.zeros((1, 3, 1))}, {'columns': ['x']}, 'one of .*x_min'),
        ('yolov8', {'head': np.zeros((1, 9, 7))}, {'box_form': 'edges'}, 'need strides'),
    ],
)  # fmt: skip
def test_outputs_that_do_not_fit_their_options_are_refused(name, outputs, options, said):
    with pytest.raises(ModelError, match=said):
        decode(name, outputs, **options)


@pytest.mark.parametrize(
    ('name', 'outputs'),
    [
        ('yolov8', {'head': table(CENTRE + ONE, [*CENTRE, 0, np.nan, 0])}),
        ('tf_detection', tf_outputs([ROW, (0, 0, 1, 1, np.nan, 1)], padding=0)),
        ('end_to_end', {'detections': table([*BOX, 0.9, 1], [*BOX, np.nan, 1])}),
    ],
)
def test_scores_that_are_no_numbers_reject_the_frame(name, outputs):
    options = {'classes': 3} if name == 'yolov8' else {}
    with pytest.raises(InputError, match='1 of 2 scores of the network are NaN'):
        decode(name, outputs, **options)
