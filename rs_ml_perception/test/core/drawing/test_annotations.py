"""Drawn boxes, captions and masks, their places and colours."""

from dataclasses import replace

import numpy as np
import pytest
from rs_ml_perception.core.drawing.annotations import (
    annotate_detections,
    draw_heights,
    height_caption,
    overlay_mask,
    transparent_ids,
)
from rs_ml_perception.core.drawing.colormap import (
    COLORMAPS,
    colorize_depth,
    colormap_rgb,
    depth_range_m,
)
from rs_ml_perception.core.drawing.text import TextStyle, contrasting, put_chip
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.objects.detections import Detections, Placements
from rs_ml_perception.core.objects.labels import LabelMap, class_color
from rs_ml_perception.core.people.heights import HeightStatus, PersonHeights

LABELS = LabelMap({1: 'person', 2: 'chair'})
GREY = np.full((240, 320, 3), 128, np.uint8)


def detections(*boxes, class_id=1, track_id=-1):
    n = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(n, 4),
        np.linspace(0.9, 0.5, n).astype(np.float32),
        np.full(n, class_id, np.int32),
        np.full(n, track_id, np.int32),
    )


def heights_of(found, status, height_m=1.7):
    n = len(found)
    return PersonHeights(
        found,
        Placements.unknown(n),
        np.full(n, status, np.uint8),
        np.full(n, height_m, np.float32),
        np.full(n, 0.02, np.float32),
        np.zeros((n, 3)),
        np.zeros((n, 3)),
        np.zeros(n, np.uint8),
        np.zeros(n, np.int64),
    )


def test_nothing_found_draws_nothing():
    picture = annotate_detections(GREY, Detections.empty(), LABELS)
    np.testing.assert_array_equal(picture, GREY)
    np.testing.assert_array_equal(draw_heights(GREY, PersonHeights.empty()), GREY)
    assert not np.shares_memory(picture, GREY)


def test_a_read_only_image_is_left_as_it_is():
    rgb = GREY.copy()
    rgb.flags.writeable = False
    picture = annotate_detections(rgb, detections((40, 60, 140, 200)), LABELS)
    assert (rgb == 128).all()
    assert picture.flags.writeable


@pytest.mark.parametrize('class_id', [1, 2, 77])
def test_a_box_has_the_colour_of_its_class_on_its_border_only(class_id):
    picture = annotate_detections(GREY, detections((40, 60, 140, 200), class_id=class_id), LABELS)
    color = class_color(class_id)
    for y, x in [(130, 40), (130, 139), (199, 100)]:
        assert tuple(picture[y, x]) == color
    assert (picture[80:190, 50:130] == 128).all()
    assert (picture[210:] == 128).all()


@pytest.mark.parametrize(
    'box',
    [
        (-50, -50, 30, 40),
        (300, 220, 400, 300),
        (310, 0, 320, 240),
        (0, 0, 320, 240),
        (500, 500, 600, 600),
        (100, 100, 100, 100),
        (100.4, 50.6, 100.6, 50.9),
    ],
)
def test_drawing_is_clipped_to_the_image(box):
    picture = annotate_detections(GREY, detections(box), LABELS)
    assert picture.shape == GREY.shape
    assert (picture != 128).any()


