"""Measured depth with holes and a range, and errors by where it is measured."""

import numpy as np
import pytest
from rs_ml_training.data.sample import Sample

from benchmarks.aligned_depth import PARTS, Errors, Fitted, limited_depth, table

RAMP = np.repeat(np.linspace(1.0, 5.0, 80, dtype=np.float32)[None], 60, 0)


@pytest.mark.parametrize('has_raw', [False, True])
def test_depth_of_the_sensor_ends_at_the_range_and_has_holes(has_raw):
    raw_m = 0.5 * RAMP if has_raw else None
    sample = Sample(name='a', depth_m=RAMP, raw_depth_m=raw_m)
    depth_m = limited_depth(sample, 2.0, np.random.default_rng(0))
    source_m = raw_m if has_raw else RAMP
    known = depth_m > 0
    np.testing.assert_array_equal(depth_m[known], source_m[known])
    assert not known[source_m > 2.0].any()
    assert 0.5 < np.mean(known[source_m <= 2.0]) < 1.0


def test_errors_of_pixels():
    errors = Errors()
    assert (errors.accuracy(), errors.coverage()) == ('-', '-')
    truth_m = np.array([1.0, 2.0, 4.0, 4.0])
    errors.add(truth_m + np.array([0.0, 0.2, 0.4, 2.0]), truth_m, np.full(4, 0.25))
    assert errors.accuracy() == '1.02 / 0.175 / 0.750'
    assert errors.coverage() == '0.50 / 0.75'


def test_a_mode_without_standard_deviation_has_no_coverage():
    errors = {part: Errors() for part in PARTS}
    for one in errors.values():
        one.add(np.ones(2), np.ones(2), None)
    row = table('rooms', 3, [Fitted('off', errors)]).splitlines()[-1]
    assert row == f'| `off` | {" | ".join(["0.00 / 0.000 / 1.000"] * 3)} | - | - | - |'
