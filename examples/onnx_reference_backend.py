"""A backend: ONNX files by the reference evaluator of the package onnx, in NumPy.

Slow, and useful: it settles which of two runtimes is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import BackendError
from rs_ml_perception.inference.backends import (
    BACKENDS,
    BackendInfo,
    BackendOptions,
    NetworkFile,
)
from rs_ml_perception.inference.tensors import FileTensor, find_tensors


class OnnxReferenceBackend:
    """One evaluator; named arrays in, named arrays out."""

    device = 'cpu'
    precision = 'float32'
    threads = 1

    def __init__(self, network: NetworkFile, options: BackendOptions) -> None:
        """Load the file and compare its tensors with the manifest."""
        import onnx.reference  # on use: nobody pays for a runtime that was not chosen

        if options.device not in ('auto', 'cpu'):
            raise BackendError(f'onnx_reference has no device {options.device!r}, it has cpu')
        try:
            model = onnx.load(network.path)
            self._run = onnx.reference.ReferenceEvaluator(model).run
        except Exception as error:  # its exceptions share no public base class
            raise BackendError(f'onnx cannot load {network.path}: {error}') from error
        self._inputs = find_tensors('input', network, _tensors(model.graph.input))
        self._outputs = find_tensors('output', network, _tensors(model.graph.output))

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the network."""
        named = {name: inputs[key] for key, name in self._inputs.items()}
        values = self._run(list(self._outputs.values()), named)
        return dict(zip(self._outputs, values, strict=True))

    def close(self) -> None:
        """Free the network."""
        del self._run


def _tensors(values: Iterable[Any]) -> dict[str, FileTensor]:
    """Name -> tensor of the file: its handle, shape (None where free) and dtype."""
    from onnx.helper import tensor_dtype_to_np_dtype

    found = {}
    for value in values:
        tensor = value.type.tensor_type
        shape = [d.dim_value or None for d in tensor.shape.dim]
        dtype = tensor_dtype_to_np_dtype(tensor.elem_type).name
        found[value.name] = FileTensor(value.name, shape, dtype)
    return found


BACKENDS['onnx_reference'] = BackendInfo(
    name='onnx_reference',
    target='onnx_reference_backend:OnnxReferenceBackend',
    module='onnx',
    formats=('onnx',),
    install='pip install onnx',
    takes_threads=False,
)
