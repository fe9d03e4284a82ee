"""Layers without weights: cells, repetition, fill."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_training.networks.resize import Repeated  # noqa: E402
from rs_ml_training.networks.unet.cells import CellsToPixels, PixelsToCells  # noqa: E402
from rs_ml_training.networks.unet.fill import masked_fill  # noqa: E402

PIXELS = np.arange(2 * 8 * 12, dtype=np.float32).reshape(2, 8, 12, 1)


def run(layer, array):
    """Through a model of any size, saved and loaded again."""
    x = keras.Input((None, None, array.shape[-1]))
    model = keras.Model(x, layer(x))
    again = keras.Model.from_config(model.get_config())
    assert again.output.shape == model.output.shape
    return keras.ops.convert_to_numpy(again(array))


def test_cells():
    cells = run(PixelsToCells(4), PIXELS)
    assert cells.shape == (2, 2, 3, 16)
    np.testing.assert_array_equal(cells[1, 1, 2], PIXELS[1, 4:8, 8:12, 0].ravel())
    np.testing.assert_array_equal(run(CellsToPixels(4), cells), PIXELS)


@pytest.mark.parametrize('factor', [1, 2, 3])
def test_repeated(factor):
    expected = PIXELS.repeat(factor, axis=1).repeat(factor, axis=2)
    np.testing.assert_array_equal(run(Repeated(factor), PIXELS), expected)


@pytest.mark.parametrize('layer', [PixelsToCells(4), CellsToPixels(4), Repeated(2)])
def test_shapes_of_a_fixed_size(layer):
    channels = 16 if isinstance(layer, CellsToPixels) else 1
    array = np.zeros((1, 8, 12, channels), np.float32)
    assert layer.compute_output_shape(array.shape) == layer(array).shape


@pytest.mark.parametrize(
    ('measured', 'expected', 'share'),
    [
        (np.zeros((4, 4)), np.zeros((4, 4)), 0.0),
        (np.ones((4, 4)), np.full((4, 4), 5.0), 1.0),
        (np.eye(4), np.full((4, 4), 5.0), 0.25),
    ],
    ids=['nothing', 'everything', 'some'],
)
def test_fill_has_the_value_of_measured_cells(measured, expected, share):
    valid = measured[None, ..., None].repeat(16, -1).astype(np.float32)
    fill, part = masked_fill(keras.ops.convert_to_tensor(5 * valid), keras.ops.array(valid))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(fill)[0, ..., 0], expected, rtol=1e-4)
    assert float(keras.ops.mean(part)) == share


def test_fill_prefers_near_cells():
    values = np.zeros((1, 4, 64, 16), np.float32)
    values[:, :, :4], values[:, :, -4:] = 1.0, 3.0
    valid = (values > 0).astype(np.float32)
    fill = keras.ops.convert_to_numpy(
        masked_fill(keras.ops.array(values), keras.ops.array(valid))[0]
    )
    row = fill[0, 1, :, 0]
    np.testing.assert_allclose(row[:4], 1, atol=0.1)
    np.testing.assert_allclose(row[-4:], 3, atol=0.1)
    assert row[8] < 1.5 < 2.5 < row[-9]
