"""The picture of one frame."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.drawing.colormap import colormap_rgb
from rs_ml_perception.core.drawing.panel import (
    MISSING,
    change_tile,
    compose_denoised,
    compose_panel,
)
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.objects.detections import Detections
from rs_ml_perception.core.objects.labels import LabelMap, class_color
from rs_ml_perception.core.people.heights import PersonHeights

RGB = np.full((480, 640, 3), 100, np.uint8)
FOUND = Detections(
    np.array([[100, 100, 300, 400]], np.float32), np.ones(1, np.float32), np.ones(1, np.int32)
)
LABELS = LabelMap({1: 'person'})
MASK = np.full((480, 640), 7, np.uint8)
NEAR_MM = DepthImage(np.full((480, 640), 1000, np.uint16), 0.001)
FAR_M = np.full((480, 640), 3, np.float32)
FULL = {
    'detections': FOUND,
    'labels': LABELS,
    'heights': PersonHeights.empty(),
    'mask': MASK,
    'mask_labels': LabelMap({7: 'sofa'}),
    'depth': NEAR_MM,
    'estimated_depth_m': FAR_M,
    'title': 'room',
    'note': '1.5 s',
}


def tile(panel, row, column):
    """The middle of one of the four pictures, without lines of text."""
    height, width = panel.shape[0] - 40, panel.shape[1]
    y, x = 40 + height * (2 * row + 1) // 4, width * (2 * column + 1) // 4
    return panel[y - 60 : y + 60, x - 60 : x + 60].reshape(-1, 3)


def has_color(pixels, color):
    return bool((pixels == np.array(color, np.uint8)).all(axis=1).any())


def test_nothing_at_all_is_four_grey_tiles():
    panel = compose_panel(None)
    assert panel.dtype == np.uint8
    assert panel.ndim == 3
    for row in (0, 1):
        for column in (0, 1):
            pixels = tile(panel, row, column)
            assert np.median(pixels) < 110
            assert np.ptp(pixels.astype(int)) > 100  # the words


def test_everything_has_its_place():
    panel = compose_panel(RGB, **FULL)
    assert has_color(panel.reshape(-1, 3), class_color(1))
    tinted = tile(panel, 0, 1).astype(float)
    np.testing.assert_allclose(
        tinted, np.broadcast_to(0.45 * 100 + 0.55 * np.array(class_color(7)), tinted.shape), atol=1
    )
    colors = colormap_rgb()
    assert (tile(panel, 1, 0) == colors[1]).all()
    assert (tile(panel, 1, 1) == colors[255]).all()


@pytest.mark.parametrize(
    ('part', 'row', 'column'), [('mask', 0, 1), ('depth', 1, 0), ('estimated_depth_m', 1, 1)]
)
def test_a_missing_part_leaves_the_others_alone(part, row, column):
    whole = compose_panel(RGB, **FULL, range_m=(1.0, 3.0))
    panel = compose_panel(RGB, **{**FULL, part: None}, range_m=(1.0, 3.0))
    assert panel.shape == whole.shape
    for r in (0, 1):
        for c in (0, 1):
            same = np.array_equal(tile(panel, r, c), tile(whole, r, c))
            assert same == ((r, c) != (row, column))


def test_the_reason_can_be_given():
    assert set(MISSING) == {'color', 'mask', 'depth', 'estimated_depth'}
    usual = compose_panel(RGB)
    said = compose_panel(RGB, missing={'depth': 'depth arrived as a picture'})
    assert not np.array_equal(tile(usual, 1, 0), tile(said, 1, 0))
    np.testing.assert_array_equal(tile(usual, 0, 1), tile(said, 0, 1))


@pytest.mark.parametrize('shape', [(480, 640), (720, 1280), (480, 848), (1080, 1920)])
def test_proportions_of_the_image_are_kept(shape):
    rgb = np.zeros((*shape, 3), np.uint8)
    panel = compose_panel(rgb, tile_width=320)
    height = round(320 * shape[0] / shape[1])
    assert panel.shape[1] == 2 * 320 + 30
    assert panel.shape[0] == compose_panel(RGB, tile_width=320).shape[0] + 2 * (height - 240)


def test_depth_of_other_proportions_is_not_distorted():
    wide = DepthImage(np.full((360, 640), 1000, np.uint16), 0.001)
    panel = compose_panel(RGB, depth=wide, range_m=(1.0, 3.0))
    painted = (panel == colormap_rgb()[1]).all(axis=2)[panel.shape[0] // 2 : -40, :650]
    assert painted.any(axis=1).sum() == pytest.approx(360, abs=2)


def test_boxes_follow_the_scale_of_the_tile():
    big = np.full((960, 1280, 3), 100, np.uint8)
    doubled = Detections(2 * FOUND.xyxy, FOUND.scores, FOUND.class_ids)
    panels = [
        compose_panel(RGB, detections=FOUND, labels=LABELS),
        compose_panel(big, detections=doubled, labels=LABELS),
    ]
    np.testing.assert_array_equal(*panels)


def test_long_legends_are_cut_short():
    mask = (np.arange(480 * 640).reshape(480, 640) // 9000).astype(np.uint8)
    names = LabelMap({i: f'a rather long name {i}' for i in range(40)})
    panel = compose_panel(RGB, mask=mask, mask_labels=names)
    assert panel.shape == compose_panel(RGB).shape


NAN = np.nan


@pytest.mark.parametrize(
    ('before', 'after', 'counted'),
    [
        (NAN, NAN, ['0 %', '0 %', '0 %', '0 %']),
        (2.0, 2.01, ['100 %', '0 %', '0 %', '0 %']),
        (2.0, 2.05, ['0 %', '100 %', '0 %', '0 %']),
        (NAN, 2.0, ['0 %', '0 %', '100 %', '0 %']),
        (2.0, NAN, ['0 %', '0 %', '0 %', '100 %']),
    ],
)
def test_changes_of_each_pixel(before, after, counted):
    shape = (24, 32)
    tile = change_tile(np.full(shape, before, np.float32), np.full(shape, after, np.float32),
                       (32, 24))  # fmt: skip
    assert [
        name.rpartition(' ')[0].rpartition(' ')[2] + ' %' for name, _ in tile.legend
    ] == counted
    expected = next(
        (c for (_, c), t in zip(tile.legend, counted, strict=True) if t == '100 %'), None
    )
    assert (tile.picture == np.array(expected or (0, 0, 0))).all()


def test_three_images_in_one_row():
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
