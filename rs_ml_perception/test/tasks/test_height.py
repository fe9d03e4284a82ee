"""Heights of figures whose size is known, by the whole estimator."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.drawing.annotations import draw_heights
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.gravity import Up, UpMethod
from rs_ml_perception.core.geometry.projection import ray_planes
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.objects import detections as placing
from rs_ml_perception.core.objects.detections import Detections, place_detections
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.core.people.heights import HeightStatus
from rs_ml_perception.tasks import height
from rs_ml_perception.tasks.detection import DetectionResult
from rs_ml_perception.tasks.height import HeightEstimator, HeightOptions, HeightPipeline

CAMERA = CameraModel(640, 480, 380.0, 380.0, 319.5, 239.5)
CAMERA_M = 1.2
LEVEL = Up(np.array([0.0, -1.0, 0.0]), UpMethod.TF)
OK, TRUNCATED, OCCLUDED, NOT_STANDING, NO_DEPTH, NOT_MEASURED = (
    HeightStatus.OK,
    HeightStatus.TRUNCATED,
    HeightStatus.OCCLUDED,
    HeightStatus.NOT_STANDING,
    HeightStatus.NO_DEPTH,
    HeightStatus.NOT_MEASURED,
)


def row_of(level_m: float, range_m: float) -> int:
    return round(CAMERA.cy - (level_m - CAMERA_M) / range_m * CAMERA.fy)


def room(*figures: tuple[float, float, float]) -> np.ndarray:
    """Metres (H, W) of a floor, a wall at 6 m and flat figures (x, range, height)."""
    down = ray_planes(CAMERA)[1]
    with np.errstate(divide='ignore'):
        depth_m = np.where(down > 0, CAMERA_M / down, np.inf)
    depth_m = np.minimum(depth_m, 6.0).astype(np.float32)
    for x_m, range_m, height_m in figures:
        u = CAMERA.cx + x_m / range_m * CAMERA.fx
        half = {'head': 0.08, 'body': 0.2}
        for part, low, high in (('head', 0.8, 1.0), ('body', 0.0, 0.8)):
            rows = slice(row_of(high * height_m, range_m), row_of(low * height_m, range_m))
            width = half[part] / range_m * CAMERA.fx
            depth_m[rows, round(u - width) : round(u + width)] = range_m
    return depth_m


def box(x_m: float, range_m: float, height_m: float) -> list[float]:
    u, half = CAMERA.cx + x_m / range_m * CAMERA.fx, 0.2 / range_m * CAMERA.fx
    return [u - half, row_of(height_m, range_m), u + half, row_of(0.0, range_m)]


def frame(depth_m: np.ndarray, stamp_ns: int = 0) -> Frame:
    return Frame(depth=DepthImage(depth_m, 1.0), camera=CAMERA, stamp_ns=stamp_ns)


def persons(*boxes: list[float], track_ids=None) -> Detections:
    n = len(boxes)
    xyxy = np.array(boxes, np.float32).reshape(n, 4)
    found = Detections(xyxy, np.ones(n, np.float32), np.zeros(n, np.int32))
    return found if track_ids is None else replace(found, track_ids=np.array(track_ids, np.int32))


MAN = (0.0, 3.0, 1.8)
CHILD = (0.9, 3.5, 1.2)


@pytest.mark.parametrize('up', [None, LEVEL])
def test_nobody(up):
    heights = HeightEstimator()(frame(room()), Detections.empty(), up=up)
    assert len(heights) == 0


@pytest.mark.parametrize(
    'lacking',
    [
        Frame(),
        Frame(camera=CAMERA),
        Frame(depth=DepthImage(room(), 1.0)),
        frame(np.full((480, 640), np.nan, np.float32)),
    ],
)
def test_without_depth_nothing_is_claimed(lacking):
    heights = HeightEstimator()(lacking, persons(box(*MAN)))
    assert heights.status.tolist() == [NO_DEPTH]
    assert np.isnan(heights.height_m).all()
    assert np.isnan(heights.height_stddev_m).all()
    assert heights.num_points.tolist() == [0]


@pytest.mark.parametrize(('up', 'method'), [(LEVEL, UpMethod.TF), (None, UpMethod.FLOOR_PLANE)])
def test_two_people(up, method):
    detections = persons(box(*MAN), box(*CHILD))
    heights = HeightEstimator()(frame(room(MAN, CHILD)), detections, up=up)
    assert heights.status.tolist() == [OK, OK]
    np.testing.assert_allclose(heights.height_m, [1.8, 1.2], atol=0.04)  # flat faces, not round
    assert heights.method.tolist() == [method, method]
    assert (heights.num_points > 500).all()
    np.testing.assert_allclose(heights.feet_m[:, 1], CAMERA_M, atol=0.03)
    np.testing.assert_allclose(heights.head_m[:, 1], CAMERA_M - heights.height_m, atol=0.03)
    np.testing.assert_allclose(heights.placements.position_m[:, 2], [3.0, 3.5], atol=0.03)


@pytest.mark.parametrize(('height_m', 'status'), [(2.2, OK), (2.7, NO_DEPTH)])
def test_nobody_is_as_tall_as_a_wardrobe(height_m, status):
    figure = (0.0, 4.5, height_m)
    heights = HeightEstimator()(frame(room(figure)), persons(box(*figure)), up=LEVEL)
    assert heights.status.tolist() == [status]
    assert np.isnan(heights.height_m).all() == (status == NO_DEPTH)


@pytest.mark.parametrize(('shin_half_m', 'status'), [(0.2, OK), (0.06, OCCLUDED)])
def test_the_leg_of_a_chair_is_no_shin(shin_half_m, status):
    """A seated person from behind: a trunk and a seat, and almost nothing below."""
    depth_m, hidden = room(MAN), room()
    rows = slice(row_of(0.27 * MAN[2], MAN[1]), row_of(0.0, MAN[1]))
    half = round(shin_half_m / MAN[1] * CAMERA.fx)
    middle = round(CAMERA.cx)
    depth_m[rows, : middle - half] = hidden[rows, : middle - half]
    depth_m[rows, middle + half :] = hidden[rows, middle + half :]
    heights = HeightEstimator()(frame(depth_m), persons(box(*MAN)), up=LEVEL)
    assert heights.status.tolist() == [status]


@pytest.mark.parametrize(
    ('scores', 'max_people', 'statuses'),
    [
        ((0.9, 0.8, 0.7), 20, (OK, OK, OK)),
        ((0.9, 0.8, 0.7), 2, (OK, OK, NOT_MEASURED)),
        ((0.7, 0.8, 0.9), 2, (NOT_MEASURED, OK, OK)),
        ((0.5, 0.5, 0.5), 1, (OK, NOT_MEASURED, NOT_MEASURED)),
    ],
)
def test_the_best_are_measured_and_the_others_listed(scores, max_people, statuses):
    man = box(*MAN)
    detections = replace(persons(man, man, man), scores=np.array(scores, np.float32))
    heights = HeightEstimator(HeightOptions(max_people=max_people))(
        frame(room(MAN)), detections, up=LEVEL
    )
    assert tuple(heights.status) == statuses
    is_measured = np.array(statuses) == OK
    assert (np.isfinite(heights.height_m) == is_measured).all()
    assert heights.placements.has_position[is_measured].all()
    assert heights_are_drawn(heights)


def heights_are_drawn(heights) -> bool:
    return draw_heights(np.zeros((480, 640, 3), np.uint8), heights).any()


def test_persons_out_of_range_take_no_place():
    detections = persons(box(*MAN), box(*CHILD))
    options = HeightOptions(range_min_m=3.3, max_people=1)
    heights = HeightEstimator(options)(frame(room(MAN, CHILD)), detections, up=LEVEL)
    assert heights.status.tolist() == [OK]
    assert heights.height_m[0] == pytest.approx(1.2, abs=0.04)


def test_three_thousand_boxes(monkeypatch):
    """Each look at depth costs; there are as many as for sixty."""
    looks = []
    look = placing.box_points
    monkeypatch.setattr(
        placing,
        'box_points',
        lambda *args, **more: looks.append(1) or look(*args, **more),
    )
    detections = persons(*[box(*MAN)] * 3000)
    heights = HeightEstimator()(frame(room(MAN)), detections, up=LEVEL)
    assert np.bincount(heights.status)[[OK, NOT_MEASURED]].tolist() == [20, 2980]
    assert len(looks) == 60


@pytest.mark.parametrize('is_same', [True, False])
def test_positions_in_the_same_depth_are_not_looked_for_again(monkeypatch, is_same):
    seen = frame(room(MAN, CHILD))
    labels = LabelMap({0: 'person', 1: 'chair'})
    found = replace(persons(box(*MAN), box(*CHILD)), class_ids=np.array([1, 0], np.int32))
    placed_in = seen.depth if is_same else replace(seen.depth)
    result = DetectionResult(*place_detections(seen, found), labels, placed_in)
    looks = []
    monkeypatch.setattr(
        height, 'place_detections', lambda *args: looks.append(1) or place_detections(*args)
    )
    heights = HeightPipeline()(replace(seen, up=LEVEL), result)
    assert len(looks) == (0 if is_same else 1)
    assert heights.height_m[0] == pytest.approx(1.2, abs=0.04)
    np.testing.assert_array_equal(heights.placements.position_m, result.placements.position_m[1:])


BAD_BOXES = {
    'of NaN': (np.nan,) * 4,
    'half NaN': (100.0, np.nan, 200.0, 300.0),
    'empty': (100.0, 100.0, 100.0, 100.0),
    'swapped': (200.0, 200.0, 100.0, 100.0),
    'outside': (900.0, 100.0, 950.0, 300.0),
}


@pytest.mark.parametrize('bad', BAD_BOXES.values(), ids=BAD_BOXES)
def test_a_box_that_holds_nothing_costs_nobody_else(bad):
    heights = HeightEstimator(HeightOptions(max_people=1))(
        frame(room(MAN)), persons(list(bad), box(*MAN)), up=LEVEL
    )
    assert heights.status.tolist() == [NO_DEPTH, OK]


def one_row(value: float = 2.0) -> np.ndarray:
    depth_m = np.full((480, 640), np.nan, np.float32)
    depth_m[200] = value
    return depth_m


def half_of(value: float) -> np.ndarray:
    depth_m = room(MAN)
    depth_m[:, ::2] = value
    return depth_m


DEGENERATE = {
    'one row': one_row(),
    'one column': one_row().T.copy().reshape(480, 640),
    'huge': np.full((480, 640), 3e38, np.float32),
    'large': np.full((480, 640), 1e20, np.float32),
    'tiny': np.full((480, 640), 1e-38, np.float32),
    'denormal': np.full((480, 640), 1e-45, np.float32),
    'half huge': half_of(3e38),
    'half tiny': half_of(1e-38),
}


@pytest.mark.parametrize('up', [None, LEVEL])
@pytest.mark.parametrize('is_aligned', [True, False])
@pytest.mark.parametrize('depth_m', DEGENERATE.values(), ids=DEGENERATE)
def test_degenerate_depth_raises_nothing(depth_m, is_aligned, up):
    whole = frame(depth_m)
    if not is_aligned:
        shifted = RigidTransform(np.eye(3), np.array([0.01, 0.0, 0.0]))
        whole = replace(whole, depth_camera=CAMERA, color_from_depth=shifted)
    heights = HeightEstimator()(whole, persons(box(*MAN), [0, 0, 640, 480]), up=up)
    if np.isfinite(whole.depth.depth_m).any():
        assert (np.nan_to_num(heights.height_m) < 3).all()
    else:
        assert heights.status.tolist() == [NO_DEPTH, NO_DEPTH]


def test_unaligned_depth():
    moved = Frame(
        depth=DepthImage(room(MAN), 1.0),
        camera=CAMERA,
        depth_camera=CAMERA,
        color_from_depth=RigidTransform(np.eye(3), np.array([0.05, 0.0, 0.0])),
    )
    shift = 0.05 / 3.0 * CAMERA.fx
    xyxy = np.add(box(*MAN), (shift, 0, shift, 0))
    heights = HeightEstimator()(moved, persons(list(xyxy)), up=LEVEL)
    assert heights.status.tolist() == [OK]
    assert heights.height_m[0] == pytest.approx(1.8, abs=0.04)


@pytest.mark.parametrize(
    ('left_m', 'right_m', 'ahead_m', 'status'),
    [
        (-0.2, 0.2, 0.0, OK),
        (-0.4, 0.4, 0.0, OK),
        (-0.2, 0.2, 0.1, OK),
        (-0.55, 0.55, 0.0, NOT_STANDING),
        (-0.05, 0.65, 0.0, NOT_STANDING),
        (-0.2, 0.2, 0.2, NOT_STANDING),
    ],
    ids=['together', 'mid-stride', 'a step ahead', 'sprawling', 'thighs aside', 'knees first'],
)
def test_standing_is_seen_by_the_legs(left_m, right_m, ahead_m, status):
    depth_m = room(MAN)
    rows = slice(row_of(0.45 * 1.8, 3.0), row_of(0.0, 3.0))
    left, right = (round(CAMERA.cx + x_m / 3.0 * CAMERA.fx) for x_m in (left_m, right_m))
    depth_m[rows, left:right] = 3.0 - ahead_m
    xyxy = box(*MAN)
    xyxy[0], xyxy[2] = min(xyxy[0], left), max(xyxy[2], right)
    heights = HeightEstimator()(frame(depth_m), persons(xyxy), up=LEVEL)
    assert heights.status.tolist() == [status]


def scattered(depth_m: np.ndarray, rows: slice, seed: int) -> np.ndarray:
    """By a quarter of a D435's pixel of disparity, in patches as large as a matcher's window."""
    patches = np.random.default_rng(seed).normal(0.0, 0.012, (54, 72)).astype(np.float32)
    inverse = cv2.resize(patches, (640, 480), interpolation=cv2.INTER_NEAREST)
    depth_m[rows] = 1.0 / (1.0 / depth_m + inverse)[rows]
    return depth_m


def test_far_persons_stay_whole_in_noisy_depth():
    far = (0.0, 4.5, 1.8)
    around = slice(row_of(2.2, 4.5), row_of(0.15, 4.5))
    measured = 0
    for seed in range(20):
        seen = frame(scattered(room(far), around, seed))
        heights = HeightEstimator()(seen, persons(box(*far)), up=LEVEL)
        measured += heights.status[0] == OK and abs(heights.height_m[0] - 1.8) < 0.06
    assert measured >= 15


def test_cut_by_the_lower_border_is_a_lower_bound():
    near = (0.0, 1.2, 1.7)
    xyxy = box(*near)
    xyxy[1], xyxy[3] = max(xyxy[1], 20.0), 480.0
    heights = HeightEstimator()(frame(room(near)), persons(xyxy), up=LEVEL)
    assert heights.status.tolist() == [TRUNCATED]
    assert heights.height_m[0] < 1.75


def test_hidden_feet_are_not_taken_for_seen():
    depth_m = room(MAN)
    table = row_of(0.8, 3.0)
    depth_m[table:, 200:440] = np.minimum(depth_m[table:, 200:440], 2.0)
    xyxy = box(*MAN)
    xyxy[3] = table
    heights = HeightEstimator()(frame(depth_m), persons(xyxy), up=LEVEL)
    assert heights.status.tolist() == [OCCLUDED]
    assert heights.height_m[0] == pytest.approx(1.8, abs=0.06)  # the floor is seen elsewhere


@pytest.mark.parametrize(
    ('limits', 'kept_m'),
    [({}, [1.8, 1.2]), ({'range_max_m': 3.2}, [1.8]), ({'range_min_m': 5.0}, [])],
)
def test_range_band(limits, kept_m):
    estimator = HeightEstimator(HeightOptions(**limits))
    detections = persons(box(*MAN), box(*CHILD))
    heights = estimator(frame(room(MAN, CHILD)), detections, up=LEVEL)
    np.testing.assert_allclose(heights.height_m, kept_m, atol=0.04)


def test_wrong_limits_are_refused():
    with pytest.raises(ConfigError, match='range_min_m'):
        HeightOptions(range_min_m=3.0, range_max_m=2.0)


def noisy(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return room(MAN) * rng.normal(1.0, 0.01, (480, 640)).astype(np.float32)


def test_track_is_steadied_until_reset():
    estimator, stddevs = HeightEstimator(), []
    for index in range(10):
        heights = estimator(
            frame(noisy(index), index * 33_000_000), persons(box(*MAN), track_ids=[4]), up=LEVEL
        )
        stddevs.append(float(heights.height_stddev_m[0]))
    assert stddevs[-1] < 0.6 * stddevs[0]
    estimator.reset()
    heights = estimator(frame(noisy(0)), persons(box(*MAN), track_ids=[4]), up=LEVEL)
    assert heights.height_stddev_m[0] == pytest.approx(stddevs[0])


def test_steadying_can_be_turned_off_at_run_time():
    estimator = HeightEstimator()
    estimator.options = replace(estimator.options, steady=False)
    results = [
        estimator(frame(noisy(0)), persons(box(*MAN), track_ids=[4]), up=LEVEL) for _ in range(3)
    ]
    assert results[0].height_stddev_m[0] == results[2].height_stddev_m[0]


def test_a_bound_keeps_the_measured_height_of_a_track():
    estimator = HeightEstimator()
    estimator(frame(room(MAN)), persons(box(*MAN), track_ids=[4]), up=LEVEL)
    depth_m = room(MAN)
    depth_m[: row_of(1.5, 3.0), :] = 1.0  # something comes before the head
    xyxy = box(*MAN)
    xyxy[1] = row_of(1.5, 3.0)
    heights = estimator(frame(depth_m), persons(xyxy, track_ids=[4]), up=LEVEL)
    assert heights.status.tolist() == [OCCLUDED]
    assert heights.height_m[0] == pytest.approx(1.8, abs=0.04)


def test_stages_are_timed():
    estimator = HeightEstimator()
    estimator(frame(room(MAN)), persons(box(*MAN)), up=LEVEL)
    assert set(estimator.stages.take()) == {'placements', 'floor', 'heights'}


def test_input_is_unchanged():
    depth_m = room(MAN)
    before = depth_m.copy()
    HeightEstimator()(frame(depth_m), persons(box(*MAN)), up=LEVEL)
    np.testing.assert_array_equal(depth_m, before)
