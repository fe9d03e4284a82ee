"""A model, ready to run."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rs_ml_perception.core.errors import BackendError
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.core.pipeline import Closing
from rs_ml_perception.inference.backends import Backend, BackendOptions
from rs_ml_perception.inference.manifest import ModelManifest
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_perception.inference.selection import open_backend
from rs_ml_perception.inference.shelf import find_model
from rs_ml_perception.inference.tuned import recall


class Model(Closing):
    """A loaded network with its manifest. One caller at a time.

    Attributes:
        manifest: of the model directory.
        backend_name: one of the keys of BACKENDS.
    """

    def __init__(self, manifest: ModelManifest, backend_name: str, backend: Backend) -> None:
        self.manifest = manifest
        self.backend_name = backend_name
        self._backend: Backend | None = backend
        self._device, self._precision = backend.device, backend.precision
        self._runs = 0

    @property
    def title(self) -> str:
        """Name and version."""
        return self.manifest.title

    @property
    def device(self) -> str:
        """Device in use: 'cpu', 'gpu' or 'npu'."""
        return self._device

    @property
    def precision(self) -> str:
        """Precision of the arithmetic: 'float32', 'bfloat16' or 'float16'."""
        return self._precision

    @property
    def input_size(self) -> tuple[int, int] | None:
        """(width, height) of the first input in pixels, None: any size."""
        return self.manifest.input.size

    @property
    def labels(self) -> LabelMap:
        return self.manifest.labels

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the network.

        Args:
            inputs: by the manifest's input names, dtype and shape as declared there, with the
                batch axis.

        Returns:
            Outputs by the manifest's output names, with the batch axis.

        Raises:
            BackendError: the model was closed, or the runtime refused.
        """
        if self._backend is None:
            raise BackendError(f'{self.title} was closed: load it again')
        self._runs += 1
        try:
            return self._backend({**inputs, **self.manifest.constants})
        except RuntimeError as error:  # the base class in openvino, litert and onnxruntime
            raise BackendError(f'{self.title}: {self.backend_name} refused: {error}') from error

    def warm_up(self, *, runs: int = 2) -> float:
        """Run on black images, so that the first frame is not late; returns milliseconds.

        It runs at least once and until there were `runs` runs, golden inputs included.
        """
        start = time.perf_counter()
        inputs = {spec.name: spec.black() for spec in self.manifest.inputs}
        for _ in range(max(1, runs - self._runs)):
            self(inputs)
        return 1e3 * (time.perf_counter() - start)

    def close(self) -> None:
        """Free the network; a second call does nothing."""
        if self._backend is not None:
            self._backend.close()
            self._backend = None


def load_model(
    name_or_dir: str | os.PathLike[str],
    *,
    backend: str = 'auto',
    device: str = 'auto',
    threads: int = 0,
    precision: str | None = None,
) -> Model:
    """Load a model by name or directory.

    With backend 'auto' and no other option, the result of `rs-ml models tune` on this machine is
    used, else the first backend in the fixed order that can load the model.

    Args:
        name_or_dir: a directory with a manifest, or a name of the shelf.
        backend: 'auto' or a key of BACKENDS.
        device: 'auto', 'cpu', 'gpu' or 'npu', if the backend has it.
        threads: CPU threads per inference; 0 is the runtime's (or the tuned) choice.
        precision: 'float32', 'bfloat16' or 'float16'; None: the tuned choice, else float32.

    Raises:
        ModelError: there is no such model, or its files are missing or damaged.
        BackendError: no runtime can load it, or the device is absent.
        ConfigError: unknown backend, device or precision.
    """
    manifest = read_manifest(find_model(name_or_dir))
    options = BackendOptions(device, threads, precision or 'float32')
    if backend == 'auto' and device == 'auto' and precision is None:
        choice = recall(manifest)
        if choice is not None:
            backend = choice.backend
            options = replace(
                options, threads=threads or choice.threads, precision=choice.precision
            )
    name, loaded = open_backend(manifest, backend, options)
    return Model(manifest, name, loaded)
