"""Who is waited for before a message goes: bookkeeping without ROS."""

from __future__ import annotations

import pytest
from rs_ml_perception.nodes.replay_lockstep import MAX_MISSES, Lockstep

COLOR, DEPTH, INFO = '/color', '/depth', '/info'
PERIOD = 100


@pytest.fixture
def lockstep():
    step = Lockstep({COLOR: PERIOD})
    for node in ('/a', '/b'):
        step.watch(node)
    return step


def test_nobody_to_wait_for():
    step = Lockstep({})
    step.published(COLOR, 100)
    assert step.blockers(COLOR, 200) == set()
    assert step.all_waiting() == set()
    assert step.num_published == 0
    step.watch('/a')  # a node that runs, with no image to work on
    step.report('/a', 100)
    assert step.nodes['/a'].lost == 0


def test_nothing_waits_before_the_first_frame(lockstep):
    assert lockstep.blockers(COLOR, 100) == set()
    assert lockstep.blockers(DEPTH, 500) == set()


@pytest.mark.parametrize(
    ('topic', 'stamp', 'waits'),
    [
        (COLOR, 200, True),
        (COLOR, 101, True),
        (DEPTH, 100, False),  # partner of the frame that is out
        (DEPTH, 140, False),
        (DEPTH, 151, True),  # nearer to the next frame
        (INFO, 200, True),
        (DEPTH, 49, True),  # stamps jumped back: a looped recording
    ],
)
def test_what_waits_for_the_frame_before(topic, stamp, waits, lockstep):
    lockstep.published(COLOR, 100)
    assert lockstep.blockers(topic, stamp) == ({'/a', '/b'} if waits else set())
    lockstep.report('/a', 100)
    assert lockstep.blockers(topic, stamp) == ({'/b'} if waits else set())
    lockstep.report('/b', 100)
    assert lockstep.blockers(topic, stamp) == set()


def test_an_old_report_does_not_count_for_the_frame_that_is_out(lockstep):
    lockstep.published(COLOR, 100)
    lockstep.give_up(['/a', '/b'])
    lockstep.published(COLOR, 200)
    lockstep.report('/a', 100)
    assert lockstep.all_waiting() == {'/a', '/b'}


def test_the_same_stamps_again_count_anew(lockstep):
    for _ in range(2):
        lockstep.published(COLOR, 100)
        assert lockstep.all_waiting() == {'/a', '/b'}
        lockstep.report('/a', 100)
        lockstep.report('/b', 100)
        assert lockstep.all_waiting() == set()


def test_a_stamp_that_was_never_published_is_told(lockstep):
    lockstep.published(COLOR, 100)
    lockstep.report('/a', 99)
    assert lockstep.nodes['/a'].unmatched == 1
    assert '/a' in lockstep.all_waiting()


def test_lost_frames_are_counted_per_node(lockstep):
    lockstep.published(COLOR, 100)
    lockstep.report('/a', 100)
    lockstep.give_up(lockstep.blockers(COLOR, 200))
    assert lockstep.nodes['/b'].misses == 1
    assert {name: node.lost for name, node in lockstep.nodes.items()} == {'/a': 0, '/b': 1}
    assert lockstep.all_waiting() == set()


def test_a_silent_node_holds_up_a_few_frames_only_and_may_come_back(lockstep):
    for number in range(MAX_MISSES):
        lockstep.published(COLOR, 100 * number)
        lockstep.report('/a', 100 * number)
        lockstep.give_up(['/b'])
    for stamp in (1000, 1100):
        lockstep.published(COLOR, stamp)
        assert lockstep.all_waiting() == {'/a'}
        lockstep.report('/a', stamp)
    lockstep.report('/b', 1100)
    lockstep.published(COLOR, 1200)
    assert lockstep.all_waiting() == {'/a', '/b'}
    lockstep.report('/a', 1200)
    lockstep.report('/b', 1200)
    # Frames that nobody waited for are lost as well.
    lost = {name: node.lost for name, node in lockstep.nodes.items()}
    assert lost == {'/a': 0, '/b': MAX_MISSES + 1}


def test_a_node_that_is_gone_is_not_waited_for(lockstep):
    lockstep.published(COLOR, 100)
    lockstep.forget('/a')
    assert lockstep.all_waiting() == {'/b'}


def test_a_node_that_comes_later_joins_with_the_next_frame(lockstep):
    lockstep.published(COLOR, 100)
    lockstep.watch('/late')
    assert '/late' not in lockstep.all_waiting()
    lockstep.published(COLOR, 200)
    assert '/late' in lockstep.all_waiting()


def test_each_node_is_tied_to_the_stream_it_reports():
    step = Lockstep({COLOR: PERIOD, DEPTH: PERIOD})
    step.watch('/detection')
    step.watch('/denoise')
    step.published(COLOR, 100)
    step.published(DEPTH, 110)
    step.report('/detection', 100)
    step.report('/denoise', 110)
    assert step.all_waiting() == set()
    step.published(COLOR, 200)
    assert step.all_waiting() == {'/detection'}
    step.published(DEPTH, 210)
    assert step.all_waiting() == {'/detection', '/denoise'}


def test_streams_that_share_stamps_stay_shared():
    step = Lockstep({COLOR: PERIOD, DEPTH: PERIOD})
    step.watch('/detection')
    step.published(COLOR, 100)
    step.published(DEPTH, 100)
    step.report('/detection', 100)
    assert step.all_waiting() == set()
    assert step.nodes['/detection'].topics == {COLOR, DEPTH}
