"""Loading ahead of time: for whom, how often, and what becomes of errors."""

import threading

import pytest
from rs_ml_perception.ros.preload import Preload


@pytest.mark.parametrize(
    ('begun', 'taken', 'loaded'),
    [([], ['a'], 'a'), (['a'], ['a'], 'a'), (['a'], ['b'], 'ab'), (['a'], ['a', 'a'], 'aa')],
)
def test_what_was_begun_is_taken_once_and_by_its_subject_alone(begun, taken, loaded):
    calls = []
    preload = Preload(lambda subject: calls.append(subject) or subject.upper())
    for subject in begun:
        preload.begin(subject)
    assert [preload.take(subject) for subject in taken] == [t.upper() for t in taken]
    assert ''.join(calls) == loaded
    assert not preload.is_under_way


def test_an_error_waits_for_whoever_takes():
    preload = Preload(lambda subject: 1 / subject)
    preload.begin(0)
    with pytest.raises(ZeroDivisionError):
        preload.take(0)
    assert preload.take(2) == 0.5


def test_what_is_abandoned_has_ended():
    gate, ended = threading.Event(), []
    preload = Preload(lambda subject: gate.wait(10) and ended.append(subject))
    preload.begin('a')
    assert preload.is_under_way
    threading.Timer(0.05, gate.set).start()
    preload.abandon()
    assert ended == ['a']
