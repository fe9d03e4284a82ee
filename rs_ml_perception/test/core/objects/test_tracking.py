"""Scripted objects and the numbers they keep."""

import itertools

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.objects.detections import Detections
from rs_ml_perception.core.objects.tracking import Tracker, TrackerOptions, best_pairs

FRAME_NS = 33_333_333


def boxes_at(centres, size=(60, 160), class_ids=None):
    """Detections of equal boxes around the centres, [(x, y), ...] in pixels."""
    centres = np.asarray(centres, np.float32).reshape(-1, 2)
    half = np.array(size, np.float32) / 2
    n = len(centres)
    classes = np.zeros(n) if class_ids is None else np.asarray(class_ids)
    xyxy = np.concatenate([centres - half, centres + half], axis=1)
    return Detections(xyxy, np.full(n, 0.9, np.float32), classes.astype(np.int32))


def follow(frames, options=None, start_ns=0):
    """Track ids of each frame."""
    tracker = Tracker(options)
    return [tracker(f, start_ns + i * FRAME_NS).track_ids.tolist() for i, f in enumerate(frames)]


def test_empty_stays_empty():
    assert follow([Detections.empty()] * 3) == [[], [], []]


@pytest.mark.parametrize(
    ('min_hits', 'expected'),
    [(1, [[0], [0], [0]]), (2, [[-1], [0], [0]]), (3, [[-1], [-1], [0]])],
)
def test_a_number_takes_min_hits(min_hits, expected):
    frames = [boxes_at([(100 + 4 * i, 200)]) for i in range(3)]
    assert follow(frames, TrackerOptions(min_hits=min_hits)) == expected


def test_rows_are_returned_as_they_came():
    detections = boxes_at([(100, 200), (400, 200)], class_ids=[3, 1])
    tracked = Tracker()(detections, 0)
    np.testing.assert_array_equal(tracked.xyxy, detections.xyxy)
    np.testing.assert_array_equal(tracked.scores, detections.scores)
    np.testing.assert_array_equal(tracked.class_ids, [3, 1])
    assert tracked.track_ids.dtype == np.int32


def test_order_of_rows_does_not_matter():
    rng = np.random.default_rng(0)
    tracker, centres = (
        Tracker(TrackerOptions(min_hits=1)),
        np.array([(80, 90), (300, 95), (520, 99)]),
    )
    expected = tracker(boxes_at(centres), 0).track_ids
    for i in range(1, 20):
        order = rng.permutation(3)
        moved = centres + np.array([2 * i, i])
        ids = tracker(boxes_at(moved[order]), i * FRAME_NS).track_ids
        np.testing.assert_array_equal(ids, expected[order])


@pytest.mark.parametrize('speed_px', [0, 3, -5])
@pytest.mark.parametrize('missed_frames', [1, 8, 15])
def test_identity_survives_occlusion(speed_px, missed_frames):
    rng = np.random.default_rng(2)
    hidden = range(30, 30 + missed_frames)
    frames = [
        Detections.empty()
        if i in hidden
        else boxes_at(np.array([320 + speed_px * i, 240]) + rng.normal(0, 1.5, 2))
        for i in range(60)
    ]
    ids = follow(frames)
    assert ids[29] == ids[30 + missed_frames] == ids[-1] == [0]


def test_a_track_is_forgotten_by_time_not_by_frames():
    tracker = Tracker(TrackerOptions(min_hits=1, max_age_secs=0.5))
    box = boxes_at([(100, 200)])
    assert tracker(box, 0).track_ids.tolist() == [0]
    assert tracker(box, 500_000_000).track_ids.tolist() == [0]
    assert tracker(box, 1_000_000_001).track_ids.tolist() == [1]
    for i in range(100):
        tracker(Detections.empty(), 1_000_000_001 + i * 1_000_000)
    assert tracker(box, 1_200_000_000).track_ids.tolist() == [1]


@pytest.mark.parametrize('hidden', [(), range(26, 35)])
@pytest.mark.parametrize('gap_px', [0, 20])
def test_crossing_people_keep_their_numbers(gap_px, hidden):
    frames = []
    for i in range(60):
        left, right = (100 + 6 * i, 240), (460 - 6 * i, 240 + gap_px)
        frames.append(boxes_at([left] if i in hidden else [left, right]))
    ids = follow(frames)
    assert ids[10] == ids[-1] == [0, 1]
    assert all(row[0] == 0 for row in ids[1:])


