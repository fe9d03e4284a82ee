"""The writer of each format, and the runtime that reads it back."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path

from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.export.artifact import (
    FLOAT32_ONLY,
    FORMATS,
    PRECISIONS,
    Arrays,
    ExportedArtifact,
    Network,
)
from rs_ml_training.export.onnx_file import load_onnx, load_openvino, write_onnx, write_openvino
from rs_ml_training.export.serving import Serving
from rs_ml_training.export.tensorflow_files import (
    load_frozen_graph,
    load_saved_model,
    load_tflite,
    write_frozen_graph,
    write_saved_model,
    write_tflite,
)

_NEEDS = {'onnx': ('tf2onnx', 'onnxruntime'), 'openvino': ('tf2onnx', 'openvino')}


def check_formats(formats: Sequence[str], precision: str) -> None:
    """Raise ConfigError for an unknown word, an invalid combination or a missing library."""
    if precision not in PRECISIONS:
        raise ConfigError(f'no precision {precision!r}, there are {", ".join(PRECISIONS)}')
    if not formats:
        raise ConfigError(f'no format is given, choose some of {", ".join(FORMATS)}')
    for name in formats:
        if name not in FORMATS:
            raise ConfigError(f'no format {name!r}, there are {", ".join(FORMATS)}')
        if name in FLOAT32_ONLY and precision != 'float32':
            raise ConfigError(
                f'{name} holds float32 alone, not {precision}: leave it out of the formats, or '
                'export it with precision float32'
            )
        for module in _NEEDS.get(name, ()):
            if importlib.util.find_spec(module) is None:
                raise ConfigError(f'{name} needs {module}: pip install {module}')


def write(
    name: str, serving: Serving, folder: Path, precision: str, samples: Iterable[Arrays]
) -> ExportedArtifact:
    """Write the network in a format below a folder.

    Raises:
        ExportError: the format cannot express the network.
    """
    if name == 'saved_model':
        return write_saved_model(serving, folder)
    if name == 'frozen_graph':
        return write_frozen_graph(serving, folder)
    writer = {'tflite': write_tflite, 'onnx': write_onnx, 'openvino': write_openvino}[name]
    return writer(serving, folder, precision, samples)


def load(artifact: ExportedArtifact, folder: Path, outputs: tuple[str, ...]) -> Network:
    """The file in the runtime of its format."""
    if artifact.format == 'frozen_graph':
        return load_frozen_graph(artifact, folder, outputs)
    loaders = {
        'saved_model': load_saved_model,
        'tflite': load_tflite,
        'onnx': load_onnx,
        'openvino': load_openvino,
    }
    return loaders[artifact.format](artifact, folder)
