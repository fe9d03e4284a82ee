"""The detector around its decoder: filters, image pixels, order."""

from dataclasses import replace

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError, ModelError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.inference.manifest import Thresholds
from rs_ml_perception.inference.preprocess import InputSpec
from rs_ml_perception.tasks.detection import (
    DetectionOptions,
    DetectionPipeline,
    Detector,
    DetectorOptions,
)

RGB = np.zeros((240, 320, 3), np.uint8)


def outputs_of(*rows):
    """Rows of (y_min, x_min, y_max, x_max, score, class)."""
    array = np.array(rows, np.float32).reshape(1, -1, 6)
    return {
        'boxes': array[:, :, :4],
        'scores': array[:, :, 4],
        'classes': array[:, :, 5],
        'count': np.array([array.shape[1]], np.float32),
    }


PERSON = (0.1, 0.2, 0.5, 0.4, 0.9, 1)
PERSON_NEAR = (0.1, 0.2, 0.5, 0.41, 0.8, 1)
CAT = (0.5, 0.5, 1.0, 1.0, 0.6, 2)
OUTSIDE = (1.2, 1.2, 1.4, 1.4, 0.9, 1)
BEYOND = (0.5, 0.5, 1.5, 1.5, 0.7, 2)
BROKEN = (np.nan, 0.1, 0.5, 0.5, 0.9, 1)
PERSON_PX, CAT_PX = [64, 24, 128, 120], [160, 120, 320, 240]


@pytest.mark.parametrize(
    ('rows', 'options', 'expected'),
    [
        ((), DetectorOptions(), []),
        ((CAT, PERSON), DetectorOptions(), [PERSON_PX, CAT_PX]),
        ((CAT, PERSON), DetectorOptions(score_threshold=0.7), [PERSON_PX]),
        ((CAT, PERSON), DetectorOptions(score_threshold=1.0), []),
        ((CAT, PERSON), DetectorOptions(classes=('cat',)), [CAT_PX]),
        ((CAT, PERSON), DetectorOptions(max_detections=1), [PERSON_PX]),
        ((OUTSIDE,), DetectorOptions(), []),
        ((BROKEN,), DetectorOptions(), []),
        ((BEYOND,), DetectorOptions(), [CAT_PX]),
    ],
)
def test_kept_boxes_and_their_places(recorded_model, rows, options, expected):
    found = Detector(recorded_model(outputs_of(*rows)), options)(RGB)
    np.testing.assert_allclose(found.xyxy, np.array(expected).reshape(-1, 4), atol=1e-4)
    assert (found.xyxy.dtype, found.scores.dtype, found.class_ids.dtype) == (
        np.float32,
        np.float32,
        np.int32,
    )


@pytest.mark.parametrize(
    ('options', 'count'),
    [(DetectorOptions(), 2), (DetectorOptions(iou_threshold=0.5), 1)],
    ids=['the network has suppressed', 'again'],
)
def test_suppression_after_the_network(recorded_model, options, count):
    found = Detector(recorded_model(outputs_of(PERSON, PERSON_NEAR)), options)(RGB)
    assert len(found) == count


def test_duplicates_that_the_manifest_admits_go(recorded_model):
    outputs = outputs_of(PERSON, PERSON_NEAR)
    model = recorded_model(outputs, decoder_options={'leaves_duplicates': True})
    assert len(Detector(model)(RGB)) == 1


def test_a_head_without_suppression_gets_it(recorded_model):
    head = np.zeros((1, 6, 30), np.float32)
    head[0, :, 0] = 0.5, 0.5, 0.2, 0.2, 0.9, 0
    head[0, :, 1] = 0.51, 0.5, 0.2, 0.2, 0.8, 0
    labels = LabelMap({0: 'person', 1: 'cat'})
    model = recorded_model({'head': head}, decoder='yolo_head', labels=labels)
    assert len(Detector(model)(RGB)) == 1
    assert len(Detector(model, DetectorOptions(iou_threshold=1.0))(RGB)) == 2


