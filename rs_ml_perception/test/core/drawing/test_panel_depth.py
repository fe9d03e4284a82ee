"""Pictures of depth, before and after."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.drawing.panel import compose_panel
from rs_ml_perception.core.drawing.panel_depth import change_tile, compose_denoised, depth_tile
from rs_ml_perception.core.images.depth import DepthImage

NAN = np.nan


@pytest.mark.parametrize(
    ('before', 'after', 'told'),
    [
        (NAN, NAN, ['0 %', '0 %', '0 %', '0 %']),
        (2.0, 2.01, ['100 %', '0 %', '0 %', '0 %']),
        (2.0, 2.05, ['0 %', '100 %', '0 %', '0 %']),
        (NAN, 2.0, ['0 %', '0 %', '100 %', '0 %']),
        (2.0, NAN, ['0 %', '0 %', '0 %', '100 %']),
    ],
)
def test_what_became_of_each_pixel(before, after, told):
    shape = (24, 32)
    tile = change_tile(np.full(shape, before, np.float32), np.full(shape, after, np.float32),
                       (32, 24))  # fmt: skip
    assert [name.rpartition(' ')[0].rpartition(' ')[2] + ' %' for name, _ in tile.legend] == told
    expected = next((c for (_, c), t in zip(tile.legend, told, strict=True) if t == '100 %'), None)
    assert (tile.picture == np.array(expected or (0, 0, 0))).all()


def test_no_depth_no_tile():
    assert depth_tile('x', None, (0.0, 1.0), (32, 24)) is None


def test_three_pictures_in_one_row():
    depth_m = np.full((48, 64), 2.0, np.float32)
    panel = compose_denoised(depth_m, depth_m, title='room', tile_width=320)
    assert panel.shape[1] == 3 * 320 + 4 * 10
    assert panel.shape[0] < 2 * 240


@pytest.mark.parametrize('depth', [None, DepthImage(np.full((48, 64), 2000, np.uint16), 0.001)])
def test_a_panel_is_wider_with_both_depths(depth):
    usual = compose_panel(None, depth=depth, tile_width=320)
    wide = compose_panel(
        None, depth=depth, denoised_depth_m=np.full((48, 64), 2.0, np.float32), tile_width=320
    )
    assert usual.shape[1] == 2 * 320 + 30
    assert wide.shape[1] == (3 * 320 + 40 if depth else 2 * 320 + 30)
