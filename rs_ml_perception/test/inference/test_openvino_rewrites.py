"""Rewritten graphs give the same results."""

import numpy as np
import pytest
from rs_ml_perception.inference.openvino_runtime import remove_identity_resizes, split_long_topk

openvino = pytest.importorskip('openvino')
ops = pytest.importorskip('openvino.opset13')


def run(model, values):
    compiled = openvino.Core().compile_model(model, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})
    return [np.array(array) for array in compiled([values]).values()]


def top_k_model(shape, k, *, axis=-1, mode='max'):
    values = ops.parameter(shape, np.float32)
    found = ops.topk(values, ops.constant(k, dtype='int64'), axis, mode, 'value', 'i32')
    return openvino.Model([found.output(0), found.output(1)], [values])


@pytest.mark.parametrize(
    ('shape', 'k', 'axis'),
    [([1, 4096], 1, 1), ([1, 81920], 100, -1), ([1310720], 100, 0), ([1, 1, 65536], 7, 2)],
)
def test_long_topk_finds_the_same(shape, k, axis):
    values = np.random.default_rng(0).permutation(np.prod(shape)).astype(np.float32).reshape(shape)
    model = top_k_model(shape, k, axis=axis)
    assert split_long_topk(model) == 1
    best, indices = run(model, values)
    order = np.argsort(-values.ravel(), kind='stable')[:k]
    np.testing.assert_array_equal(best.ravel(), values.ravel()[order])
    np.testing.assert_array_equal(indices.ravel(), order)
    assert best.ndim == len(shape)
    assert indices.dtype == np.int32


def test_equal_values_are_each_found_once():
    values = np.zeros((1, 8192), np.float32)
    values[0, ::3] = 1
    model = top_k_model([1, 8192], 50)
    split_long_topk(model)
    best, indices = run(model, values)
    assert np.all(best == 1)
    assert len(set(indices.ravel())) == 50
    assert np.all(values[0, indices.ravel()] == 1)


@pytest.mark.parametrize(
    'model',
    [
        top_k_model([1, 1024], 10),
        top_k_model([2, 8192], 10),
        top_k_model([1, 8192], 10, mode='min'),
        top_k_model([1, 8195], 10),
        top_k_model([1, 8192], 4096),
        top_k_model([1, -1], 10),
    ],
    ids=['short', 'several rows', 'minimum', 'odd length', 'large k', 'dynamic'],
)
def test_other_topk_stay(model):
    assert split_long_topk(model) == 0


@pytest.mark.parametrize(('size', 'removed'), [((8, 6), 1), ((16, 12), 0)])
def test_only_resizes_to_the_same_size_go(size, removed):
    image = ops.parameter([1, 3, 8, 6], np.float32)
    resized = ops.interpolate(
        image,
        ops.constant(list(size), dtype='int64'),
        'linear_onnx',
        'sizes',
        axes=ops.constant([2, 3], dtype='int64'),
    )
    model = openvino.Model([ops.relu(resized)], [image])
    values = np.random.default_rng(0).random((1, 3, 8, 6), np.float32)
    before = run(model, values)[0]
    assert remove_identity_resizes(model) == removed
    np.testing.assert_allclose(run(model, values)[0], before, rtol=1e-6)
