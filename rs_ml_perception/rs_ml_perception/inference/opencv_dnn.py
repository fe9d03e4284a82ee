"""OpenCV's dnn module: .pb with .pbtxt, ONNX, TFLite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from rs_ml_perception.core.errors import BackendError
from rs_ml_perception.inference.backends import BackendOptions, NetworkFile

_TARGETS = {'cpu': cv2.dnn.DNN_TARGET_CPU, 'gpu': cv2.dnn.DNN_TARGET_OPENCL}


class OpenCvBackend:
    """One cv2.dnn network.

    `threads` is not used: OpenCV has one number for the whole process (cv2.setNumThreads).
    """

    precision = 'float32'

    def __init__(self, network: NetworkFile, options: BackendOptions) -> None:
        self.device = _pick_device(options.device)
        self._network = network
        try:
            self._net = _read(network)
        except cv2.error as error:
            raise BackendError(f'opencv cannot load {network.path.name}: {error.err}') from error
        if self._net.empty():
            raise BackendError(f'opencv cannot load {network.path.name}: no layer in it')
        self._net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
        self._net.setPreferableTarget(_TARGETS[self.device])
        self._single_output = len(self._net.getUnconnectedOutLayersNames()) == 1

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the network."""
        for key, (name, _) in self._network.inputs.items():
            single = len(self._network.inputs) == 1
            self._net.setInput(inputs[key], *(() if single else (name,)))
        outputs = self._network.outputs
        try:
            if self._single_output and len(outputs) == 1:
                return {next(iter(outputs)): self._net.forward()}
            return dict(zip(outputs, self._net.forward(list(outputs.values())), strict=True))
        except cv2.error as error:
            raise BackendError(
                f'opencv cannot run {self._network.path.name}: {error.err}'
            ) from error

    def close(self) -> None:
        self._net = None


def _pick_device(wanted: str) -> str:
    present = ['cpu', *(['gpu'] if cv2.ocl.haveOpenCL() else [])]
    device = 'cpu' if wanted == 'auto' else wanted
    if device not in present:
        raise BackendError(f'opencv has no device {wanted!r} here, it has {", ".join(present)}')
    return device


def _read(network: NetworkFile) -> Any:
    path = str(network.path)
    if network.format == 'onnx':
        return cv2.dnn.readNetFromONNX(path)
    if network.format == 'tflite':
        return cv2.dnn.readNetFromTFLite(path)
    return cv2.dnn.readNetFromTensorflow(path, *(str(p) for p in network.companions))
