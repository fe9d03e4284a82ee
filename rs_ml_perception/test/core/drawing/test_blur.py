"""Blurred boxes."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.drawing.blur import blur_boxes, head_boxes

NOISE = np.random.default_rng(3).integers(0, 255, (120, 160, 3), np.uint8)


@pytest.mark.parametrize(
    ('box', 'bottom'),
    [
        ((10, 20, 50, 120), 48),  # standing: 0.7 of the width
        ((10, 20, 30, 120), 45),  # narrow: a quarter of the height
        ((10, 20, 110, 70), 70),  # head and shoulders: all
    ],
)
def test_heads(box, bottom) -> None:
    assert head_boxes(np.array([box]))[0].tolist() == [*box[:3], bottom]


@pytest.mark.parametrize('box', [(40, 30, 120, 110), (-20, -10, 30, 40), (150, 100, 170, 140)])
def test_details_of_a_box_are_gone_and_all_else_stays(box) -> None:
    shown = blur_boxes(NOISE, np.array([box], np.float32))
    x_min, y_min = max(0, box[0]), max(0, box[1])
    inside = np.s_[y_min : min(120, box[3]), x_min : min(160, box[2])]
    assert shown[inside].std() < 0.35 * NOISE[inside].std()
    changed = (shown != NOISE).any(axis=2)
    assert changed[inside].mean() > 0.95
    rows, columns = np.nonzero(changed)
    assert columns.min() >= box[0] - 8
    assert columns.max() <= box[2] + 8
    assert rows.min() >= box[1] - 8
    assert rows.max() <= box[3] + 8


@pytest.mark.parametrize('xyxy', [np.zeros((0, 4)), np.array([[200, 10, 240, 50]])])
def test_nobody_to_blur(xyxy) -> None:
    assert (blur_boxes(NOISE, xyxy) == NOISE).all()
    assert blur_boxes(NOISE, xyxy) is not NOISE
    assert len(head_boxes(xyxy)) == len(xyxy)
