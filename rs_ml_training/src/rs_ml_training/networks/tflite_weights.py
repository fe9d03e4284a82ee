"""Convolutions of a TFLite file as dequantised float arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.errors import CheckpointError

_NUMPY_TYPES = {
    'FLOAT32': np.float32,
    'FLOAT16': np.float16,
    'INT32': np.int32,
    'UINT8': np.uint8,
    'INT8': np.int8,
}


@dataclass(frozen=True)
class Convolution:
    """A convolution whose batch normalisation has been folded into it.

    Attributes:
        kernel: float32 in the layout of Keras: (h, w, in, out), depthwise (h, w, in, 1).
        bias: float32, one for each channel of the result.
        depthwise: one kernel per channel.
    """

    kernel: np.ndarray
    bias: np.ndarray
    depthwise: bool


@dataclass(frozen=True)
class InputRange:
    """Input of the network for a pixel of 0..255: scale * (pixel - zero_point)."""

    scale: float
    zero_point: float


@dataclass(frozen=True)
class FoldedNetwork:
    """The convolutions of a TFLite file.

    Attributes:
        pixels: range of its input.
        convolutions: in the order in which they are computed.
    """

    pixels: InputRange
    convolutions: tuple[Convolution, ...]


def read_tflite(path: Path) -> FoldedNetwork:
    """Read the convolutions of a quantised TFLite file whose input is a uint8 image.

    Raises:
        CheckpointError: the file is missing, damaged, or its input is not a quantised image.
        ConfigError: the package that reads such files is not installed.
    """
    if not path.is_file():
        raise CheckpointError(f'{path} is missing: give a .tflite file')
    schema = _schema()
    content = path.read_bytes()
    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        graph = model.subgraphs[0]
        codes = [max(c.builtinCode, c.deprecatedBuiltinCode) for c in model.operatorCodes]
        convolutions = [
            _convolution(model, schema, operator.inputs, depthwise=kind == 'DEPTHWISE_CONV_2D')
            for operator in graph.operators
            for kind in (_name_of(schema.BuiltinOperator, codes[operator.opcodeIndex]),)
            if kind in ('CONV_2D', 'DEPTHWISE_CONV_2D')
        ]
        pixels = graph.tensors[graph.inputs[0]].quantization
        scale, zero_point = float(pixels.scale[0]), float(pixels.zeroPoint[0])
    except Exception as error:  # any error that other bytes can cause in flatbuffers
        raise CheckpointError(
            f'{path} cannot be read as a quantised TFLite network of images: {error}'
        ) from error
    return FoldedNetwork(InputRange(scale, zero_point), tuple(convolutions))


def _schema() -> Any:
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError:
        try:
            from tensorflow.lite.python import schema_py_generated as schema
        except ImportError as error:
            raise ConfigError(
                'weights in a .tflite file need the package ai-edge-litert or tensorflow'
            ) from error
    return schema


def _convolution(model: Any, schema: Any, inputs: Any, *, depthwise: bool) -> Convolution:
    kernel, bias = (_constant(model, schema, int(index)) for index in inputs[1:3])
    # TFLite has (out, h, w, in) and (1, h, w, in * multiplier).
    order = (1, 2, 3, 0)
    return Convolution(np.ascontiguousarray(kernel.transpose(order)), bias, depthwise)


def _constant(model: Any, schema: Any, index: int) -> np.ndarray:
    tensor = model.subgraphs[0].tensors[index]
    data = model.buffers[tensor.buffer].data
    kind = _NUMPY_TYPES[_name_of(schema.TensorType, tensor.type)]
    values = np.frombuffer(bytes(data), kind).reshape(tensor.shape).astype(np.float32)
    quantisation = tensor.quantization
    if quantisation is None or quantisation.scale is None or not len(quantisation.scale):
        return values
    shape = [1] * values.ndim
    shape[quantisation.quantizedDimension] = -1
    scale, zero_point = (
        np.asarray(a, np.float32).reshape(shape)
        for a in (quantisation.scale, quantisation.zeroPoint)
    )
    return scale * (values - zero_point)


def _name_of(enumeration: type, value: int) -> str:
    return next((n for n, v in vars(enumeration).items() if v == value), '')
