"""Loading in the background: for which key, how often, and errors."""

import threading

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')

from rs_ml_perception.ros.preload import Preload


def ignored(_):
    pass


@pytest.mark.parametrize(
    ('begun', 'taken', 'loaded'),
    [
        ([], ['a'], 'a'),
        (['a'], ['a'], 'a'),
        (['a', 'a'], ['a'], 'a'),
        (['a'], ['b'], 'ab'),
        (['a'], ['a', 'a'], 'aa'),
        (['a', 'b'], ['b'], 'ab'),
    ],
)
def test_a_value_is_taken_once_and_with_its_own_key(begun, taken, loaded):
    calls = []
    preload = Preload(lambda key: calls.append(key) or key.upper(), ignored)
    for key in begun:
        preload.begin(key)
    assert [preload.take(key) for key in taken] == [t.upper() for t in taken]
    assert preload.has_ended(10.0)
    assert ''.join(sorted(calls)) == loaded
    assert not preload.is_ready(taken[-1])


def test_an_error_is_raised_when_the_value_is_taken():
    preload = Preload(lambda key: 1 / key, ignored)
    preload.begin(0)
    with pytest.raises(ZeroDivisionError):
        preload.take(0)
    assert preload.take(2) == 0.5


@pytest.mark.parametrize('fails', [False, True])
def test_an_abandoned_value_is_freed_once_loaded(fails):
    gate, freed = threading.Event(), []

    def load(key):
        assert gate.wait(10)
        if fails:
            raise ValueError(key)
        return key.upper()

    preload = Preload(load, freed.append)
    preload.begin('a')
    preload.abandon()
    assert not preload.has_ended(0.0)
    gate.set()
    assert preload.has_ended(10.0)
    assert freed == ([] if fails else ['A'])
