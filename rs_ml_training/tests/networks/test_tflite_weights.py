"""Convolutions are read from TFLite files as the floats that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

flatbuffers = pytest.importorskip('flatbuffers')
schema = pytest.importorskip('ai_edge_litert.schema_py_generated')

from rs_ml_training.errors import CheckpointError  # noqa: E402
from rs_ml_training.networks.tflite_weights import InputRange, read_tflite  # noqa: E402

KINDS = {
    np.uint8: schema.TensorType.UINT8,
    np.int8: schema.TensorType.INT8,
    np.int32: schema.TensorType.INT32,
    np.float32: schema.TensorType.FLOAT32,
}
KERNEL = np.arange(2 * 3 * 3 * 4, dtype=np.uint8).reshape(2, 3, 3, 4)
BIAS = np.array([100, -200], np.int32)


class File:
    """A TFLite file of one operation after the other."""

    def __init__(self) -> None:
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.graph.tensors, self.graph.operators, self.graph.inputs = [], [], [0]
        self.model.version, self.model.subgraphs = 3, [self.graph]
        self.model.buffers, self.model.operatorCodes = [schema.BufferT()], []
        self.tensor((1, 8, 8, 4), np.uint8, scale=[0.5], zero=[10])

    def tensor(self, shape, kind, data=None, scale=None, zero=None, axis=0) -> int:
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer, tensor.name = list(shape), KINDS[kind], 0, 't'
        if scale is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = scale, zero
            tensor.quantization.quantizedDimension = axis
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.astype(kind).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operation(self, code, *inputs) -> None:
        kind = schema.OperatorCodeT()
        kind.builtinCode = kind.deprecatedBuiltinCode = code
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes)
        operator.inputs, operator.outputs = list(inputs), []
        self.model.operatorCodes.append(kind)
        self.graph.operators.append(operator)

    def write(self, path):
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b'TFL3')
        path.write_bytes(bytes(builder.Output()))
        return path


def convolution(file, kind, scale, zero, axis=0, kernel=KERNEL, bias=BIAS, bias_scale=0.01):
    weights = file.tensor(kernel.shape, kind, kernel, scale, zero, axis)
    zeros = [0] * len(np.atleast_1d(bias_scale))
    added = file.tensor(bias.shape, np.int32, bias, list(np.atleast_1d(bias_scale)), zeros)
    return weights, added


@pytest.mark.parametrize(
    ('kind', 'scale', 'zero'),
    [(np.uint8, [0.5], [7]), (np.int8, [0.5, 2.0], [0, 0])],
    ids=['tensor', 'channel'],
)
def test_convolution(kind, scale, zero, tmp_path):
    file = File()
    file.operation(schema.BuiltinOperator.CONV_2D, 0, *convolution(file, kind, scale, zero))
    source = read_tflite(file.write(tmp_path / 'x.tflite'))
    assert source.pixels == InputRange(0.5, 10.0)
    (found,) = source.convolutions
    expected = np.reshape(scale, (-1, 1, 1, 1)) * (KERNEL.astype(float) - zero[0])
    np.testing.assert_allclose(found.kernel, expected.transpose(1, 2, 3, 0))
    np.testing.assert_allclose(found.bias, [1.0, -2.0], rtol=1e-6)
    assert not found.depthwise


def test_depthwise_among_other_operations(tmp_path):
    file = File()
    kernel = np.arange(9 * 2, dtype=np.uint8).reshape(1, 3, 3, 2)
    weights = convolution(file, np.int8, [1.0, 3.0], [0, 0], axis=3, kernel=kernel)
    file.operation(schema.BuiltinOperator.RELU6, 0)
    file.operation(schema.BuiltinOperator.DEPTHWISE_CONV_2D, 0, *weights)
    (found,) = read_tflite(file.write(tmp_path / 'x.tflite')).convolutions
    assert found.depthwise
    np.testing.assert_allclose(found.kernel[..., 0], kernel[0] * [1.0, 3.0])


def test_no_convolution(tmp_path):
    assert read_tflite(File().write(tmp_path / 'x.tflite')).convolutions == ()


def test_floats_are_taken_as_they_are(tmp_path):
    file = File()
    kernel = file.tensor(KERNEL.shape, np.float32, KERNEL / 8)
    file.operation(schema.BuiltinOperator.CONV_2D, 0, kernel, file.tensor((2,), np.float32, BIAS))
    (found,) = read_tflite(file.write(tmp_path / 'x.tflite')).convolutions
    np.testing.assert_array_equal(found.kernel, KERNEL.transpose(1, 2, 3, 0) / 8)
    np.testing.assert_array_equal(found.bias, BIAS)


@pytest.mark.parametrize(
    ('content', 'words'),
    [(None, 'is missing'), (b'', 'cannot be read'), (b'no flatbuffer' * 9, 'cannot be read')],
    ids=['missing', 'empty', 'damaged'],
)
def test_bad_file(content, words, tmp_path):
    path = tmp_path / 'x.tflite'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=words):
        read_tflite(path)
