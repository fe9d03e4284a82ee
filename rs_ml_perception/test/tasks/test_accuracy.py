"""Real models on real pictures: the colours, the boxes and the masks are right."""

import functools
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from rs_ml_perception.core.files import sha256_of
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.objects.boxes import box_iou, xyxy_from_cxcywh
from rs_ml_perception.core.objects.detections import Detections
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.recordings.inputs import example_frame
from rs_ml_perception.recordings.open_recording import shipped_recording
from rs_ml_perception.tasks.detection import Detector, DetectorOptions
from rs_ml_perception.tasks.mono_depth import DepthEstimator
from rs_ml_perception.tasks.new_model import NewModelOptions, recognise, write_model
from rs_ml_perception.tasks.segmentation import Segmenter

NYU_CAMERA = CameraModel(640, 480, 518.8579, 519.4696, 325.5824, 253.7362)


def read_rgb(path):
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def average_precision(found, truths):
    """AP at IoU 0.5 with every point of the interpolated curve (PASCAL VOC 2010 on).

    Args:
        found: Detections per picture, best first.
        truths: float (N, 4) boxes per picture.
    """
    rows = []
    for detections, truth in zip(found, truths, strict=True):
        free = np.ones(len(truth), bool)
        for xyxy, score, _, _ in detections:
            iou = box_iou(xyxy[None], truth)[0] * free
            hit = len(truth) > 0 and iou.max() >= 0.5
            if hit:
                free[iou.argmax()] = False
            rows.append((score, hit))
    hits = np.array([hit for _, hit in sorted(rows, key=lambda row: -row[0])], bool)
    recall = np.cumsum(hits) / sum(map(len, truths))
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0) * envelope))


BOX, OTHER = [0, 0, 10, 10], [50, 50, 60, 60]


@pytest.mark.parametrize(
    ('found', 'truth', 'expected'),
    [
        ([], [BOX], 0.0),
        ([(BOX, 0.9)], [BOX], 1.0),
        ([(BOX, 0.9)], [BOX, OTHER], 0.5),
        ([(OTHER, 0.9), (BOX, 0.8)], [BOX], 0.5),
        ([(BOX, 0.9), (BOX, 0.8)], [BOX, OTHER], 0.5),  # the second is no hit
        ([(BOX, 0.9), ([20, 20, 30, 30], 0.8), (OTHER, 0.7)], [BOX, OTHER], 0.5 + 0.5 * 2 / 3),
    ],
)
def test_the_measure_itself(found, truth, expected):
    boxes = np.array([box for box, _ in found], np.float32).reshape(-1, 4)
    scores = np.array([score for _, score in found], np.float32)
    detections = Detections(boxes, scores, np.zeros(len(found), np.int32))
    actual = average_precision([detections], [np.array(truth, np.float32)])
    assert actual == pytest.approx(expected)


@pytest.fixture
def data(model_files):
    return Path(os.environ['RS_ML_TEST_DATA'])


def coco_people(data, name='coco128', step=1):
    """Every so many images of a folder of COCO's, and the boxes of their persons."""
    for path in sorted((data / name / 'images').iterdir())[::step]:
        rgb = read_rgb(path)
        label_file = data / name / 'boxes' / f'{path.stem}.txt'
        lines = label_file.read_text().split('\n') if label_file.is_file() else []
        rows = np.array([line.split() for line in lines if line], np.float32).reshape(-1, 5)
        size = np.array([rgb.shape[1], rgb.shape[0]] * 2, np.float32)
        yield rgb, xyxy_from_cxcywh(rows[rows[:, 0] == 0, 1:] * size)


@functools.cache
def person_ap(name, data, images='coco128', step=1, *, swap_colours=False):
    with load_model(name) as model:
        options = DetectorOptions(score_threshold=0.01, classes=('person',))
        detector = Detector(model, options)
        found, truths = [], []
        for rgb, truth in coco_people(data, images, step):
            found.append(detector(rgb[:, :, ::-1] if swap_colours else rgb))
            truths.append(truth)
    return average_precision(found, truths)


@pytest.mark.parametrize(
    ('name', 'images', 'step', 'least'),
    [
        ('centernet_mnv3_coco', 'coco128', 4, 0.62),
        pytest.param('centernet_mnv3_coco', 'coco128', 1, 0.64, marks=pytest.mark.slow),
        pytest.param('yolov8n', 'coco128', 1, 0.75, marks=pytest.mark.slow),
        ('detection', 'coco_val_dev', 1, 0.63),  # never trained on
    ],
)
def test_person_average_precision(data, name, images, step, least):
    assert person_ap(name, data, images, step) >= least


@pytest.mark.usefixtures('litert')
def test_person_average_precision_of_a_network_that_ends_in_operators_of_litert(data):
    assert person_ap('person_cat_dog_ssd_tflite', data, step=2) >= 0.25


@pytest.mark.slow
@pytest.mark.parametrize(
    ('file', 'least'),
    [
        ('yolox_nano/yolox_nano.onnx', 0.66),
        ('picodet_s/picodet_s_416.onnx', 0.71),
        ('nanodet_plus_m/nanodet_plus_m_raw_320x256.onnx', 0.64),
    ],
)
def test_person_average_precision_of_files_as_published(data, tmp_path, file, least):
    """By the decoder, scaling and fit that `rs-ml models add` recognises."""
    pytest.importorskip('onnxruntime')
    options = NewModelOptions(labels='detection')
    frame = example_frame(shipped_recording())
    new = recognise(data / 'models' / 'detection' / file, options, frame)
    write_model(new, options, tmp_path / 'model', frame, 'synthetic_room')
    assert person_ap(tmp_path / 'model', data, 'coco_val_dev') >= least