def test_boxes_of_a_letterboxed_input(recorded_model):
    inputs = (InputSpec('x', size=(100, 100), resize='letterbox', centered=True),)
    model = recorded_model(outputs_of((0.12, 0.0, 0.87, 1.0, 0.9, 1)), inputs=inputs)
    np.testing.assert_allclose(Detector(model)(RGB).xyxy, [[0, 0, 320, 240]], atol=1e-4)


def test_thresholds_of_the_manifest_are_defaults(recorded_model):
    model = recorded_model(outputs_of(CAT), thresholds=Thresholds(score=0.61))
    detector = Detector(model)
    assert len(detector(RGB)) == 0
    detector.options = replace(detector.options, score_threshold=0.5)
    assert len(detector(RGB)) == 1


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'classes': ('unicorn',)}, "no class 'unicorn', it has person, cat"),
        ({'score_threshold': 1.5}, r'score_threshold must lie in \[0, 1\], got 1.5'),
        ({'iou_threshold': -0.1}, r'iou_threshold must lie in \[0, 1\]'),
        ({'max_detections': 0}, r'max_detections must lie in \[1, 1000\]'),
    ],
)
def test_wrong_options_change_nothing(recorded_model, changes, said):
    detector = Detector(recorded_model(outputs_of(CAT)), DetectorOptions(classes=('cat',)))
    with pytest.raises(ConfigError, match=said):
        detector.options = replace(detector.options, **changes)
    assert detector.options == DetectorOptions(classes=('cat',))
    assert len(detector(RGB)) == 1


@pytest.mark.parametrize(
    ('fields', 'said'),
    [
        ({'task': 'segmentation'}, 'is a segmentation model, not detection'),
        ({'decoder': 'crystal'}, "no detection decoder 'crystal', there are"),
        ({'names': {'boxes': 'b'}}, 'lacks'),
        ({'decoder_options': {'a': 1}}, r"decoder_options \['a'\] unknown"),
    ],
)
def test_models_that_do_not_fit(recorded_model, fields, said):
    with pytest.raises(ModelError, match=said):
        Detector(recorded_model(outputs_of(), **fields))


def test_other_arrays_are_refused(recorded_model):
    with pytest.raises(InputError):
        Detector(recorded_model(outputs_of()))(np.zeros((4, 4), np.uint8))


def test_stages_are_timed(recorded_model):
    detector = Detector(recorded_model(outputs_of()))
    detector(RGB)
    assert list(detector.stages.take()) == ['preprocess', 'inference', 'postprocess']


@pytest.mark.parametrize('color', ['RGB', 'BGR'])
def test_the_network_gets_the_colours_it_wants(recorded_model, color):
    inputs = (InputSpec('x', size=(10, 10), color=color),)
    model = recorded_model(outputs_of(), inputs=inputs)
    Detector(model)(np.full((20, 20, 3), (250, 100, 5), np.uint8))
    assert model.seen['x'][0, 0, 0].tolist() == (
        [250, 100, 5] if color == 'RGB' else [5, 100, 250]
    )


def test_a_head_with_other_classes_than_the_labels_is_refused_at_load(recorded_model):
    model = recorded_model({'head': np.zeros((1, 84, 90), np.float32)}, decoder='yolo_head')
    with pytest.raises(ModelError, match=r'recorded 1: head .*80 classes would fit: name every'):
        Detector(model)


def test_boxes_without_a_place_are_counted(recorded_model):
    detector = Detector(recorded_model(outputs_of(PERSON, BROKEN)))
    pipeline = DetectionPipeline(detector, DetectionOptions())
    assert len(pipeline(Frame(rgb=RGB)).detections) == 1
    assert pipeline.readings() == {'non_finite_boxes': 1}
    detector.model.outputs = outputs_of(PERSON)
    pipeline(Frame(rgb=RGB))
    assert pipeline.readings() == {}
