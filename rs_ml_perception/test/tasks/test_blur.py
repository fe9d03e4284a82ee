"""Images without recognizable people."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError, ModelError
from rs_ml_perception.tasks.blur import BlurOptions, Blurrer

NOISE = np.random.default_rng(3).integers(0, 255, (100, 100, 3), np.uint8)
BOX = np.array([[30, 10, 60, 90]], np.float32)


def finding(xyxy):
    return lambda rgb: SimpleNamespace(xyxy=xyxy)


@pytest.mark.parametrize(
    ('part', 'left', 'top', 'right', 'bottom'),
    [('people', 22, 2, 68, 98), ('heads', 27, 7, 63, 34)],
)
def test_what_is_blurred(part, left, top, right, bottom) -> None:
    changed = (Blurrer(finding(BOX), part)(NOISE) != NOISE).any(axis=2)
    rows, columns = np.nonzero(changed)
    found = columns.min(), rows.min(), columns.max(), rows.max()
    assert found == pytest.approx((left, top, right, bottom), abs=1)


@pytest.mark.parametrize('error', [ModelError('no'), ZeroDivisionError('no'), InputError('no')])
def test_an_image_whose_detection_fails_is_never_shown(error) -> None:
    def fail(rgb):
        raise error

    with pytest.raises(InputError, match='people are not blurred, so it is dropped: no'):
        Blurrer(fail, 'people')(NOISE)


def test_nothing_is_loaded_where_nothing_is_blurred() -> None:
    assert Blurrer.load(BlurOptions(blur_model='/nowhere')) is None


def test_a_part_that_is_unknown() -> None:
    with pytest.raises(ConfigError, match='blur'):
        BlurOptions(blur='faces')
