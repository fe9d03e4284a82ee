import cv2
import numpy as np
import pytest
from rs_ml_training.labelling.dialogs import erased, flooded
from rs_ml_training.labelling.outlines import (
    CircleOptions,
    EdgeOptions,
    circles,
    edges,
    enclosed,
    outlines,
)


def part() -> np.ndarray:
    """A bright plate with a dark hole of radius 8 at (60, 50)."""
    rgb = np.full((100, 120, 3), 30, np.uint8)
    rgb[20:80, 20:100] = 220
    cv2.circle(rgb, (60, 50), 8, (40, 40, 40), cv2.FILLED)
    return rgb


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


def test_the_largest_outline_is_the_plate():
    found = outlines(edges(part(), EdgeOptions()), 1000)
    truth = np.zeros((100, 120), bool)
    truth[20:80, 20:100] = True
    assert len(found) == 1
    assert iou(enclosed(found, (120, 100)), truth) > 0.93


def test_inner_outlines_hold_the_hole():
    found = outlines(edges(part(), EdgeOptions(), blur=7), 20, inner=True)
    truth = (np.hypot(*(np.indices((100, 120)) - [[[50]], [[60]]])) <= 8).astype(bool)
    best = max(iou(enclosed([outline], (120, 100)), truth) for outline in found)
    assert best > 0.75
    areas = [cv2.contourArea(outline) for outline in found]
    assert areas == sorted(areas, reverse=True)


def test_black_hides_dark_areas():
    assert edges(part(), EdgeOptions()).any()
    assert not edges(part(), EdgeOptions(black=230)).any()


@pytest.mark.parametrize(
    ('options', 'thicker'),
    [
        (EdgeOptions(erode_vertical=0, erode_horizontal=0), True),
        (EdgeOptions(dilate_vertical=0, dilate_horizontal=0), False),
    ],
)
def test_strokes_thicken_and_thin(options, thicker):
    neutral = EdgeOptions(
        dilate_vertical=0, dilate_horizontal=0, erode_vertical=0, erode_horizontal=0
    )
    plain, changed = (edges(part(), o).sum() for o in (neutral, options))
    assert changed > plain if thicker else changed < plain


def test_nothing_in_an_empty_image():
    empty = np.zeros((50, 60, 3), np.uint8)
    assert outlines(edges(empty, EdgeOptions()), 1) == []
    assert circles(empty, CircleOptions()) == []
    assert not enclosed([], (60, 50)).any()


def test_the_clearest_circle_is_the_hole():
    found = circles(part(), CircleOptions())
    mask = enclosed(found[:1], (120, 100))
    center = np.argwhere(mask).mean(axis=0)
    np.testing.assert_allclose(center, [50, 60], atol=1.5)
    assert mask.sum() == pytest.approx(np.pi * 8**2, rel=0.3)


@pytest.mark.parametrize(
    ('x', 'y', 'side', 'threshold', 'expected'),
    [
        (60, 50, 11, 5, 11 * 11),
        (60, 50, 100, 5, (part()[..., 0] == 40).sum()),
        (0, 0, 13, 5, 7 * 7),
        (60, 50, 13, 255, 13 * 13),
        (19, 50, 13, 5, 7 * 13),
        (-1, 5, 13, 5, 0),
        (5, 100, 13, 5, 0),
    ],
)
def test_brush_floods_similar_colours_in_a_square(x, y, side, threshold, expected):
    painted = flooded(part(), x, y, side, threshold)
    assert painted.sum() == expected


def test_eraser_is_a_disc():
    labels = np.full((30, 30), 2, np.uint8)
    out = erased(labels, 10, 12)
    assert (labels == 2).all()
    assert {*np.unique(out[9:16, 7:14])} == {0}
    assert (out == 0).sum() == pytest.approx(np.pi * 25, rel=0.15)
