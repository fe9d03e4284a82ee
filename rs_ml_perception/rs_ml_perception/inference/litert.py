"""LiteRT, formerly TensorFlow Lite: .tflite."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import BackendError
from rs_ml_perception.inference.backends import BackendOptions, NetworkFile
from rs_ml_perception.inference.contents import FileContents, TensorInfo, dtype_name
from rs_ml_perception.inference.cpu import available_cores
from rs_ml_perception.inference.tensors import FileTensor, find_tensors, known_sizes

_SIGN_BIT = 0x80


class LiteRtBackend:
    """One interpreter; XNNPACK on the CPU.

    Quantised tensors are converted by their scale and zero point: a quantised input accepts a
    float array, and quantised outputs are returned as float32. An integer array of the dtype of
    the input is used unchanged (raw pixels).
    """

    precision = 'float32'
    device = 'cpu'

    def __init__(self, network: NetworkFile, options: BackendOptions) -> None:
        from ai_edge_litert.interpreter import Interpreter

        if options.device not in ('auto', 'cpu'):
            raise BackendError(f'litert has no device {options.device!r} here, it has cpu')
        self.threads = options.threads or available_cores()
        try:
            self._interpreter = Interpreter(str(network.path), num_threads=self.threads)
        except (ValueError, RuntimeError) as error:
            raise BackendError(f'litert cannot load {network.path}: {error}') from error
        self._inputs = find_tensors('input', network, self._tensors('input'))
        self._outputs = find_tensors('output', network, self._tensors('output'))
        self._shape_inputs(network)
        try:
            self._interpreter.allocate_tensors()
        except RuntimeError as error:  # raised for operations that this build lacks
            raise BackendError(f'litert cannot run {network.path}: {error}') from error

    def _shape_inputs(self, network: NetworkFile) -> None:
        """Set the sizes that are free in the file."""
        for key, details in self._inputs.items():
            shape = network.inputs[key].shape
            if shape is not None and tuple(details['shape']) != shape:
                self._interpreter.resize_tensor_input(details['index'], shape, strict=True)

    def _tensors(self, kind: str) -> dict[str, FileTensor]:
        """Tensors by their name and by that of the signature."""
        interpreter = self._interpreter
        details = (
            interpreter.get_input_details()
            if kind == 'input'
            else interpreter.get_output_details()
        )
        by_name = {d['name']: d for d in details}
        for signature in interpreter.get_signature_list():
            runner = interpreter.get_signature_runner(signature)
            named = runner.get_input_details() if kind == 'input' else runner.get_output_details()
            by_name.update({name: d for name, d in named.items() if d['name'] in by_name})
        return {name: _file_tensor(d, kind) for name, d in by_name.items()}

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the network; returned arrays are copies."""
        for key, details in self._inputs.items():
            self._interpreter.set_tensor(details['index'], quantize(inputs[key], details))
        self._interpreter.invoke()
        return {
            key: dequantize(self._interpreter.get_tensor(details['index']), details)
            for key, details in self._outputs.items()
        }

    def close(self) -> None:
        self._interpreter = None


def contents(path: Path, file_format: str) -> FileContents:
    """Tensors of a file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    inputs, outputs = (
        tuple(_tensor_info(details) for details in row)
        for row in (interpreter.get_input_details(), interpreter.get_output_details())
    )
    return FileContents(path, file_format, 'litert', inputs, outputs)


def _tensor_info(details: dict[str, Any]) -> TensorInfo:
    scale, zero_point = details['quantization']
    quantization = (float(scale), int(zero_point)) if scale else None
    shape = details['shape_signature'] if len(details['shape_signature']) else details['shape']
    return TensorInfo(
        details['name'], known_sizes(shape), dtype_name(details['dtype']), quantization
    )


def _file_tensor(details: dict[str, Any], kind: str) -> FileTensor:
    """Quantised inputs also accept real numbers; quantised outputs become real numbers."""
    dtype = details['dtype']
    if details['quantization'][0]:
        dtype = None if kind == 'input' else np.float32
    return FileTensor(details, details['shape_signature'], dtype)


def quantize(values: np.ndarray, details: Mapping[str, Any]) -> np.ndarray:
    """Values in the representation of the tensor: q = round(v / scale) + zero_point, saturated.

    Pixels, uint8, fill the range of an int8 tensor.
    """
    dtype = np.dtype(details['dtype'])
    if values.dtype == dtype:
        return values
    if values.dtype == np.uint8 and dtype == np.int8:
        return (values ^ np.uint8(_SIGN_BIT)).view(np.int8)
    scale, zero_point = details['quantization']
    if dtype.kind not in 'iu' or not scale:
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    steps: np.ndarray = np.clip(np.rint(values / scale) + zero_point, limits.min, limits.max)
    return steps.astype(dtype)


def dequantize(values: np.ndarray, details: Mapping[str, Any]) -> np.ndarray:
    """Float32 values of a quantised tensor; other tensors unchanged."""
    scale, zero_point = details['quantization']
    if values.dtype.kind not in 'iu' or not scale:
        return values
    return (values.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)
