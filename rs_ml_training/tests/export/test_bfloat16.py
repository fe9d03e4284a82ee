"""bfloat16 on any machine."""

import numpy as np
import pytest
from rs_ml_training.export.cross_checks import emulated

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')


def network(*nodes, constants=()):
    """A float32 network x -> y of four numbers."""
    helper, shape = onnx.helper, [1, 4]
    ports = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in ('x', 'y')
    ]
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in constants]
    graph = helper.make_graph(nodes, 'g', ports[:1], ports[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)


def in_bfloat16(values):
    """Round to 8 bits of mantissa, ties to even."""
    bits = np.asarray(values, np.float32).view(np.uint32).astype(np.uint64)
    bits += 0x7FFF + ((bits >> 16) & 1)
    return (bits & 0xFFFF0000).astype(np.uint32).view(np.float32)


X = np.array([[1.001, 2.3456, -0.3333, 100.7]], np.float32)
WEIGHTS = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)


def test_intermediate_results_are_rounded_and_outputs_are_not():
    nodes = [
        onnx.helper.make_node('Neg', ['x'], ['between']),
        onnx.helper.make_node('Neg', ['between'], ['y']),
    ]
    found = emulated(network(*nodes))({'x': X})
    np.testing.assert_array_equal(found['y'], in_bfloat16(X))


def test_factors_of_products_are_rounded():
    node = onnx.helper.make_node('MatMul', ['x', 'w'], ['y'])
    found = emulated(network(node, constants=[('w', WEIGHTS)]))({'x': X})
    expected = in_bfloat16(X) @ in_bfloat16(WEIGHTS)
    np.testing.assert_allclose(found['y'], expected, rtol=1e-5)
    assert np.abs(found['y'] - X @ WEIGHTS).max() > 1e-3
