"""Exported networks of every family become model directories that find the box in them."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.inference.golden import verify_golden
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.tasks.detection import Detector
from rs_ml_perception.tasks.new_model import NewModelOptions, plain_name, recognise, write_model

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

FRAME = Frame(rgb=np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
IMAGE = {'images': (1, 3, 64, 64)}
BOX = [16, 8, 48, 40]
"""Of class 1 of three, in 64x64 pixels: centre (32, 24), around the cell (4, 3) of stride 8."""
CENTRE = [32, 24, 32, 32]
FRACTIONS = [0.5, 0.375, 0.5, 0.5]
HIGH, LOW = 3.0, -9.0
AT = 3 * 8 + 4
CELLS, CELLS_64 = 64 + 16 + 4, 64 + 16 + 4 + 1


def rows(count, *first, at=0):
    """(1, count, columns), zeros but for one row."""
    array = np.zeros((1, count, len(first)), np.float32)
    array[0, at] = first
    return array


def decoded(*first):
    """Rows of decoded cells, which follow their cells."""
    array = rows(CELLS, *first, at=AT)
    steps = [(s, 64 // s) for s in (8, 16, 32)]
    array[0, :, 0] = np.concatenate([np.tile((np.arange(n) + 0.5) * s, n) for s, n in steps])
    array[0, AT] = first
    return array


def logits(array, columns):
    array[:, :, columns] = np.where(array[:, :, columns] > 0, HIGH, LOW)
    return array


def gfl(scores_first, *, bins):
    """Distances of 2, 2, 2, 2 cells around the corner, and logits."""
    edges = np.zeros((4, bins))
    edges[:, 2] = 50
    scores, distances = [LOW, HIGH, LOW], edges.ravel()
    row = [*scores, *distances] if scores_first else [*distances, *scores]
    array = rows(CELLS_64 if bins == 8 else CELLS, *row, at=AT)
    empty = slice(0, 3) if scores_first else slice(-3, None)
    array[0, :, empty] = LOW
    array[0, AT] = row
    return array


def flipped(array):
    return array.transpose(0, 2, 1)


ONE = [0, 0.9, 0]
QUERIES = {'logits': logits(rows(7, *ONE), slice(None)), 'pred_boxes': rows(7, *FRACTIONS)}
LISTS = {'boxes': rows(1, *BOX), 'labels': np.int64([[1]]), 'scores': np.float32([[0.9]])}
FAMILIES = [
    ('yolov8', {'output0': flipped(decoded(*CENTRE, *ONE))}, 'yolov8', {'box_unit': 'pixel'}),
    ('yolov8 rows first', {'output0': decoded(*CENTRE, *ONE)}, 'yolov8', {}),
    ('yolov8 fractions', {'o': flipped(rows(CELLS, *FRACTIONS, *ONE))}, 'yolov8',
     {'box_unit': 'fraction'}),
    ('yolov8 masks', {'o': flipped(decoded(*CENTRE, *ONE, *[5] * 32)),
                      'protos': np.zeros((1, 32, 16, 16), np.float32)},
     'yolov8', {'extra_columns': 32}),
    ('yolov8 raw', {'o': flipped(gfl(False, bins=16))}, 'gfl_head',
     {'columns': 'boxes_first', 'bins': 16, 'activation': 'sigmoid'}),
    ('yolov5', {'output': rows(CELLS * 3, *CENTRE, 0.9, 0, 1, 0)}, 'yolov5', {}),
    ('yolov6', {'output': decoded(*CENTRE, 1, *ONE)}, 'yolov5', {}),
    ('yolox', {'output': rows(CELLS, 0, 0, np.log(4), np.log(4), 1, *ONE, at=AT)}, 'yolox', {}),
    ('nanodet', {'output': gfl(True, bins=8)}, 'gfl_head', {'strides': [8, 16, 32, 64]}),
    ('picodet', {
        **{f's{s}': rows(n, *ONE, at=AT if s == 8 else 0) * (s == 8) for s, n in
           ((8, 64), (16, 16), (32, 4), (64, 1))},
        **{f'd{s}': rows(n, *np.eye(1, 32, 2)[0], at=0) for s, n in
           ((8, 64), (16, 16), (32, 4), (64, 1))},
    }, 'picodet', {'bins': 8, 'activation': 'none'}),
    ('yolo-nas', {'boxes': decoded(*BOX), 'scores': rows(CELLS, *ONE, at=AT)}, 'yolo_nas', {}),
    ('detr', {**QUERIES, 'logits': logits(rows(7, *ONE, 0), slice(None))}, 'detr', {}),
    ('rt-detr', QUERIES, 'rt_detr', {'activation': 'sigmoid'}),
    ('torchvision', {k: v[0] for k, v in LISTS.items()}, 'box_list', {}),
    ('tensorrt nms', {'num_dets': np.int32([[1]]), 'det_boxes': LISTS['boxes'],
                      'det_scores': LISTS['scores'], 'det_classes': np.int32([[1]])},
     'efficient_nms', {}),
    ('tf detection', {
        'detection_boxes': rows(5, 0.125, 0.25, 0.625, 0.75), 'num_detections': np.float32([1]),
        'detection_scores': np.float32([[0.9, 0, 0, 0, 0]]),
        'detection_classes': np.float32([[1, 0, 0, 0, 0]])}, 'tf_detection', {}),
    ('tf2 detection', {
        'detection_boxes': rows(5, 0.125, 0.25, 0.625, 0.75), 'num_detections': np.float32([1]),
        'detection_scores': np.float32([[0.9, 0, 0, 0, 0]]),
        'detection_classes': np.float32([[1, 0, 0, 0, 0]]),
        'raw_detection_boxes': rows(9, 0, 0, 1, 1), 'raw_detection_scores': rows(9, 0, 1, 0),
        'detection_anchor_indices': np.float32([[3, 0, 0, 0, 0]])}, 'tf_detection', {}),
    ('mmdet', {'dets': rows(4, *BOX, 0.9), 'labels': np.int64([[1, 0, 0, 0]])}, 'mmdet', {}),
    ('end to end', {'output0': rows(9, *BOX, 0.9, 1)}, 'end_to_end', {'box_unit': 'pixel'}),
    ('yolov7 end to end', {'output': rows(9, 0, *BOX, 1, 0.9)[0]}, 'yolov7_end_to_end', {}),
]  # fmt: skip


@pytest.fixture
def options(tmp_path):
    (tmp_path / 'names.txt').write_text('cat\nperson\nchair\n')
    return lambda **given: NewModelOptions(
        **({'labels': str(tmp_path / 'names.txt'), 'scaling': 'unit'} | given)
    )


@pytest.mark.parametrize(
    ('outputs', 'decoder', 'expected'), [row[1:] for row in FAMILIES], ids=[r[0] for r in FAMILIES]
)
def test_families_of_detectors(onnx_file, options, tmp_path, outputs, decoder, expected):
    new = recognise(onnx_file(outputs, IMAGE), options(), FRAME)
    assert new.head.decoder == decoder
    chosen = {k: list(v) if isinstance(v, tuple) else v for k, v in new.head.options.items()}
    assert expected.items() <= chosen.items()
    write_model(new, options(), tmp_path / 'model', FRAME, 'noise')
    with load_model(tmp_path / 'model', backend='onnxruntime') as model:
        assert verify_golden(model).is_reproduced
        found = Detector(model)(FRAME.rgb)
    if decoder == 'picodet':
        assert found.class_ids.tolist() == [1]
        return
    shift = 4 if decoder == 'gfl_head' and chosen['bins'] == 16 else 0
    expected_box = np.add(BOX, [0, 0, 0, 0] if decoder != 'gfl_head' else [shift] * 4)
    np.testing.assert_allclose(found.xyxy, [expected_box], atol=0.1)
    assert [model.labels.name(i) for i in found.class_ids] == ['person']


def test_metadata_answer_what_flags_would(onnx_file, tmp_path):
    metadata = {'names': "{0: 'a', 1: 'b', 2: 'c'}", 'license': 'AGPL-3.0', 'version': '8.3'}
    file = onnx_file({'o': flipped(decoded(*CENTRE, *ONE))}, IMAGE, metadata=metadata)
    new = recognise(file, NewModelOptions(), FRAME)
    assert (new.license, new.labels.name(2)) == ('AGPL-3.0', 'c')
    assert (new.image.resize, new.image.centered, new.image.pad_value) == ('letterbox', True, 114)
    assert new.image.scale == pytest.approx(1 / 255)


def test_size_of_the_image_for_networks_that_ask_for_it(onnx_file, options):
    inputs = {**IMAGE, 'orig_target_sizes': (1, 2)}
    file = onnx_file(LISTS, inputs, integers=('orig_target_sizes',))
    constants = recognise(file, options(), FRAME).constants
    assert constants['orig_target_sizes'].tolist() == [[64, 64]]


def test_weights_in_a_file_of_their_own_come_along(onnx_file, options, tmp_path):
    onnx = pytest.importorskip('onnx')
    file = onnx_file(LISTS, IMAGE)
    onnx.save(
        onnx.load(file),
        file,
        save_as_external_data=True,
        location='net.onnx.data',
        size_threshold=0,
    )
    write_model(recognise(file, options(), FRAME), options(), tmp_path / 'model', FRAME, 'noise')
    assert (tmp_path / 'model' / 'net.onnx.data').is_file()
    with load_model(tmp_path / 'model', backend='onnxruntime') as model:
        assert verify_golden(model).is_reproduced


MASK = np.zeros((1, 3, 16, 16), np.float32)
MASK[:, 1] = 2
OPEN = [
    ({'o': flipped(decoded(*CENTRE, *ONE))}, {'labels': ''}, ConfigError, 'give --labels FILE'),
    ({'o': MASK}, {}, ConfigError, 'do not say what they are: give --task'),
    ({'o': MASK}, {'task': 'segmentation', 'scaling': ''}, ConfigError, 'give --scaling pixels'),
    ({'o': MASK}, {'task': 'mono_depth'}, InputError, 'no mono_depth decoder fits'),
    ({'o': rows(5, *[1] * 9)}, {'task': 'detection'}, InputError, 'no detection decoder fits'),
    ({'o': rows(CELLS, *[1] * 85)}, {}, InputError, r'with 3 classes \(79 or 80 might\): compare'),
    ({'o': MASK}, {'scaling': 'half', 'task': 'segmentation'}, ConfigError, '--scaling must be'),
    ({'o': MASK}, {'size': (32, 32)}, ConfigError, '--size .* differs'),
    ({'o': MASK}, {'constants': '[1]'}, ConfigError, '--constants must be a mapping'),
]


@pytest.mark.parametrize(('outputs', 'given', 'error', 'said'), OPEN)
def test_what_the_file_leaves_open_names_its_flag(onnx_file, options, outputs, given, error, said):
    with pytest.raises(error, match=said):
        recognise(onnx_file(outputs, IMAGE), options(**given), FRAME)


@pytest.mark.parametrize(
    ('inputs', 'said'),
    [
        ({'images': (1, 3, 'h', 'w')}, 'choose one with --size WIDTHxHEIGHT'),
        ({'images': (1, 3, 64, 64), 'mode': (1, 4)}, "also has the input 'mode', .* --constants"),
        ({'signal': (1, 400)}, 'needs one image input'),
        ({'images': (1, 1, 64, 64)}, 'takes grey images: give --scaling MEAN/STD of one'),
    ],
)
def test_inputs_that_need_an_answer(onnx_file, options, inputs, said):
    chosen = options(task='segmentation', scaling='imagenet')
    with pytest.raises((ConfigError, InputError), match=said):
        recognise(onnx_file({'o': MASK}, inputs), chosen, FRAME)


@pytest.mark.parametrize(
    ('outputs', 'given', 'task', 'decoder'),
    [
        ({'out': MASK, 'aux': MASK}, {'task': 'segmentation'}, 'segmentation', 'softmax'),
        ({'o': np.ones((1, 16, 16), np.int64)}, {}, 'segmentation', 'class_map'),
        ({'o': MASK[:, :1]}, {'task': 'segmentation'}, 'segmentation', 'sigmoid'),
        ({'o': MASK[:, 1:2]}, {'task': 'mono_depth', 'labels': ''}, 'mono_depth', 'depth'),
    ],
)
def test_masks_and_depth(onnx_file, options, tmp_path, outputs, given, task, decoder):
    chosen = options(**given, metres_per_unit=1.0, depth_form='inverse')
    new = recognise(onnx_file(outputs, IMAGE), chosen, FRAME)
    assert (new.head.task, new.head.decoder) == (task, decoder)
    write_model(new, chosen, tmp_path / 'model', FRAME, 'noise')
    with pytest.raises(ConfigError, match='exists: remove it'):
        write_model(new, chosen, tmp_path / 'model', FRAME, 'noise')


def test_nothing_is_left_of_a_model_that_cannot_be_written(onnx_file, options, tmp_path):
    chosen = options(task='mono_depth')
    new = recognise(onnx_file({'o': MASK[:, :1]}, IMAGE), chosen, FRAME)
    with pytest.raises(ConfigError, match='--metres-per-unit 1'):
        write_model(new, chosen, tmp_path / 'deep' / 'model', FRAME, 'noise')
    assert list((tmp_path / 'deep').iterdir()) == []


@pytest.mark.parametrize(
    ('name', 'expected'), [('a b(1).onnx', 'a_b_1'), ('yolov8n.onnx', 'yolov8n'), ('-.x', 'model')]
)
def test_names_of_files_as_names_of_models(tmp_path, name, expected):
    assert plain_name(tmp_path / name) == expected
