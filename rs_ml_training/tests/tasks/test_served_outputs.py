"""What is baked into a served network."""

import numpy as np
import pytest
from rs_ml_training.tasks.registry import TASKS
from rs_ml_training.tasks.task import ServingOptions

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
    found = TASKS[task].served(tensors, ServingOptions(**options))
    assert set(found) == set(expected)
    for name, wanted in expected.items():
        np.testing.assert_allclose(found[name], wanted, rtol=1e-6)
    if task == 'segmentation':
        assert found['mask'].dtype == (tf.float32 if options else tf.uint8)


@pytest.mark.parametrize(
    'names', [('heatmap', 'size', 'offset'), ('scores', 'distances')], ids=['peaks', 'cells']
)
@pytest.mark.parametrize('with_more', [False, True])
def test_a_detector_ends_at_its_head(names, with_more):
    tensors = {name: tf.constant(LOGITS) for name in (*names, 'features')}
    found = TASKS['detection'].served(tensors, ServingOptions(intermediates=with_more))
    assert set(found) == {*names, *(['features'] if with_more else [])}
    assert all(found[name] is tensors[name] for name in names)