def test_a_new_object_gets_a_new_number():
    frames = [boxes_at([(100, 200)])] * 3 + [boxes_at([(100, 200), (400, 200)])] * 2
    assert follow(frames) == [[-1], [0], [0], [0, -1], [0, 1]]


@pytest.mark.parametrize(('jump_px', 'expected'), [(30, 0), (75, 0), (150, 1), (600, 1)])
def test_only_near_objects_keep_their_number(jump_px, expected):
    frames = [boxes_at([(100, 200)]), boxes_at([(100 + jump_px, 200)])]
    assert follow(frames, TrackerOptions(min_hits=1)) == [[0], [expected]]


@pytest.mark.parametrize('rate_hz', [5, 10, 30, 90])
def test_identity_does_not_depend_on_the_rate(rate_hz):
    tracker, ids = Tracker(TrackerOptions(min_hits=1)), set()
    for i in range(4 * rate_hz):
        secs = i / rate_hz
        centres = [(100 + 200 * secs, 240), (800 - 150 * secs, 250)]
        ids.add(tuple(tracker(boxes_at(centres), round(secs * 1e9)).track_ids.tolist()))
    assert ids == {(0, 1)}


def test_classes_are_never_mixed():
    tracker = Tracker(TrackerOptions(min_hits=1))
    assert tracker(boxes_at([(100, 200)], class_ids=[1]), 0).track_ids.tolist() == [0]
    both = boxes_at([(100, 200), (100, 200)], class_ids=[2, 1])
    assert tracker(both, FRAME_NS).track_ids.tolist() == [1, 0]


def test_a_jump_back_resets_and_no_number_comes_twice():
    tracker = Tracker(TrackerOptions(min_hits=1))
    box = boxes_at([(100, 200)])
    assert tracker(box, 5_000_000_000).track_ids.tolist() == [0]
    assert tracker(box, 5_000_000_000).track_ids.tolist() == [0]
    assert tracker(box, 4_800_000_000).track_ids.tolist() == [1]
    tracker.reset()
    assert len(tracker) == 0
    assert tracker(box, 5_000_000_000).track_ids.tolist() == [2]


def test_a_late_image_resets_nothing():
    tracker = Tracker(TrackerOptions(min_hits=1))
    for stamp_ns in (5_000_000_000, 5_033_000_000, 5_000_000_000, 5_066_000_000):
        assert tracker(boxes_at([(100, 200)]), stamp_ns).track_ids.tolist() == [0]


def test_memory_is_bounded():
    tracker, rng = Tracker(), np.random.default_rng(4)
    for i in range(300):
        tracker(boxes_at(rng.uniform(0, 5000, (20, 2))), i * FRAME_NS)
    assert len(tracker) <= 20 * (1e9 / FRAME_NS + 2)


def test_degenerate_boxes_do_no_harm():
    frames = [boxes_at([(50, 50), (300, 200)], size=(0, 0))] * 3
    assert [len(ids) for ids in follow(frames)] == [2, 2, 2]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'min_iou': 0.0}, 'got 0.0'),
        ({'min_iou': 1.5}, 'got 1.5'),
        ({'min_hits': 0}, 'got 0'),
        ({'max_age_secs': 0.0}, 'positive, got 0.0'),
        ({'max_age_secs': float('nan')}, 'positive, got nan'),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        TrackerOptions(**options)


def best_sum(gain, min_gain):
    """Over all permutations."""
    gain = np.where(gain >= min_gain, gain, 0)
    gain = gain.T if gain.shape[0] > gain.shape[1] else gain
    rows = np.arange(gain.shape[0])
    orders = itertools.permutations(range(gain.shape[1]), len(rows))
    return max(gain[rows, list(order)].sum() for order in orders)


@pytest.mark.parametrize('shape', [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_pair(shape):
    rows, columns = best_pairs(np.zeros(shape), 0.2)
    assert len(rows) == len(columns) == 0


@pytest.mark.parametrize('seed', range(60))
def test_pairs_are_the_best_of_all_permutations(seed):
    rng = np.random.default_rng(seed)
    gain = rng.random(rng.integers(1, 6, 2))
    gain *= rng.random(gain.shape) < 0.7
    rows, columns = best_pairs(gain, 0.3)
    assert len(set(rows)) == len(rows) == len(set(columns))
    assert (gain[rows, columns] >= 0.3).all()
    assert gain[rows, columns].sum() == pytest.approx(best_sum(gain, 0.3))