@pytest.mark.parametrize('image_height', [120, 480, 1080])
def test_text_grows_with_the_image(image_height):
    rgb = np.full((image_height, 4 * image_height // 3, 3), 128, np.uint8)
    boxes = np.array([0.2, 0.3, 0.6, 0.9]) * image_height
    picture = annotate_detections(rgb, detections(tuple(boxes)), LABELS)
    chip = (picture[: int(boxes[1]) - 4] == class_color(1)).all(axis=2)
    rows = np.flatnonzero(chip.any(axis=1))
    assert np.ptp(rows) + 1 == pytest.approx(max(12, image_height / 28), rel=0.35)


def test_text_says_more_when_more_is_known():
    box = detections((40, 60, 300, 200))
    far = Placements(np.array([True]), np.array([[0, 0, 2.5]]), *2 * [np.ones(1, np.float32)])
    texts = [
        annotate_detections(GREY, box, LABELS),
        annotate_detections(GREY, replace(box, track_ids=np.array([12], np.int32)), LABELS),
        annotate_detections(GREY, box, LABELS, far),
    ]
    plain, tracked, placed = [(t[30:60] != 128).any(axis=2).any(axis=0).sum() for t in texts]
    assert tracked > plain
    assert placed > plain
    unknown = annotate_detections(GREY, box, LABELS, Placements.unknown(1))
    np.testing.assert_array_equal(unknown, texts[0])


def test_captions_do_not_cover_each_other():
    same = detections((40, 60, 200, 200), (40, 60, 200, 200))
    alone = annotate_detections(GREY, same[:1], LABELS)
    both = annotate_detections(GREY, same, LABELS)
    changed = (alone != both).any(axis=2)
    assert changed.any()
    assert not changed[:58].any()


@pytest.mark.parametrize('color', [(255, 255, 255), (255, 255, 0), (0, 0, 0), (0, 0, 160)])
def test_text_stands_out_from_its_chip(color):
    light = sum(color) > 300
    assert (sum(contrasting(color)) < 100) == light


@pytest.mark.parametrize('corner', [(-40, -40), (10, 10), (900, 900)])
def test_a_chip_is_moved_into_the_image(corner):
    picture, style = GREY.copy(), TextStyle.for_image(240)
    x, y = put_chip(picture, 'person', *corner, style, (255, 0, 0))
    width, height = style.size('person')
    chip = picture[y : y + height, x : x + width]
    assert chip.shape == (height, width, 3)
    assert tuple(chip[0, 0]) == tuple(chip[-1, -1]) == (255, 0, 0)
    assert np.count_nonzero((picture != 128).any(axis=2)) == width * height


@pytest.mark.parametrize(
    ('status', 'height_m', 'expected'),
    [
        (HeightStatus.OK, 1.784, '1.78 m +-2 cm'),
        (HeightStatus.TRUNCATED, 1.2, '>= 1.20 m truncated'),
        (HeightStatus.OCCLUDED, 0.9, '>= 0.90 m occluded'),
        (HeightStatus.NOT_STANDING, 1.1, '1.10 m not standing'),
        (HeightStatus.NO_DEPTH, np.nan, 'no depth'),
    ],
)
def test_heights_in_words_and_colours(status, height_m, expected):
    found = detections((40, 60, 140, 200))
    heights = heights_of(found, status, height_m)
    assert height_caption(heights, 0) == expected
    picture = draw_heights(GREY, heights, LABELS)
    ok = draw_heights(GREY, heights_of(found, HeightStatus.OK))
    assert (picture[130, 40] != 128).any()
    assert (tuple(picture[130, 40]) == tuple(ok[130, 40])) == (status is HeightStatus.OK)


MASK = np.zeros((240, 320), np.uint8)
MASK[50:100, 50:100] = 5
MASK[150:200, 50:100] = 255


@pytest.mark.parametrize('alpha', [0.0, 0.25, 0.5, 1.0])
def test_mask_is_blended(alpha):
    picture = overlay_mask(GREY, MASK, alpha, transparent=(0, 255))
    expected = (1 - alpha) * 128 + alpha * np.array(class_color(5))
    np.testing.assert_allclose(picture[60, 60].astype(float), expected, atol=1)
    assert (picture[MASK != 5] == 128).all()


def test_unlabelled_pixels_stay_clear_by_default():
    picture = overlay_mask(GREY, MASK)
    assert (picture[MASK == 255] == 128).all()
    assert (picture[MASK == 0] != 128).any()


def test_own_colours():
    colors = np.zeros((256, 3), np.uint8)
    colors[5] = (10, 20, 30)
    assert tuple(overlay_mask(GREY, MASK, 1.0, colors)[60, 60]) == (10, 20, 30)


@pytest.mark.parametrize('mask', [MASK[:100], MASK.astype(np.int32)])
def test_a_mask_that_does_not_fit_is_rejected(mask):
    with pytest.raises(InputError, match=r'uint8 of shape \(240, 320\), got'):
        overlay_mask(GREY, mask)


@pytest.mark.parametrize('rgb', [GREY[..., 0], GREY.astype(np.float32), GREY[..., :2]])
def test_other_arrays_are_not_images(rgb):
    with pytest.raises(InputError, match='an image must be uint8'):
        annotate_detections(rgb, Detections.empty(), LABELS)


@pytest.mark.parametrize(
    ('names', 'expected'),
    [
        ({}, (255,)),
        ({0: 'background', 1: 'cat'}, (0, 255)),
        ({0: 'wall', 11: 'Void'}, (11, 255)),
    ],
)
def test_background_is_transparent(names, expected):
    assert transparent_ids(LabelMap(names)) == expected


@pytest.mark.parametrize('colormap', sorted(COLORMAPS))
def test_depth_colours_run_from_near_to_far(colormap):
    depth_m = np.array([[0.5, 1.0, 2.0, 3.0, 9.0, np.nan, 0.0]], np.float32)
    picture = colorize_depth(depth_m, 1.0, 3.0, colormap)[0]
    colors = colormap_rgb(colormap)
    for column, index in enumerate((1, 1, 128, 255, 255, 0, 0)):
        np.testing.assert_array_equal(picture[column], colors[index])
    assert (picture[:5].any(axis=1)).all()
    assert not picture[5:].any()


def test_viridis_ends_dark_violet_and_yellow():
    colors = colormap_rgb('viridis')
    np.testing.assert_array_equal(colors[[1, 255]], [[68, 1, 84], [253, 231, 37]])


def test_depth_without_a_valid_pixel_is_black():
    assert not colorize_depth(np.full((4, 5), np.nan, np.float32)).any()


@pytest.mark.parametrize(
    ('depths', 'expected'),
    [
        ([], (0.0, 1.0)),
        ([None], (0.0, 1.0)),
        ([np.full((8, 8), np.nan, np.float32)], (0.0, 1.0)),
        ([np.full((8, 8), 2, np.float32)], (2.0, 2.1)),
        ([np.full((8, 8), 2, np.float32), None, np.full((8, 8), 5, np.float32)], (2.0, 5.0)),
    ],
)
def test_depth_range(depths, expected):
    assert depth_range_m(*depths) == pytest.approx(expected)


def test_depth_range_ignores_outliers():
    depth_m = np.linspace(1, 3, 240 * 320, dtype=np.float32).reshape(240, 320)
    depth_m[0, :40] = 60
    near_m, far_m = depth_range_m(depth_m)
    assert 1 <= near_m < 1.1
    assert 2.9 < far_m <= 3


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ((2.0, 2.0), 'near 2.0 m and far 2.0 m'),
        ((3.0, 2.0), 'near 3.0 m'),
        ((1.0, float('nan')), 'far nan m'),
        ((1.0, 2.0, 'pink'), "one of viridis, turbo, jet, got 'pink'"),
    ],
)
def test_bad_palettes_are_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        colorize_depth(np.ones((2, 2), np.float32), *arguments)
