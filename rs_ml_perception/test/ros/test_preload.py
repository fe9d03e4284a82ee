"""Loading ahead of time: for whom, how often, and what becomes of errors."""

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
def test_what_was_begun_is_taken_once_and_by_its_subject_alone(begun, taken, loaded):
    calls = []
    preload = Preload(lambda subject: calls.append(subject) or subject.upper(), ignored)
    for subject in begun:
        preload.begin(subject)
    assert [preload.take(subject) for subject in taken] == [t.upper() for t in taken]
    assert preload.has_ended(10.0)
    assert ''.join(sorted(calls)) == loaded
    assert not preload.is_under_way


def test_an_error_waits_for_whoever_takes():
    preload = Preload(lambda subject: 1 / subject, ignored)
    preload.begin(0)
    with pytest.raises(ZeroDivisionError):
        preload.take(0)
    assert preload.take(2) == 0.5


@pytest.mark.parametrize('fails', [False, True])
def test_what_is_abandoned_is_waited_for_by_nobody_and_freed(fails):
    gate, freed = threading.Event(), []

    def load(subject):
        assert gate.wait(10)
        if fails:
            raise ValueError(subject)
        return subject.upper()

    preload = Preload(load, freed.append)
    preload.begin('a')
    assert preload.is_under_way
    preload.abandon()
    assert not preload.is_under_way
    assert not preload.has_ended(0.0)
    gate.set()
    assert preload.has_ended(10.0)
    assert freed == ([] if fails else ['A'])
