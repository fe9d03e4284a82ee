"""A network in one file format, and the types of named arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

FORMATS = ('saved_model', 'frozen_graph', 'tflite', 'onnx', 'openvino')
DEFAULT_FORMATS = ('tflite', 'onnx', 'openvino')
FLOAT32_ONLY = ('saved_model', 'frozen_graph')
PRECISIONS = ('float32', 'float16', 'int8')

Arrays = Mapping[str, np.ndarray]
# Named arrays in, named arrays out; both with the batch axis.
Network = Callable[[Arrays], dict[str, np.ndarray]]


@dataclass(frozen=True)
class ExportedArtifact:
    """The files of one format in the model directory.

    Attributes:
        format: one of FORMATS.
        path: file or folder, relative to the folder of the model.
        companions: further files of the format, relative too.
        names: our name of a tensor -> its name in the file, where the two differ.
    """

    format: str
    path: str
    companions: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def megabytes(self, folder: Path) -> float:
        """Size of all its files [MB]."""
        paths = [folder / name for name in (self.path, *self.companions)]
        files = [f for p in paths for f in ([p] if p.is_file() else p.rglob('*')) if f.is_file()]
        return sum(f.stat().st_size for f in files) / 1e6


@dataclass(frozen=True)
class Port:
    """An input of the served network.

    Attributes:
        name: as the manifest calls it.
        shape: with the batch axis, (1, H, W, C).
        dtype: numpy name.
    """

    name: str
    shape: tuple[int, int, int, int]
    dtype: str

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.shape[2], self.shape[1]
