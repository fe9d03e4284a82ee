"""What a network sees of a picture, and the way back."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_training.data.kitti_list import kb_rect
from rs_ml_training.prediction.preprocess import view_of


@pytest.mark.parametrize(
    ('source', 'model', 'crop', 'rect'),
    [
        ((1, 1), (32, 32), None, (0, 0, 1, 1)),
        ((640, 480), (288, 224), None, (0, 0, 640, 480)),
        ((640, 480), (288, 224), (0.0, 0.0, 1.0, 1.0), (0, 0, 640, 480)),
        ((100, 50), (32, 32), (0.25, 0.5, 0.5, 0.5), (25, 25, 50, 25)),
        ((101, 51), (32, 32), (0.1, 0.1, 0.8, 0.8), (10, 5, 81, 41)),
    ],
)
def test_part_that_is_seen(source, model, crop, rect) -> None:
    assert view_of(source, model, crop).rect == rect


@pytest.mark.parametrize(
    ('source', 'rect'),
    [((1242, 375), (13, 23, 1216, 352)), ((1216, 352), (0, 0, 1216, 352))],
)
def test_kitti_crop_is_the_bottom_centre(source, rect) -> None:
    assert kb_rect(source) == rect


def test_kitti_crop_of_a_small_image_is_an_error() -> None:
    with pytest.raises(InputError, match='640x480'):
        view_of((640, 480), (32, 32), kb_crop=True)


@pytest.mark.parametrize('crop', [None, (0.25, 0.0, 0.5, 1.0)])
def test_dense_outputs_return_to_their_place(crop) -> None:
    picture = np.tile(np.arange(40, dtype=np.float32), (20, 1))
    view = view_of((40, 20), (20, 10), crop)
    back = view.smooth_to_source(view.picture(picture), np.nan)
    assert back.shape == picture.shape
    seen = np.isfinite(back)
    x, _, width, _ = view.rect
    assert seen.sum() == width * 20
    assert seen[:, x : x + width].all()
    # Both ends of the part lose half a pixel of the smaller picture, nothing else moves.
    assert np.abs(back - picture)[:, x + 1 : x + width - 1].max() < 0.3


def test_measured_depth_is_never_mixed() -> None:
    depth_m = np.where(np.indices((9, 15)).sum(axis=0) % 2, 1.0, 3.0).astype(np.float32)
    assert set(np.unique(view_of((15, 9), (32, 32)).measured(depth_m))) == {1.0, 3.0}


def test_boxes_return_to_the_image_and_are_clipped_to_it() -> None:
    view = view_of((100, 50), (50, 25), (0.5, 0.0, 0.5, 1.0))
    boxes = np.array([[0, 0, 50, 25], [10, 5, 60, 30]])
    expected = [[50, 0, 100, 50], [60, 10, 100, 50]]
    np.testing.assert_allclose(view.boxes_to_source(boxes), expected)
    assert view.boxes_to_source(np.empty((0, 4))).shape == (0, 4)


def test_scores_are_enlarged_with_all_their_channels() -> None:
    view = view_of((8, 6), (4, 3))
    for channels in (1, 11):
        assert view.enlarged(np.zeros((3, 4, channels), np.float32)).shape == (6, 8, channels)
