"""Quantised tensors at the border of LiteRT."""

import numpy as np
import pytest
from rs_ml_perception.inference.litert import dequantize, quantize

UINT8 = {'dtype': np.uint8, 'quantization': (0.5, 10)}
INT8 = {'dtype': np.int8, 'quantization': (0.25, -5)}
FLOAT = {'dtype': np.float32, 'quantization': (0.0, 0)}
IDS = {'dtype': np.int64, 'quantization': (0.0, 0)}


@pytest.mark.parametrize(
    ('values', 'details', 'expected'),
    [
        (np.zeros(0, np.float32), UINT8, []),
        (np.array([0, 1, -20, 500], np.float32), UINT8, [10, 12, 0, 255]),
        (np.array([0, 1], np.float32), INT8, [-5, -1]),
        (np.array([7, 200], np.uint8), UINT8, [7, 200]),  # raw pixels
        (np.array([0, 127, 128, 255], np.uint8), INT8, [-128, -1, 0, 127]),  # raw pixels
        (np.array([1.5], np.float32), FLOAT, [1.5]),
        (np.array([3], np.uint8), FLOAT, [3.0]),
    ],
)
def test_quantize(values, details, expected):
    stored = quantize(values, details)
    assert stored.dtype == details['dtype']
    np.testing.assert_array_equal(stored, expected)


@pytest.mark.parametrize(
    ('values', 'details', 'expected', 'dtype'),
    [
        (np.zeros(0, np.uint8), UINT8, [], np.float32),
        (np.array([10, 12], np.uint8), UINT8, [0, 1], np.float32),
        (np.array([-5, -1], np.int8), INT8, [0, 1], np.float32),
        (np.array([3], np.int64), IDS, [3], np.int64),
        (np.array([2.5], np.float32), FLOAT, [2.5], np.float32),
    ],
)
def test_dequantize(values, details, expected, dtype):
    seen = dequantize(values, details)
    assert seen.dtype == dtype
    np.testing.assert_array_equal(seen, expected)
