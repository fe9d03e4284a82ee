"""A model, ready to run."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import numpy as np

from rs_ml_perception.core.errors import BackendError
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.core.pipeline import Closing
from rs_ml_perception.inference.backends import Backend
from rs_ml_perception.inference.manifest import ModelManifest


class Model(Closing):
    """A loaded network with its manifest. One caller at a time.

    Attributes:
        manifest: of the model directory.
        backend_name: one of the keys of BACKENDS.
        device: device in use: 'cpu', 'gpu' or 'npu'.
        precision: precision of the arithmetic: 'float32', 'bfloat16' or 'float16'.
        threads: of one inference; 0: the runtime does not say.
        inference_ms: fastest run of the warm-up, NaN before it.
        concerns: what differs from the request, and better choices that failed.
    """

    def __init__(
        self,
        manifest: ModelManifest,
        backend_name: str,
        backend: Backend,
        concerns: tuple[str, ...] = (),
    ) -> None:
        self.manifest = manifest
        self.backend_name = backend_name
        self.device, self.precision, self.threads = (
            backend.device,
            backend.precision,
            backend.threads,
        )
        self.inference_ms = math.nan
        self.concerns = concerns
        self._backend: Backend | None = backend
        self._runs = 0

    @property
    def title(self) -> str:
        """Name and version."""
        return self.manifest.title

    @property
    def input_size(self) -> tuple[int, int] | None:
        """(width, height) of the first input in pixels, None: any size."""
        return self.manifest.input.size

    @property
    def labels(self) -> LabelMap:
        return self.manifest.labels

    def describe(self) -> dict[str, str]:
        """Facts for the log and diagnostics.

        The rate is that of the network in its warm-up, which others that load may slow down.
        """
        facts = {
            'model': self.title,
            'backend': self.backend_name,
            'device': self.device,
            'precision': self.precision,
            'threads': str(self.threads or 'chosen by the runtime'),
            'input_size': 'any' if self.input_size is None else '{}x{}'.format(*self.input_size),
        }
        if not math.isnan(self.inference_ms):
            facts['inference_ms'] = f'{self.inference_ms:.1f}'
            facts['rate_at_start_hz'] = f'{1e3 / self.inference_ms:.0f}'
        return facts | {'licence': self.manifest.license}

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

    def warm_up(self, *, runs: int = 3) -> float:
        """Run on black images, so that the first frame is not late; returns milliseconds.

        It runs at least twice and until there were `runs` runs, golden inputs included.
        """
        start = time.perf_counter()
        inputs = {spec.name: spec.black() for spec in self.manifest.inputs}
        times_ms = []
        for _ in range(max(2, runs - self._runs)):
            begun = time.perf_counter()
            self(inputs)
            times_ms.append(1e3 * (time.perf_counter() - begun))
        self.inference_ms = min(times_ms)
        return 1e3 * (time.perf_counter() - start)

    def close(self) -> None:
        """Free the network; a second call does nothing."""
        if self._backend is not None:
            self._backend.close()
            self._backend = None
