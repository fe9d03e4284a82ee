"""Raw tensors of segmentation heads."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.tasks.decoders.masks import MASK_DECODERS, mask_layout

# Two pixels, three classes: sure of class 2, and torn between 0 and 1.
PROBABILITIES = np.array([[[0.05, 0.05, 0.9], [0.45, 0.4, 0.15]]], np.float32)[None]
LOGITS = np.log(PROBABILITIES) + 3


@pytest.mark.parametrize(
    ('output', 'expected'),
    [
        (np.zeros((1, 0, 0), np.int64), np.zeros((0, 0))),
        (np.array([[[0, 7]]], np.int64), [[0, 7]]),
        (np.array([[[3.0, 15.0]]], np.float32), [[3, 15]]),
        (np.array([[[300, -1]]], np.int32), [[255, 255]]),
        (np.array([[[[4], [5]]]], np.uint8), [[4, 5]]),
        (np.array([[[[4, 5]]]], np.uint8), [[4, 5]]),
        (np.array([[4, 5], [6, 7]], np.int64), [[4, 5], [6, 7]]),
    ],
)
def test_class_map(output, expected):
    ids = MASK_DECODERS['class_map'](output, 'NHWC', 0.0)
    assert ids.dtype == np.uint8
    np.testing.assert_array_equal(ids, expected)


@pytest.mark.parametrize('scores', [PROBABILITIES, LOGITS], ids=['probabilities', 'logits'])
@pytest.mark.parametrize('layout', ['NHWC', 'NCHW'])
@pytest.mark.parametrize(
    ('threshold', 'expected'),
    [(0, [[2, 0]]), (0.4, [[2, 0]]), (0.5, [[2, 255]]), (0.95, [[255, 255]])],
)
def test_softmax(scores, layout, threshold, expected):
    output = scores if layout == 'NHWC' else scores.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(MASK_DECODERS['softmax'](output, layout, threshold), expected)


def test_softmax_of_quantised_probabilities_whose_sum_is_off_at_a_pixel():
    rest = np.zeros((1, 1, 3, 18), np.float32)
    first = np.array([[[0.9, 0.05, 0.05], [0.45, 0.45, 0.1], [0.9, 0.05, 0.01]]], np.float32)
    output = np.concatenate([first[None], rest], axis=-1)
    ids = MASK_DECODERS['softmax'](output, 'NHWC', 0.5)
    np.testing.assert_array_equal(ids, [[0, 255, 0]])


@pytest.mark.parametrize(
    ('output', 'threshold', 'expected'),
    [
        ([[[0.9], [0.1]]], 0, [[1, 0]]),
        ([[[0.6], [0.1]]], 0.8, [[0, 0]]),
        ([[[4.0], [-4.0]]], 0, [[1, 0]]),
        ([[[0.2, 0.7], [0.3, 0.4]]], 0, [[1, 255]]),
        ([[[0.2, 0.7], [0.3, 0.4]]], 0.35, [[1, 1]]),
    ],
)
def test_sigmoid(output, threshold, expected):
    ids = MASK_DECODERS['sigmoid'](np.array([output], np.float32), 'NHWC', threshold)
    np.testing.assert_array_equal(ids, expected)


@pytest.mark.parametrize('name', ['class_map', 'softmax', 'sigmoid'])
def test_wrong_shapes_are_named(name):
    with pytest.raises(ModelError, match='must have shape'):
        MASK_DECODERS[name](np.zeros((1, 2, 3, 4, 5), np.float32), 'NHWC', 0.0)


@pytest.mark.parametrize(
    ('decoder', 'shape', 'layout', 'classes', 'expected'),
    [
        ('softmax', (1, 5, 8, 9), 'NHWC', 5, 'NCHW'),
        ('softmax', (1, 8, 9, 5), 'NCHW', 5, 'NHWC'),
        ('softmax', (1, 5, 8, 5), 'NCHW', 5, 'NCHW'),
        ('softmax', (1, 8, 9, 5), 'NCHW', 0, 'NCHW'),
        ('sigmoid', (1, 1, 8, 9), 'NHWC', 2, 'NCHW'),
        ('class_map', (1, 8, 9), 'NCHW', 5, 'NCHW'),
    ],
)
def test_channels_of_class_scores_are_those_of_the_labels(
    decoder, shape, layout, classes, expected
):
    assert mask_layout(decoder, shape, layout, classes) == expected


@pytest.mark.parametrize(('decoder', 'classes'), [('softmax', 4), ('sigmoid', 3)])
def test_class_scores_without_a_channel_for_each_label_are_refused(decoder, classes):
    with pytest.raises(ModelError, match=r'\[1, 8, 9, 1\], but labels name the classes 0'):
        mask_layout(decoder, (1, 8, 9, 1), 'NHWC', classes)
