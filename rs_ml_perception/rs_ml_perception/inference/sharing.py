"""One copy of each network in a process; its users take turns in the order of their requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from rs_ml_perception.core.errors import BackendError
from rs_ml_perception.inference.backends import Backend


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
