"""A model, ready to run, and the networks of a process, each in one copy for all its users."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager

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


class Turns:
    """A lock that serves waiting threads in the order in which they came.

    With threading.Lock a node that is always busy keeps another one waiting for ever.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._next, self._served = 0, 0

    @property
    def waiting(self) -> int:
        """How many threads wait, besides the one whose turn it is."""
        with self._condition:
            return max(0, self._next - self._served - 1)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the turn of the caller."""
        with self._condition:
            ticket, self._next = self._next, self._next + 1
            self._condition.wait_for(lambda: self._served == ticket)
        try:
            yield
        finally:
            with self._condition:
                self._served += 1
                self._condition.notify_all()


class _Network:
    """A network and the number of its users."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.users = 0
        self.backend: Backend | None = None


class SharedBackend:
    """One user's view of a network that others may use, too; see Backend."""

    def __init__(self, network: _Network, backend: Backend, release: Callable[[], None]) -> None:
        self.device, self.precision = backend.device, backend.precision
        self.threads = backend.threads
        self._network, self._backend, self._release = network, backend, release
        self._is_closed = False

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the network when it is the turn of the caller.

        Arrays in the memory of the runtime are copied, as the next user overwrites it.

        Raises:
            BackendError: this view was closed.
        """
        if self._is_closed:
            raise BackendError('the network was closed: load it again')
        with self._network.turns.turn():
            outputs = self._backend(inputs)
            if self._network.users < 2:
                return outputs
            return {
                name: array if array.flags.owndata else array.copy()
                for name, array in outputs.items()
            }

    def close(self) -> None:
        """Free the network with its last user; a second call does nothing."""
        if not self._is_closed:
            self._is_closed = True
            self._release()


class Networks:
    """The loaded networks of a process by file and options."""

    def __init__(self) -> None:
        self._networks: dict[Hashable, _Network] = {}
        self._lock = threading.Lock()

    def open(self, key: Hashable, load: Callable[[], Backend]) -> SharedBackend:
        """A view of the network of this key, which is loaded for its first user.

        An exception of `load` is raised to every caller; the next one tries again.
        """
        with self._lock:
            network = self._networks.setdefault(key, _Network())
            network.users += 1
        try:
            # Loading takes a turn: others of the key wait for it, other keys do not.
            with network.turns.turn():
                if network.backend is None:
                    network.backend = load()
            return SharedBackend(network, network.backend, lambda: self._release(key, network))
        except BaseException:
            self._release(key, network)
            raise

    def count(self) -> int:
        """How many networks are loaded."""
        with self._lock:
            return len(self._networks)

    def _release(self, key: Hashable, network: _Network) -> None:
        with self._lock:
            network.users -= 1
            is_last = network.users == 0
            if is_last:
                del self._networks[key]
        if is_last and network.backend is not None:
            with network.turns.turn():
                network.backend.close()


NETWORKS = Networks()
"""Of this process."""
