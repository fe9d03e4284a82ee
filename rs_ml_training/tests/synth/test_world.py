"""Worlds and their frames: geometry, light, labels, determinism, the two sides."""

from dataclasses import replace

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.geometry.projection import camera_rays
from rs_ml_training.data.indoor_classes import INDOOR_LABELS
from rs_ml_training.synth.camera import CameraPose, d435
from rs_ml_training.synth.device import MATCHERS
from rs_ml_training.synth.families import FAMILIES
from rs_ml_training.synth.frame import BOXED_CLASSES, Posture
from rs_ml_training.synth.options import Side, WorldOptions
from rs_ml_training.synth.patterns import GROUNDS
from rs_ml_training.synth.rooms import draw_plan
from rs_ml_training.synth.solids import box

pytest.importorskip('embreex')

from rs_ml_training.synth.exposure import draw_frame, expose
from rs_ml_training.synth.ray_scene import Part, RayScene
from rs_ml_training.synth.world import draw_world

SIZE, SMALL = (424, 240), (212, 120)
RIG = d435(SIZE)
EMPTY_ROOM = WorldOptions(furniture=(0, 0), objects=(0, 0), people=(0, 0), window_share=0.0)
LEVEL = CameraPose(1.0)
STANDING = WorldOptions(
    furniture=(0, 0), objects=(0, 0), people=(2, 2), postures=((Posture.STANDING, 1.0),)
)


def frame_of(world, pose=None, seed=0):
    return expose(world, pose or world.pose, RIG, np.random.default_rng(seed))


def before_a_wall(distance_m, *, emitter=True, mirror=0.0, clear=0.0, ir=0.7, behind_m=None):
    """A world that is nothing but a plain bright wall straight ahead, well aligned."""
    world = draw_world(0, EMPTY_ROOM)
    paint = replace(
        world.surroundings[1].material,
        ir_dark=ir,
        ir_light=ir,
        mirror=mirror,
        clear=clear,
        glow=(0.0, 0.0, 0.0),
    )
    parts = [Part(box((0.2, 40, 40), (distance_m + 0.1, 0, 0)), paint, 11)]
    if behind_m:
        solid = replace(paint, mirror=0.0, clear=0.0)
        parts.append(Part(box((0.2, 40, 40), (behind_m + 0.1, 0, 0)), solid, 11))
    device = replace(world.device, emitter=emitter, power=4.0, misalignment_rad=(0.0, 0.0, 0.0))
    lamps = tuple(
        replace(lamp, position=(-1.0, 0.0, 2.0), ir=0.2) for lamp in world.lighting.lamps
    )
    lighting = replace(world.lighting, lamps=lamps)
    return replace(world, scene=RayScene(parts), device=device, lighting=lighting)


@pytest.mark.parametrize('disparity_px', [4.0, 7.5, 12.25, 30.0])
def test_disparity_is_focal_length_times_baseline_by_depth(disparity_px):
    distance_m = RIG.focal_baseline / disparity_px
    frame = frame_of(before_a_wall(distance_m), LEVEL)
    np.testing.assert_allclose(frame.depth_m, distance_m, rtol=1e-4)
    known = frame.raw_depth_m > 0
    assert known.mean() > 0.7
    error_px = RIG.focal_baseline / frame.raw_depth_m[known] - disparity_px
    assert abs(np.median(error_px)) < 0.08
    assert np.percentile(np.abs(error_px), 80) < 0.3


def test_the_left_band_and_too_near_surfaces_have_no_depth():
    near = frame_of(before_a_wall(RIG.focal_baseline / 60), LEVEL)
    assert not near.raw_depth_m[:, :59].any()
    assert (near.raw_depth_m[:, 70:] > 0).mean() > 0.5
    # Nearer than 126 pixels of disparity nothing is right.
    nearer = frame_of(before_a_wall(RIG.focal_baseline / 150), LEVEL)
    assert (np.abs(nearer.raw_depth_m - nearer.depth_m) < 0.005).mean() < 0.01


def test_a_plain_wall_is_measured_by_the_emitter_only():
    on, off = (frame_of(before_a_wall(1.5, emitter=e), LEVEL) for e in (True, False))
    assert (on.emitter, off.emitter) == (True, False)
    assert on.left.std() > 4 * off.left.std()
    assert (on.raw_depth_m > 0).mean() > 0.8
    right = np.abs(off.raw_depth_m - off.depth_m) < 0.05
    assert right.mean() < 0.3


def test_the_imagers_look_through_glass():
    glass = frame_of(before_a_wall(1.0, clear=0.9, behind_m=2.0), LEVEL)
    np.testing.assert_allclose(glass.depth_m, 1.0, rtol=1e-4)
    measured = glass.raw_depth_m[glass.raw_depth_m > 0]
    assert np.median(measured) == pytest.approx(2.0, rel=0.08)


def test_noise_is_of_the_exposure_and_the_world_of_the_seed():
    world = draw_world(3)
    first, again, other = (frame_of(world, seed=seed) for seed in (0, 0, 1))
    for name in ('left', 'right', 'raw_depth_m', 'color', 'depth_m', 'labels', 'aligned_depth_m'):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert (first.left != other.left).mean() > 0.1
    np.testing.assert_array_equal(first.depth_m, other.depth_m)
    drawn = draw_frame(3, size=SIZE)
    np.testing.assert_array_equal(drawn.left, draw_frame(3, size=SIZE).left)
    np.testing.assert_array_equal(drawn.depth_m, first.depth_m)
    assert draw_world(4).pose != world.pose


