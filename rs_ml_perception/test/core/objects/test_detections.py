"""The result of a detector."""

import numpy as np
import pytest
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.objects.detections import Detections, place_detections


def some(n):
    xyxy = np.arange(4 * n, dtype=np.float32).reshape(n, 4)
    scores = np.linspace(0.9, 0.1, n).astype(np.float32)
    return Detections(xyxy, scores, np.arange(n, dtype=np.int32), np.arange(n, dtype=np.int32) + 7)


def test_empty():
    empty = Detections.empty()
    assert len(empty) == 0
    assert empty.xyxy.shape == (0, 4)
    assert list(empty) == []
    assert len(empty[np.zeros(0, bool)]) == 0


@pytest.mark.parametrize(
    ('index', 'expected'),
    [
        (np.zeros(4, bool), []),
        (slice(0, 0), []),
        (slice(1, 3), [1, 2]),
        (np.array([True, False, False, True]), [0, 3]),
        (np.array([3, 0]), [3, 0]),
        (np.array([], np.int64), []),
    ],
)
def test_rows_are_selected_together(index, expected):
    picked = some(4)[index]
    assert picked.class_ids.tolist() == expected
    assert picked.track_ids.tolist() == [i + 7 for i in expected]
    np.testing.assert_array_equal(picked.xyxy, some(4).xyxy[expected])
    np.testing.assert_array_equal(picked.scores, some(4).scores[expected])


def test_iteration_gives_plain_numbers():
    for i, (xyxy, score, class_id, track_id) in enumerate(some(3)):
        np.testing.assert_array_equal(xyxy, some(3).xyxy[i])
        assert (type(score), type(class_id), type(track_id)) == (float, int, int)
        assert (class_id, track_id) == (i, i + 7)


def test_not_tracked_by_default():
    found = Detections(some(2).xyxy, some(2).scores, some(2).class_ids)
    assert found.track_ids.tolist() == [-1, -1]


@pytest.mark.parametrize(
    ('name', 'value', 'message'),
    [
        ('xyxy', np.zeros((2, 3), np.float32), r'xyxy must have shape \(2, 4\), got \(2, 3\)'),
        ('xyxy', np.zeros((3, 4), np.float32), r'xyxy must have shape \(2, 4\), got \(3, 4\)'),
        ('class_ids', np.zeros(1, np.int32), r'class_ids must have shape \(2,\), got \(1,\)'),
        ('track_ids', np.zeros(3, np.int32), r'track_ids must have shape \(2,\), got \(3,\)'),
        ('scores', np.zeros((2, 1), np.float32), r'scores must have shape \(2,\), got \(2, 1\)'),
    ],
)
def test_arrays_must_run_in_parallel(name, value, message):
    fields = {
        'xyxy': some(2).xyxy,
        'scores': some(2).scores,
        'class_ids': some(2).class_ids,
        'track_ids': some(2).track_ids,
    }
    with pytest.raises(ValueError, match=message):
        Detections(**{**fields, name: value})


CAMERA = CameraModel(640, 480, 600.0, 600.0, 319.5, 239.5)
BOX = (220, 140, 420, 340)
LOOSE = (200, 120, 440, 360)


def boxes(*rows) -> Detections:
    n = len(rows)
    xyxy = np.array(rows, np.float32).reshape(n, 4)
    return Detections(xyxy, np.ones(n, np.float32), np.arange(n, dtype=np.int32))


def room(object_m: float = 2.0, noise: float = 0.01, holes: float = 0.1) -> Frame:
    """An object of 200x200 px before a wall at 4 m."""
    rng = np.random.default_rng(0)
    depth_m = np.full((480, 640), 4.0)
    depth_m[140:340, 220:420] = object_m
    depth_m *= rng.normal(1.0, noise, depth_m.shape)
    depth_m[rng.random(depth_m.shape) < holes] = 0
    return Frame(depth=DepthImage((1000 * depth_m).astype(np.uint16), 0.001), camera=CAMERA)


def test_no_detections():
    detections, placements = place_detections(room(), Detections.empty())
    assert (len(detections), len(placements)) == (0, 0)


@pytest.mark.parametrize('frame', [Frame(), Frame(camera=CAMERA), Frame(depth=room().depth)])
def test_nothing_known_without_depth_and_intrinsics(frame):
    detections, placements = place_detections(frame, boxes(BOX))
    assert len(detections) == 1
    assert not placements.has_position.any()
    assert np.isnan(placements.position_m).all()


@pytest.mark.parametrize('box', [BOX, LOOSE])
def test_object_before_a_wall(box):
    _, placements = place_detections(room(), boxes(box))
    np.testing.assert_allclose(placements.position_m, [[0.0, 0.0, 2.0]], atol=0.03)
    assert placements.width_m[0] == pytest.approx(200 / 600 * 2.0, abs=0.02)
    assert placements.height_extent_m[0] == pytest.approx(200 / 600 * 2.0, abs=0.02)


def test_the_middle_pixel_does_not_decide():
    frame = room()
    frame.depth.values[225:255, 305:335] = 4000  # one looks through the object's middle
    _, placements = place_detections(frame, boxes(BOX))
    assert placements.position_m[0, 2] == pytest.approx(2.0, abs=0.03)


def test_an_occluder_in_a_corner_is_not_the_object():
    frame = room()
    frame.depth.values[140:340, 220:270] = 900
    _, placements = place_detections(frame, boxes(BOX))
    assert placements.position_m[0, 2] == pytest.approx(2.0, abs=0.03)


def test_unaligned_depth():
    aligned = room()
    frame = Frame(
        depth=aligned.depth,
        camera=CAMERA,
        depth_camera=CAMERA,
        color_from_depth=RigidTransform(np.eye(3), np.array([0.05, 0.0, 0.0])),
    )
    shifted = np.add(BOX, (15, 0, 15, 0))  # 0.05 m * 600 px / 2 m
    _, placements = place_detections(frame, boxes(shifted))
    np.testing.assert_allclose(placements.position_m, [[0.05, 0.0, 2.0]], atol=0.03)


@pytest.mark.parametrize(
    ('limits', 'kept'),
    [
        ({}, [0, 1, 2]),
        ({'range_max_m': 3.0}, [0]),
        ({'range_min_m': 3.0}, [1]),
        ({'range_min_m': 1.0, 'range_max_m': 5.0}, [0, 1]),
        ({'range_min_m': 5.0}, []),
    ],
)
def test_range_limits_leave_out_distant_and_unknown_objects(limits, kept):
    frame = room()
    frame.depth.values[400:, 500:] = 0
    detections, placements = place_detections(
        frame, boxes(BOX, (10, 10, 100, 100), (510, 410, 630, 470)), **limits
    )
    assert detections.class_ids.tolist() == kept
    assert len(placements) == len(kept)


@pytest.mark.parametrize('box', [(-50, -50, -10, -10), (100, 100, 100, 100), (630, 470, 800, 700)])
def test_boxes_partly_or_wholly_outside(box):
    _, placements = place_detections(room(), boxes(box))
    assert len(placements) == 1
