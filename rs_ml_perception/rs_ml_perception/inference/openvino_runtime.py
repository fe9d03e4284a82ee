"""OpenVINO: its own .xml, ONNX, TFLite, TF1 frozen graphs and SavedModels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import BackendError
from rs_ml_perception.inference.backends import BackendOptions, NetworkFile
from rs_ml_perception.inference.openvino_resize import remove_identity_resizes
from rs_ml_perception.inference.openvino_topk import split_long_topk
from rs_ml_perception.inference.tensors import FileTensor, find_tensors

_HINTS = {'float32': 'f32', 'bfloat16': 'bf16', 'float16': 'f16'}


class OpenVinoBackend:
    """One compiled model with one inference request."""

    def __init__(self, network: NetworkFile, options: BackendOptions) -> None:
        import openvino

        core = openvino.Core()
        self.device = _pick_device(core.available_devices, options.device)
        self.precision = options.precision
        try:
            model = core.read_model(network.path)
            self._fit(model, network)
            compiled = core.compile_model(model, self.device.upper(), self._config(options))
        except RuntimeError as error:
            raise BackendError(
                f'openvino cannot load {network.path.name}: {_reason(error)}'
            ) from error
        self._request = compiled.create_infer_request()

    def _fit(self, model: Any, network: NetworkFile) -> None:
        """Fix shapes, cut the graph to the wanted outputs, remember where tensors stand."""
        ports = find_tensors('input', network, _tensors(model.inputs))
        self._inputs = {key: port.get_any_name() for key, port in ports.items()}
        # The rewrites below make other ports of the outputs; their order stays.
        numbers = {port: i for i, port in enumerate(model.outputs)}
        outputs = find_tensors('output', network, _tensors(model.outputs))
        self._outputs = {key: numbers[port] for key, port in outputs.items()}
        shapes = {
            port: list(network.inputs[key].shape)
            for key, port in ports.items()
            if network.inputs[key].shape is not None
        }
        if shapes:
            model.reshape(shapes)
        remove_identity_resizes(model)
        split_long_topk(model)

    def _config(self, options: BackendOptions) -> dict[str, Any]:
        config: dict[str, Any] = {
            'PERFORMANCE_HINT': 'LATENCY',
            'INFERENCE_PRECISION_HINT': _HINTS[options.precision],
        }
        if self.device == 'cpu':
            # Pinned, all single-threaded models of a process would share the first core.
            config['ENABLE_CPU_PINNING'] = False
            if options.threads:
                config['INFERENCE_NUM_THREADS'] = options.threads
        return config

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the network; returned arrays are copies."""
        named = {name: inputs[key] for key, name in self._inputs.items()}
        self._request.infer(named, share_inputs=True, share_outputs=True)
        return {
            key: np.array(self._request.get_output_tensor(i).data)
            for key, i in self._outputs.items()
        }

    def close(self) -> None:
        self._request = None


def _pick_device(available: list[str], wanted: str) -> str:
    present = sorted({name.split('.')[0].lower() for name in available})
    device = 'cpu' if wanted == 'auto' else wanted
    if device not in present:
        raise BackendError(f'openvino has no device {wanted!r} here, it has {", ".join(present)}')
    return device


def _tensors(ports: list[Any]) -> dict[str, FileTensor]:
    """Ports under each of their names."""
    return {
        name: FileTensor(port, _shape(port), port.get_element_type().to_dtype())
        for port in ports
        for name in port.get_names()
    }


def _shape(port: Any) -> list[int | None] | None:
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        return None
    return [None if size.is_dynamic else size.get_length() for size in shape]


def _reason(error: RuntimeError) -> str:
    """The part of OpenVINO's many lines that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(('Exception from', 'Check '))]
    return ' '.join((telling or lines)[:4])[:300]
