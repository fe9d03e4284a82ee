"""Timing of a replay: lockstep, and the time of /clock."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from rs_ml_perception.nodes.replay_timing import MAX_MISSES, Lockstep, ReplayClock
from rs_ml_perception.recordings.messages import IMAGE, Message

from rs_ml_perception.recordings import message_factory as factory

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
def test_messages_that_wait_for_the_previous_frame(topic, stamp, waits, lockstep):
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


def test_repeated_stamps_are_new_frames(lockstep):
    for _ in range(2):
        lockstep.published(COLOR, 100)
        assert lockstep.all_waiting() == {'/a', '/b'}
        lockstep.report('/a', 100)
        lockstep.report('/b', 100)
        assert lockstep.all_waiting() == set()


def test_reports_of_unpublished_stamps_are_counted(lockstep):
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


COLOR_IMAGE, DEPTH_IMAGE = '/c/color/image_raw', '/c/depth/image_rect_raw'
SEC_NS = 1_000_000_000
START_NS, PERIOD_NS = 1000 * SEC_NS, SEC_NS // 10


def message(topic, stamp_ns, log_ns):
    header = factory.serialise(topic, 'std_msgs/msg/Header', 0, factory.header(stamp_ns, 'f'))
    return Message(topic, IMAGE, log_ns, header.data)


def recorded(lag_ns, *, strange=()):
    """Colour and depth of ten frames, stamps behind the log times by the lag."""
    messages = []
    for number in range(10):
        log_ns = START_NS + number * PERIOD_NS
        stamp_ns = strange[1] if strange and number == strange[0] else log_ns - lag_ns
        messages += [
            message(DEPTH_IMAGE, log_ns - lag_ns, log_ns),
            message(COLOR_IMAGE, stamp_ns, log_ns),
        ]
    return SimpleNamespace(
        start_ns=START_NS,
        end_ns=messages[-1].log_time_ns,
        all=messages,
        messages=lambda topics: iter([m for m in messages if m.topic in topics]),
    )


LAGS = [0, 3_000_000, 2 * SEC_NS, -2 * SEC_NS, 900 * SEC_NS, -1_700_000_000 * SEC_NS]


@pytest.mark.parametrize('lag_ns', LAGS)
def test_in_lockstep_frames_are_fresh_at_any_log_time(lag_ns):
    recording = recorded(lag_ns)
    clock = ReplayClock(recording, COLOR_IMAGE, lockstep=True)
    clock.restart()
    ages = [clock.of(m) - m.stamp_ns for m in recording.all if m.topic == COLOR_IMAGE]
    assert ages == 10 * [0]


@pytest.mark.parametrize('lag_ns', LAGS)
def test_in_real_time_frames_are_as_old_as_they_were_unless_that_cannot_be(lag_ns):
    recording = recorded(lag_ns)
    clock = ReplayClock(recording, COLOR_IMAGE, lockstep=False)
    log_ns = START_NS + 3 * PERIOD_NS
    expected = lag_ns if abs(lag_ns) <= 10 * SEC_NS else 0
    assert clock.at(log_ns) - (log_ns - lag_ns) == expected


@pytest.mark.parametrize('stamp_ns', [0, 5, START_NS + 9000 * SEC_NS])
def test_one_stamp_that_cannot_be_true_does_not_move_the_time(stamp_ns):
    recording = recorded(0, strange=(4, stamp_ns))
    clock = ReplayClock(recording, COLOR_IMAGE, lockstep=True)
    times = [clock.of(m) for m in recording.all if m.topic == COLOR_IMAGE]
    assert times == [START_NS + n * PERIOD_NS for n in range(10)]


def test_frames_that_were_written_late_are_not_old():
    """A disk that stalls for seconds while it records."""
    recording = recorded(0)
    clock = ReplayClock(recording, COLOR_IMAGE, lockstep=True)
    late = message(COLOR_IMAGE, START_NS + PERIOD_NS, START_NS + 8 * SEC_NS)
    assert clock.of(late) == START_NS + PERIOD_NS
    assert (
        clock.of(message(DEPTH_IMAGE, START_NS + 2 * PERIOD_NS, START_NS + 8 * SEC_NS))
        == START_NS + PERIOD_NS
    )


def test_a_clock_that_was_set_is_followed():
    recording = recorded(0)
    clock = ReplayClock(recording, COLOR_IMAGE, lockstep=True)
    ages = []
    for number in range(20):
        lag_ns = 0 if number < 10 else 500 * SEC_NS
        frame = message(
            COLOR_IMAGE, START_NS + number * PERIOD_NS - lag_ns, START_NS + number * PERIOD_NS
        )
        ages.append(clock.of(frame) - frame.stamp_ns)
    assert ages[:10] + ages[14:] == 16 * [0]


@pytest.mark.parametrize(
    ('lag_ns', 'lockstep', 'words'),
    [
        (0, False, ''),
        (400_000_000, False, ''),
        (
            2 * SEC_NS,
            False,
            'stamps are 2.000 s behind the log times: nodes whose max_age_secs is less',
        ),
        (2 * SEC_NS, True, '2.000 s behind the log times: /clock follows the stamps'),
        (900 * SEC_NS, False, '900.000 s behind the log times: /clock follows the stamps'),
        (
            -2 * SEC_NS,
            False,
            '2.000 s ahead of the log times: for the nodes the frames are in the future',
        ),
        (-900 * SEC_NS, True, '900.000 s ahead of the log times: /clock follows the stamps'),
    ],
)
def test_a_lag_is_noted(lag_ns, lockstep, words):
    note = ReplayClock(recorded(lag_ns), COLOR_IMAGE, lockstep=lockstep).note
    assert words in note
    assert bool(note) == bool(words)


def test_without_images_the_time_is_that_of_the_log():
    recording = recorded(0)
    clock = ReplayClock(recording, None, lockstep=True)
    assert clock.restart() == START_NS
    assert clock.of(message('/imu', 7, START_NS + PERIOD_NS)) == START_NS + PERIOD_NS
    assert clock.restart() == START_NS
