"""Registration of depth to colour."""

from dataclasses import replace

import numpy as np
import pytest
from rs_ml_training.synth.camera import d435
from rs_ml_training.synth.registration import registered

RIG = d435((212, 120))
SAME = replace(RIG, color=RIG.depth, color_from_depth=np.eye(4))


def test_nothing_stays_nothing():
    assert not registered(np.zeros((120, 212), np.float32), RIG).any()


def test_the_same_camera_sees_the_same():
    depth_m = np.random.default_rng(0).integers(500, 5000, (120, 212)).astype(np.float32) / 1000
    found = registered(depth_m, SAME)
    # Each pixel also covers its neighbours up to the corners: the nearest of them shows.
    assert (found <= depth_m + 1e-6).all()
    assert (found > 0).all()
    flat = np.full((120, 212), 1.234, np.float32)
    np.testing.assert_allclose(registered(flat, SAME), 1.234, atol=1e-6)


@pytest.mark.parametrize('depth_m', [0.5, 1.0, 4.0])
def test_a_square_moves_by_the_distance_of_the_cameras(depth_m):
    image = np.zeros((120, 212), np.float32)
    image[50:60, 100:110] = depth_m
    rows, columns = np.nonzero(registered(image, RIG))
    depth, color = RIG.depth, RIG.color
    x = (104.5 - depth.cx) / depth.fx * depth_m + RIG.color_from_depth[0, 3]
    y = (54.5 - depth.cy) / depth.fy * depth_m
    assert columns.mean() == pytest.approx(x / depth_m * color.fx + color.cx, abs=0.6)
    assert rows.mean() == pytest.approx(y / depth_m * color.fy + color.cy, abs=0.6)
    # Both corners are rounded, and the pixel of either is covered.
    assert np.ptp(columns) + 1 == pytest.approx(10 * color.fx / depth.fx + 1, abs=1)


def test_what_is_nearer_hides_what_is_farther():
    image = np.full((120, 212), 4.0, np.float32)
    image[:, 100:110] = 1.0
    found = registered(image, RIG)
    _, columns = np.nonzero(found == 1.0)
    assert len(np.unique(columns)) >= 10 * RIG.color.fx / RIG.depth.fx - 1
    assert set(np.unique(found)) <= {np.float32(0), np.float32(1), np.float32(4)}
