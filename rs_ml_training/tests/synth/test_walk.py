"""What recordings show: a camera that moves, people who stand and walk."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('embreex')

from rs_ml_perception.core.errors import ConfigError
from rs_ml_training.synth.camera import CameraPose
from rs_ml_training.synth.frame import Posture
from rs_ml_training.synth.writing.data_set import SetOptions
from rs_ml_training.synth.writing.walk import Pedestrian, moved, staged, walk, with_pedestrians

SMALL = SetOptions(count=2, seed=4, size=(128, 96), color_size=(96, 72))


@pytest.fixture(scope='module')
def frames():
    return list(walk(SMALL, rate_hz=2))


def test_one_stands_in_full_view_and_one_walks(frames):
    for frame in frames:
        people = frame.people
        assert people.postures == (Posture.STANDING, Posture.WALKING)
        assert not people.cut[0]
        assert people.visible_share.min() > 0.7
        assert people.top_m[0] == pytest.approx(people.stature_m[0], abs=0.01)
        assert frame.emitter


def test_time_passes(frames):
    first, second = frames
    walked_px = np.abs(second.people.boxes_px[1] - first.people.boxes_px[1]).max()
    assert walked_px > 4
    assert first.pose != second.pose
    np.testing.assert_array_equal(first.people.stature_m, second.people.stature_m)


@pytest.mark.parametrize(('yaw_rad', 'right'), [(0.0, (0, -1)), (np.pi / 2, (1, 0))])
def test_the_camera_moves_to_its_right(yaw_rad, right):
    start = CameraPose(1.2, yaw_rad=yaw_rad, x_m=2.0, y_m=3.0)
    assert moved(start, 0.0) == start
    way = moved(start, 1.0).position[:2] - start.position[:2]
    np.testing.assert_allclose(way / np.linalg.norm(way), right, atol=1e-9)


@pytest.mark.parametrize(('speed', 'expected'), [(0.0, (1, 2)), (1.5, (1, 5))])
def test_people_walk_along_their_heading(speed, expected):
    passer = Pedestrian(1, 1.7, Posture.WALKING, None, 1.0, 2.0, np.pi / 2, speed)
    assert passer.place(2.0) == pytest.approx(expected)


def test_a_room_without_room():
    from rs_ml_training.synth.world import draw_world

    world = draw_world(1)
    with pytest.raises(ConfigError, match='has no place for two people'):
        staged(world, np.random.default_rng(0), 1.0, tries=0)
    assert with_pedestrians(world, (), 0.0).inhabitants == ()
