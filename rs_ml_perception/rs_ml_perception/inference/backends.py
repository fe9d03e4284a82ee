"""Inference runtimes behind one protocol: named arrays in, named arrays out."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from rs_ml_perception.inference.manifest import TensorSpec

DEVICES = ('auto', 'cpu', 'gpu', 'npu')
PRECISIONS = ('float32', 'bfloat16', 'float16')

_PACKAGE = 'rs_ml_perception.inference.'


@dataclass(frozen=True)
class BackendOptions:
    """Device, threads and precision of a network.

    Attributes:
        device: one of DEVICES; `auto` is the CPU, unless an onnxruntime or TensorFlow build with
            GPU support finds a GPU.
        threads: CPU threads of one inference; 0 lets the runtime choose.
        precision: one of PRECISIONS; float32 is the deterministic default.
    """

    device: str = 'auto'
    threads: int = 0
    precision: str = 'float32'


@dataclass(frozen=True)
class NetworkFile:
    """The input of a backend: the file and its tensors.

    Attributes:
        model: name and version, for messages.
        format: one of manifest.FORMATS.
        path: the file, or the folder of a SavedModel.
        inputs, outputs: name in the manifest -> tensor expected in the file.
        companions: files that belong to it.
    """

    model: str
    format: str
    path: Path
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    companions: tuple[Path, ...] = field(default=())


class Backend(Protocol):
    """A loaded network. One caller at a time; model.Networks gives several a turn each.

    Loading compares names, shapes and types of the tensors in the file with the manifest, as far
    as the runtime reports them, and raises a ModelError on a mismatch (tensors.find_tensors).

    Attributes:
        device: device in use, e.g. 'cpu'.
        precision: one of PRECISIONS, used by at least part of the arithmetic.
        threads: of one inference; 0: the runtime does not say.
    """

    device: str
    precision: str
    threads: int

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the network; names are those of the manifest, the batch axis is kept."""
        ...

    def close(self) -> None:
        """Free the network; it cannot be called afterwards."""
        ...


@dataclass(frozen=True)
class BackendInfo:
    """One row of the table of backends.

    Attributes:
        target: 'module:Class', imported when chosen; the class takes (NetworkFile,
            BackendOptions).
        module: the runtime's import name.
        formats: artefact formats it reads, preferred first.
        install: command that installs a missing runtime.
        precisions: those tried by `rs-ml models tune`.
        takes_threads: whether `threads` makes a difference.
    """

    name: str
    target: str
    module: str
    formats: tuple[str, ...]
    install: str
    precisions: tuple[str, ...] = ('float32',)
    takes_threads: bool = True

    @property
    def is_installed(self) -> bool:
        """Whether the runtime can be imported, without importing it."""
        package, _, _ = self.module.partition('.')
        return importlib.util.find_spec(package) is not None

    def load_class(self) -> type:
        """Import the backend (the runtime follows when a network is loaded)."""
        module, _, name = self.target.partition(':')
        backend: type = getattr(importlib.import_module(module), name)
        return backend


BACKENDS: dict[str, BackendInfo] = {
    info.name: info
    for info in (
        BackendInfo(
            'litert',
            f'{_PACKAGE}litert:LiteRtBackend',
            'ai_edge_litert',
            ('tflite',),
            'pip install ai-edge-litert',
        ),
        BackendInfo(
            'openvino',
            f'{_PACKAGE}openvino_runtime:OpenVinoBackend',
            'openvino',
            ('openvino', 'onnx', 'tflite', 'frozen_graph', 'saved_model'),
            'pip install openvino',
            precisions=('float32', 'bfloat16'),
        ),
        BackendInfo(
            'onnxruntime',
            f'{_PACKAGE}onnx_runtime:OnnxRuntimeBackend',
            'onnxruntime',
            ('onnx',),
            'pip install onnxruntime',
        ),
        BackendInfo(
            'opencv',
            f'{_PACKAGE}opencv_dnn:OpenCvBackend',
            'cv2',
            ('opencv', 'onnx', 'tflite'),
            'pip install opencv-python-headless',
            takes_threads=False,
        ),
        BackendInfo(
            'tensorflow',
            f'{_PACKAGE}tensorflow_runtime:TensorFlowBackend',
            'tensorflow',
            ('saved_model', 'frozen_graph'),
            'pip install tensorflow-cpu',
        ),
    )
}
"""In the order of `auto`: the least CPU time of the shipped networks in float32 first
(docs/performance.md), TensorFlow last, since its import takes seconds."""