def test_an_empty_room_has_walls_floor_and_no_people():
    frame = draw_frame(1, EMPTY_ROOM, SIZE)
    shell = {INDOOR_LABELS.index(name) for name in ('wall', 'floor', 'ceiling')}
    assert set(np.unique(frame.labels)) <= shell
    assert len(frame.people) == len(frame.boxes) == 0
    assert frame.people.boxes_px.shape == frame.boxes.boxes_px.shape == (0, 4)
    assert (frame.depth_m > 0).all()


@pytest.mark.parametrize('side', list(Side))
def test_boxes_and_people_agree_with_labels(side):
    people = 0
    for seed in range(2):
        frame = draw_frame(seed, WorldOptions(side=side, people=(3, 3)), SMALL)
        boxed = np.isin(frame.labels, [INDOOR_LABELS.index(name) for name in BOXED_CLASSES])
        assert frame.boxes.pixels.sum() == boxed.sum()
        covered = np.zeros_like(boxed)
        for (left, top, right, bottom), class_id in zip(
            frame.boxes.boxes_px.astype(int), frame.boxes.class_ids, strict=True
        ):
            label = INDOOR_LABELS.index(BOXED_CLASSES[class_id])
            inside = frame.labels[top:bottom, left:right] == label
            rims = inside[0], inside[-1], inside[:, 0], inside[:, -1]
            assert all(rim.any() for rim in rims)
            covered[top:bottom, left:right] = True
        assert not (boxed & ~covered).any()
        persons = frame.boxes.boxes_px[frame.boxes.class_ids == 0]
        assert sorted(map(tuple, persons)) == sorted(map(tuple, frame.people.boxes_px))
        assert ((frame.people.visible_share > 0) & (frame.people.visible_share <= 1)).all()
        people += len(frame.people)
    assert people > 0


def test_heights_of_people_are_those_of_the_points_of_the_image():
    found = 0
    for seed in range(12):
        frame = draw_frame(seed, STANDING, SMALL)
        if found == 2:
            break
        if len(frame.people) != 1 or frame.people.cut[0] or frame.people.visible_share[0] < 0.99:
            continue
        person = frame.labels == INDOOR_LABELS.index('person')
        rays = camera_rays(frame.rig.color)[person] * frame.color_depth_m[person][:, None]
        turn = frame.pose.world_from_camera
        heights = rays @ turn.T[:, 2] + frame.pose.height_m
        pixel_m = frame.color_depth_m[person].max() / frame.rig.color.fy
        assert heights.max() == pytest.approx(frame.people.top_m[0], abs=2 * pixel_m)
        assert frame.people.top_m[0] == pytest.approx(frame.people.stature_m[0], abs=1e-3)
        found += 1
    assert found > 0


def test_colour_depth_is_that_of_the_left_imager_from_the_side():
    """Registered truth of depth and truth of colour agree on smooth surfaces."""
    from rs_ml_training.synth.exposure import aligned_depth_of

    frame = draw_frame(2, EMPTY_ROOM, SIZE)
    moved = aligned_depth_of(frame.depth_m, frame.rig)
    both = moved > 0
    error = np.abs(moved - frame.color_depth_m)[both] / frame.color_depth_m[both]
    assert both.mean() > 0.95
    assert np.percentile(error, 95) < 0.02


def test_sides_share_no_kind_of_thing_texture_or_matcher():
    train, test = (FAMILIES[side].kinds() for side in Side)
    assert min(len(train), len(test)) > 10
    assert not train & test
    assert not set(GROUNDS[Side.TRAIN]) & set(GROUNDS[Side.TEST])
    assert not set(GROUNDS[Side.TRAIN].values()) & set(GROUNDS[Side.TEST].values())
    one, other = (MATCHERS[side] for side in Side)
    for name in ('prefilters', 'searches', 'blocks', 'windows'):
        assert not set(getattr(one, name)) & set(getattr(other, name)), name
    assert one.small_penalties[1] <= other.small_penalties[0]
    assert one.large_penalties[1] <= other.large_penalties[0]


def test_rooms_of_the_sides_differ_in_outline():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert len(draw_plan(rng, (3, 8), Side.TRAIN).outline) == 4
        assert len(draw_plan(rng, (3, 8), Side.TEST).outline) > 4


def test_furniture_and_people_stay_inside_the_room():
    for side in Side:
        for seed in range(4):
            world = draw_world(seed, WorldOptions(side=side))
            for one in world.inhabitants:
                assert world.plan.holds(one.x, one.y)
            assert world.plan.holds(world.pose.x_m, world.pose.y_m)
            low, high = world.plan.outline.min(axis=0), world.plan.outline.max(axis=0)
            for taken in world.plan.taken:
                assert (np.array(taken[:2]) >= low).all()
                assert (np.array(taken[2:]) <= high).all()


def test_another_pose_sees_the_same_room_from_elsewhere():
    world = draw_world(5)
    pose = world.other_pose(np.random.default_rng(0))
    assert pose != world.pose
    assert world.plan.holds(pose.x_m, pose.y_m)


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        ({'people': (3, 1)}, r'people.*\(3, 1\)'),
        ({'children': 1.5}, 'children.*1.5'),
    ],
)
def test_senseless_options(options, text):
    with pytest.raises(ConfigError, match=text):
        WorldOptions(**options)


def test_a_negative_seed_is_refused():
    with pytest.raises(ConfigError, match='-1'):
        draw_world(-1)
