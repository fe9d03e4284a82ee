"""OpenCV's dnn module: .pb with .pbtxt, ONNX, TFLite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from rs_ml_perception.core.errors import BackendError, ModelError
from rs_ml_perception.inference.backends import BackendOptions, NetworkFile


class OpenCvBackend:
    """One cv2.dnn network, on the CPU.

    OpenCV reports neither shapes nor types of tensors: a mismatch with the manifest appears when
    the network runs, and in its golden output.

    `threads` is ignored: OpenCV has one number for the whole process (cv2.setNumThreads).
    """

    precision = 'float32'
    device = 'cpu'

    def __init__(self, network: NetworkFile, options: BackendOptions) -> None:
        if options.device not in ('auto', 'cpu'):
            raise BackendError(f'opencv has no device {options.device!r} here, it has cpu')
        self.threads = cv2.getNumThreads()
        self._network = network
        try:
            self._net = _read(network)
        except cv2.error as error:
            raise BackendError(f'opencv cannot load {network.path.name}: {error.err}') from error
        if self._net.empty():
            raise BackendError(f'opencv cannot load {network.path.name}: no layer in it')
        # The TFLite importer of OpenCV converts NHWC networks to NCHW.
        self._swaps_layout = network.format == 'tflite'
        self._single_output = len(self._net.getUnconnectedOutLayersNames()) == 1
        self._check_outputs()

    def _check_outputs(self) -> None:
        """Raise ModelError for a name that is no layer; the only output may have any name."""
        outputs = self._network.outputs
        if self._single_output and len(outputs) == 1:
            return
        ends = self._net.getUnconnectedOutLayersNames()
        known = {*ends, *self._net.getLayerNames()}
        wrong = [spec.name for spec in outputs.values() if spec.name not in known]
        if wrong:
            raise ModelError(
                f'{self._network.model}: {self._network.path.name} has no output {wrong[0]!r}, it '
                f'has {sorted(ends)}: correct the manifest'
            )

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the network."""
        for key, spec in self._network.inputs.items():
            values = inputs[key]
            if self._swaps_layout and values.ndim == 4:
                values = np.ascontiguousarray(values.transpose(0, 3, 1, 2))
            self._net.setInput(values, *(() if len(inputs) == 1 else (spec.name,)))
        return {key: self._in_layout(values) for key, values in self._forward().items()}

    def _forward(self) -> dict[str, np.ndarray]:
        outputs = self._network.outputs
        try:
            if self._single_output and len(outputs) == 1:
                return {next(iter(outputs)): self._net.forward()}
            values = self._net.forward([spec.name for spec in outputs.values()])
        except cv2.error as error:
            raise BackendError(
                f'opencv cannot run {self._network.path.name}: {error.err}'
            ) from error
        missing = [key for key, value in zip(outputs, values, strict=True) if value is None]
        if missing:
            raise BackendError(f'opencv gives no {missing} for {self._network.path.name}')
        return dict(zip(outputs, values, strict=True))

    def _in_layout(self, values: np.ndarray) -> np.ndarray:
        if self._swaps_layout and values.ndim == 4:
            return values.transpose(0, 2, 3, 1)
        return values

    def close(self) -> None:
        self._net = None


def _read(network: NetworkFile) -> Any:
    path = str(network.path)
    if network.format == 'onnx':
        return cv2.dnn.readNetFromONNX(path)
    if network.format == 'opencv':
        return cv2.dnn.readNetFromTensorflow(path, ''.join(map(str, network.companions[:1])))
    if not hasattr(cv2.dnn, 'readNetFromTFLite'):
        raise BackendError(f'OpenCV {cv2.__version__} reads no TFLite, 4.7 and later do')
    return cv2.dnn.readNetFromTFLite(path)
