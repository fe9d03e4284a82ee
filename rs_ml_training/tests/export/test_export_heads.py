"""What is baked into a served network."""

import numpy as np
import pytest
from rs_ml_training.errors import ExportError
from rs_ml_training.export.heads import HeadOptions, apply_head

tf = pytest.importorskip('tensorflow')

LOGITS = np.array([[[[0.0, 3.0, 1.0], [2.0, -1.0, 0.0]]]], np.float32)
SINGLE = np.array([[[[0.5], [-0.5]]]], np.float32)
DEPTH = np.full((1, 1, 2, 1), 2.5, np.float32)


@pytest.mark.parametrize(
    ('task', 'outputs', 'options', 'expected'),
    [
        ('depth', {'depth_m': DEPTH, 'lpg8_m': DEPTH}, {}, {'depth': DEPTH}),
        (
            'depth',
            {'depth_m': DEPTH, 'lpg8_m': DEPTH},
            {'intermediates': True},
            {'depth': DEPTH, 'lpg8_m': DEPTH},
        ),
        ('denoise', {'depth_m': DEPTH}, {}, {'depth': DEPTH}),
        (
            'denoise',
            {'depth_m': DEPTH, 'confidence': SINGLE},
            {},
            {'depth': DEPTH, 'confidence': SINGLE},
        ),
        ('segmentation', {'logits': LOGITS, 'logits_aux': LOGITS}, {}, {'mask': [[[1, 0]]]}),
        ('segmentation', {'logits': SINGLE}, {}, {'mask': [[[1, 0]]]}),
        (
            'segmentation',
            {'logits': SINGLE},
            {'scores': True},
            {'mask': 1 / (1 + np.exp(-SINGLE))},
        ),
        (
            'segmentation',
            {'logits': LOGITS, 'confidence': SINGLE},
            {'scores': True},
            {
                'mask': np.exp(LOGITS) / np.exp(LOGITS).sum(axis=-1, keepdims=True),
                'confidence': SINGLE,
            },
        ),
    ],
)
def test_outputs(task, outputs, options, expected):
    tensors = {name: tf.constant(array) for name, array in outputs.items()}
    found = apply_head(task, tensors, HeadOptions(**options))
    assert set(found) == set(expected)
    for name, wanted in expected.items():
        np.testing.assert_allclose(found[name], wanted, rtol=1e-6)
    if task == 'segmentation':
        assert found['mask'].dtype == (tf.float32 if options else tf.uint8)


def test_boxes_of_a_peak():
    heat, size = np.zeros((1, 8, 8, 2), np.float32), np.full((1, 8, 8, 2), 8, np.float32)
    heat[0, 2, 4, 1] = 0.9
    outputs = {'heatmap': heat, 'size': size, 'offset': np.full((1, 8, 8, 2), 0.5, np.float32)}
    tensors = {name: tf.constant(array) for name, array in outputs.items()}
    found = apply_head('detection', tensors, HeadOptions(max_detections=10))
    assert found['boxes'].shape == (1, 10, 4)
    assert float(found['count'][0]) == 1
    assert float(found['classes'][0, 0]) == 1
    expected = np.array([1.5, 3.5, 3.5, 5.5]) / 8
    np.testing.assert_allclose(found['boxes'][0, 0], expected, atol=1e-6)


@pytest.mark.parametrize('task', ['depth', 'denoise', 'segmentation', 'detection'])
def test_a_missing_output_is_named(task):
    with pytest.raises(ExportError, match=f'{task} network must give .* gives \\[.other.\\]'):
        apply_head(task, {'other': tf.zeros(1)}, HeadOptions())
