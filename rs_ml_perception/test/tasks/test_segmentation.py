"""The segmenter around its decoder."""

from dataclasses import replace

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError, ModelError
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.inference.preprocess import InputSpec
from rs_ml_perception.tasks.segmentation import Segmenter, SegmenterOptions

RGB = np.zeros((60, 80, 3), np.uint8)
SURE = np.zeros((1, 10, 10, 3), np.float32)
SURE[..., 0] = 1
SURE[:, :, 5:] = 0.3, 0.5, 0.2  # the right half: class 1, but only just


def softmax_model(make, **fields):
    defaults = {'task': 'segmentation', 'decoder': 'softmax'}
    return make({'mask': SURE}, **(defaults | fields))


def test_the_mask_has_the_size_of_the_image(recorded_model):
    mask = Segmenter(softmax_model(recorded_model))(RGB)
    assert (mask.shape, mask.dtype) == ((60, 80), np.uint8)
    assert np.all(mask[:, :40] == 0)
    assert np.all(mask[:, 40:] == 1)


def test_confidence_threshold_while_running(recorded_model):
    segmenter = Segmenter(softmax_model(recorded_model))
    segmenter.options = replace(segmenter.options, confidence_threshold=0.6)
    mask = segmenter(RGB)
    assert np.all(mask[:, :40] == 0)
    assert np.all(mask[:, 40:] == 255)


def test_outside_a_crop_is_unlabelled(recorded_model):
    inputs = (InputSpec('x', size=(10, 10), resize='crop'),)
    mask = Segmenter(softmax_model(recorded_model, inputs=inputs))(RGB)
    assert np.all(mask[:, :10] == 255)
    assert np.all(mask[:, 10:40] == 0)


def test_padding_does_not_show(recorded_model):
    """Of a letterboxed input only the part with the picture counts."""
    ids = np.full((1, 100, 100), 9)
    ids[:, :75] = 4
    inputs = (InputSpec('x', size=(100, 100), resize='letterbox'),)
    model = recorded_model({'mask': ids}, task='segmentation', decoder='class_map', inputs=inputs)
    assert np.all(Segmenter(model)(RGB) == 4)


@pytest.mark.parametrize('threshold', [-0.1, 1.1])
def test_wrong_thresholds(threshold):
    with pytest.raises(ConfigError, match=r'must lie in \[0, 1\]'):
        SegmenterOptions(confidence_threshold=threshold)


def test_class_maps_have_no_confidence(recorded_model):
    model = recorded_model(
        {'mask': np.zeros((1, 4, 4), np.int64)}, task='segmentation', decoder='class_map'
    )
    segmenter = Segmenter(model)
    with pytest.raises(ConfigError, match='class ids without confidence'):
        segmenter.options = SegmenterOptions(confidence_threshold=0.5)
    assert segmenter.options == SegmenterOptions()


@pytest.mark.parametrize(
    ('fields', 'said'),
    [
        ({'task': 'detection'}, 'is a detection model'),
        ({'decoder': 'depth'}, "no segmentation decoder 'depth'"),
        ({'names': {'m': 'm'}}, r"lacks \['mask'\]"),
    ],
)
def test_models_that_do_not_fit(recorded_model, fields, said):
    with pytest.raises(ModelError, match=said):
        Segmenter(softmax_model(recorded_model, **fields))


def test_channels_other_than_the_labels_are_refused_at_load(recorded_model):
    with pytest.raises(ModelError, match=r'recorded 1: mask has shape .* name one class for each'):
        Segmenter(softmax_model(recorded_model, labels=LabelMap({0: 'floor', 1: 'wall'})))


def test_scores_that_are_no_numbers_reject_the_image(recorded_model):
    broken = SURE.copy()
    broken[0, 2, 3, 1] = np.nan
    model = recorded_model({'mask': broken}, task='segmentation', decoder='softmax')
    with pytest.raises(InputError, match='1 of 300 class scores of the network are NaN'):
        Segmenter(model)(RGB)