RAW_NANODET = {
    'name': 'nanodet_raw',
    'task': 'detection',
    'decoder': 'gfl_head',
    'decoder_options': {'strides': [8, 16, 32, 64], 'bins': 8},
    'input': {
        'name': 'in0',
        'size': [320, 256],
        'layout': 'NCHW',
        'dtype': 'float32',
        'color': 'BGR',
        'scale': [1 / 57.375, 1 / 57.12, 1 / 58.395],
        'offset': [-103.53 / 57.375, -116.28 / 57.12, -123.675 / 58.395],
    },
    'outputs': {'head': 'out0'},
    'thresholds': {'score': 0.3, 'iou': 0.6},
    'license': 'Apache-2.0',
}


@pytest.mark.usefixtures('litert')
def test_a_raw_head_gives_the_boxes_of_the_graph_that_decodes_itself(data, tmp_path):
    """The weights of the latter are rounded to float16: 2 pixels and 0.02 of the score."""
    folder = data / 'models' / 'detection' / 'nanodet_plus_m'
    network = folder / 'nanodet_plus_m_raw_320x256.onnx'
    artifact = {'format': 'onnx', 'path': network.name, 'sha256': sha256_of(network)}
    labels = (folder / 'nanodet_plus_m_320x256' / 'coco_labels.txt').read_text()
    (tmp_path / 'labels.txt').write_text(labels)
    values = {**RAW_NANODET, 'artifacts': [artifact], 'labels': 'labels.txt'}
    (tmp_path / 'manifest.yaml').write_text(yaml.safe_dump(values))
    count = 0
    with load_model(tmp_path) as raw, load_model(folder / 'nanodet_plus_m_320x256') as whole:
        raw_detector, detector = Detector(raw), Detector(whole)
        for rgb, _ in coco_people(data, step=16):
            found, expected = raw_detector(rgb), detector(rgb)
            for xyxy, score, class_id, _ in expected:
                if score < 0.4:  # whatever is near the threshold may be missing
                    continue
                near = (np.abs(found.xyxy - xyxy).max(axis=1) < 2) & (found.class_ids == class_id)
                assert near.any()
                assert np.abs(found.scores[near] - score).min() < 0.02
                count += 1
    assert count > 15


def test_exchanged_colours_cost_accuracy(data):
    """Networks get RGB: the other order is visibly worse."""
    right = person_ap('centernet_mnv3_coco', data, 'coco128', 4)
    wrong = person_ap('centernet_mnv3_coco', data, 'coco128', 4, swap_colours=True)
    assert wrong < right - 0.02


@pytest.mark.parametrize(
    ('step', 'least'), [(2, 0.7), pytest.param(1, 0.8, marks=pytest.mark.slow)]
)
def test_faces_where_persons_look_at_the_camera(data, step, least):
    """OpenCV's detector finds faces inside the upper part of annotated persons."""
    inside = total = 0
    with load_model('opencv_face_ssd') as model:
        detector = Detector(model, DetectorOptions(score_threshold=0.7))
        for rgb, people in coco_people(data, step=step):
            for face, _, _, _ in detector(rgb):
                x, y = face.reshape(2, 2).mean(axis=0)
                x_min, y_min, x_max, y_max = people.T
                within = (x >= x_min) & (x <= x_max) & (y >= y_min) & (y <= (y_min + y_max) / 2)
                inside, total = inside + bool(within.any()), total + 1
    assert total >= 5
    assert inside / total >= least


@pytest.mark.parametrize(
    ('name', 'least'),
    [
        pytest.param('deeplabv3_mnv2_pascal_quant', 0.70, marks=pytest.mark.slow),
        ('deeplabv3_mnv2_dm05_pascal_quant', 0.66),
    ],
)
def test_person_iou(data, name, least):
    overlap = union = 0
    with load_model(name) as model:
        segmenter = Segmenter(model)
        person = next(iter(segmenter.labels.ids_of(['person'])))
        for path in sorted((data / 'coco128' / 'images').iterdir())[::4]:
            rgb = read_rgb(path)
            truth = person_mask(data / 'coco128' / 'instances' / f'{path.stem}.txt', rgb.shape)
            found = segmenter(rgb) == person
            overlap, union = overlap + np.sum(found & truth), union + np.sum(found | truth)
    assert overlap / union >= least


def person_mask(path, shape):
    """Filled polygons of class 1 of a COCO id file."""
    mask = np.zeros(shape[:2], np.uint8)
    for line in path.read_text().splitlines() if path.is_file() else []:
        class_id, *corners = line.split()
        if class_id == '1':
            points = np.array(corners, np.float32).reshape(-1, 2) * shape[1::-1]
            cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 1)
    return mask > 0


def test_depth_in_metres(data):
    """Median relative error of whole frames, and the scale, on validation scenes."""
    ratios, errors = [], []
    names = (data / 'nyu_v2' / 'val.txt').read_text().split()[::10]
    with load_model('nyu_mobilenet_unet') as model:
        estimator = DepthEstimator(model)
        for name in names:
            stem = Path(name).stem
            rgb_path = next((data / 'nyu_v2' / 'rgb').glob(f'{stem}.*'))
            depth_path = next((data / 'nyu_v2' / 'depth').glob(f'{stem}.*'))
            truth = cv2.imread(str(depth_path), cv2.IMREAD_UNCHANGED) / 25.5
            estimate = estimator(read_rgb(rgb_path), NYU_CAMERA).depth_m
            valid = (truth > 0) & np.isfinite(estimate)
            ratios.append(np.median(estimate[valid] / truth[valid]))
            errors.append(np.mean(np.abs(estimate[valid] - truth[valid]) / truth[valid]))
    assert 0.8 < np.median(ratios) < 1.25
    assert np.mean(errors) < 0.28
