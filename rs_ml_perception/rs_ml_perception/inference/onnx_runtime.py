"""ONNX Runtime: .onnx."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import BackendError
from rs_ml_perception.inference.backends import BackendOptions, NetworkFile
from rs_ml_perception.inference.contents import FileContents, TensorInfo
from rs_ml_perception.inference.tensors import FileTensor, find_tensors, known_sizes

_CPU = 'CPUExecutionProvider'
_PROVIDERS = {
    'gpu': (
        'TensorrtExecutionProvider',
        'CUDAExecutionProvider',
        'MIGraphXExecutionProvider',
        'ROCMExecutionProvider',
        'DmlExecutionProvider',
    ),
    'npu': ('QNNExecutionProvider', 'VitisAIExecutionProvider', 'OpenVINOExecutionProvider'),
    'cpu': (_CPU,),
}
"""By device, the fastest first."""


class OnnxRuntimeBackend:
    """One session."""

    precision = 'float32'

    def __init__(self, network: NetworkFile, options: BackendOptions) -> None:
        import onnxruntime

        kind, providers = choose_providers(onnxruntime.get_available_providers(), options.device)
        self.threads = options.threads
        self._session = _session(network.path, options.threads, providers)
        self.device = device_in_use(self._session.get_providers(), kind, options.device)
        self._find_tensors(network)

    def _find_tensors(self, network: NetworkFile) -> None:
        self._inputs = find_tensors('input', network, _tensors(self._session.get_inputs()))
        self._outputs = find_tensors('output', network, _tensors(self._session.get_outputs()))

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the network."""
        named = {name: inputs[key] for key, name in self._inputs.items()}
        values = self._session.run(list(self._outputs.values()), named)
        return dict(zip(self._outputs, values, strict=True))

    def close(self) -> None:
        self._session = None


def _session(path: Path, threads: int, providers: list[str]) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Spinning threads would take the cores from the other models of the process.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:
        # The exceptions of the runtime have no public base class.
        raise BackendError(f'onnxruntime cannot load {path}: {error}') from error


def contents(path: Path, file_format: str) -> FileContents:
    """Tensors and metadata of a file."""
    session = _session(path, 1, [_CPU])
    about = session.get_modelmeta()
    metadata = {'producer': about.producer_name, 'description': about.description}
    known = {key: value for key, value in metadata.items() if value}
    inputs, outputs = (
        tuple(
            TensorInfo(name, known_sizes(tensor.shape), tensor.dtype)
            for name, tensor in _tensors(nodes).items()
        )
        for nodes in (session.get_inputs(), session.get_outputs())
    )
    return FileContents(
        path, file_format, 'onnxruntime', inputs, outputs, known | about.custom_metadata_map
    )


def _tensors(nodes: Iterable[Any]) -> dict[str, FileTensor]:
    return {node.name: FileTensor(node.name, node.shape, _dtype(node.type)) for node in nodes}


def _dtype(onnx_type: str) -> str | None:
    """'tensor(float)' to 'float32'; None for other types."""
    word = onnx_type.removeprefix('tensor(').removesuffix(')')
    word = {'float': 'float32', 'double': 'float64'}.get(word, word)
    return word if hasattr(np, word) else None


def choose_providers(available: Sequence[str], wanted: str) -> tuple[str, list[str]]:
    """The providers for a session to try, in this order.

    Args:
        available: providers of this build of onnxruntime.
        wanted: auto, cpu, gpu or npu.

    Returns:
        The device, and its providers followed by the CPU.

    Raises:
        BackendError: the build has none for the device.
    """
    for kind in ('gpu', 'cpu') if wanted == 'auto' else (wanted,):
        found = [name for name in _PROVIDERS.get(kind, ()) if name in available]
        if found:
            return kind, list(dict.fromkeys([*found, _CPU]))
    present = [kind for kind, names in _PROVIDERS.items() if set(names) & set(available)]
    raise BackendError(f'onnxruntime has no device {wanted!r} here, it has {", ".join(present)}')


def device_in_use(used: Sequence[str], chosen: str, wanted: str) -> str:
    """The device of a session, which falls back to the CPU if libraries or a device are missing.

    Args:
        used: providers of the session.
        chosen: the intended device.
        wanted: the device requested by the user.

    Raises:
        BackendError: the user requested a device that the session does not use.
    """
    if set(_PROVIDERS[chosen]) & set(used):
        return chosen
    if wanted == 'auto':
        return 'cpu'
    raise BackendError(
        f'onnxruntime could not start {" or ".join(_PROVIDERS[chosen][:2])} and fell back to '
        f'{", ".join(used)}: install the libraries these need, or set device: cpu'
    )
