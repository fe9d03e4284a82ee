"""Networks that several users of a process share."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from rs_ml_perception.core.errors import BackendError
from rs_ml_perception.inference.model import Networks, Turns

WAIT_SECS = 10.0


class Doubler:
    """A network whose output is always in the same memory, as with some runtimes."""

    device, precision, threads = 'cpu', 'float32', 3

    def __init__(self):
        self.is_closed = False
        self._memory = np.zeros(2, np.float32)

    def __call__(self, inputs):
        np.multiply(inputs['x'], 2, out=self._memory)
        return {'y': self._memory[:]}

    def close(self):
        self.is_closed = True


def run(network, value):
    return network({'x': np.full(2, value, np.float32)})['y']


def test_users_of_a_key_share_a_network_until_the_last_one_closes_it():
    networks, made = Networks(), []
    assert networks.count() == 0

    def load():
        made.append(Doubler())
        return made[-1]

    first, second, other = (networks.open(key, load) for key in ('a', 'a', 'b'))
    assert (len(made), networks.count()) == (2, 2)
    assert (second.device, second.precision, second.threads) == ('cpu', 'float32', 3)
    for _ in range(2):
        first.close()
    assert not made[0].is_closed
    with pytest.raises(BackendError, match='was closed'):
        run(first, 1)
    assert run(second, 1)[0] == 2
    second.close()
    assert made[0].is_closed
    assert not made[1].is_closed
    other.close()
    assert networks.count() == 0
    networks.open('a', load).close()
    assert len(made) == 3


def test_results_outlive_the_next_users_inference():
    networks = Networks()
    first, second = (networks.open('a', Doubler) for _ in range(2))
    result = run(first, 1)
    run(second, 5)
    np.testing.assert_array_equal(result, 2)


def test_a_network_that_cannot_be_loaded_is_not_kept():
    networks = Networks()

    def fail():
        raise BackendError('no such file')

    for _ in range(2):
        with pytest.raises(BackendError, match='no such file'):
            networks.open('a', fail)
    assert networks.count() == 0
    assert run(networks.open('a', Doubler), 1)[0] == 2


def test_turns_are_given_in_the_order_of_requests():
    turns, order, waiting = Turns(), [], []

    def take(name):
        with turns.turn():
            order.append(name)

    with turns.turn():
        for name in range(6):
            thread = threading.Thread(target=take, args=(name,), daemon=True)
            thread.start()
            waiting.append(thread)
            while turns.waiting < name + 1:
                thread.join(0.001)
    for thread in waiting:
        thread.join(WAIT_SECS)
    assert order == list(range(6))


def test_a_failure_ends_the_turn():
    turns = Turns()
    with pytest.raises(KeyError), turns.turn():
        raise KeyError
    with turns.turn():
        assert turns.waiting == 0
