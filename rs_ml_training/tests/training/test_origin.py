"""Whose weights a training started from is written down."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip('keras')

from rs_ml_training.tasks.mono_depth import DepthTraining
from rs_ml_training.training.spec import origin_of

from rs_ml_training import trained


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        ({}, ''),
        ({'encoder_weights': 'imagenet'}, 'encoder: keras.applications on ImageNet'),
        ({'encoder_weights': 'a/b.h5'}, 'encoder: b.h5, licence not stated'),
        ({'initial_weights': Path('a/b.weights.h5')}, 'b.weights.h5'),
    ],
)
def test_origin(options, expected):
    assert origin_of(DepthTraining(**options)) == expected


@pytest.mark.parametrize(
    ('license', 'weights', 'expected'),
    [
        ('', '', 'toy trained on rooms'),
        ('MIT', '', 'toy trained on rooms (MIT)'),
        ('MIT', 'X (BSD)', 'toy trained on rooms (MIT), which started from X (BSD)'),
    ],
)
def test_a_run_passes_on_its_origin(license, weights, expected, tmp_path):
    spec = trained.ModelSpec(
        'depth', 'toy', (32, 32), data='rooms', license=license, weights=weights
    )
    trained.write_spec(spec, tmp_path)
    assert trained.read_spec(tmp_path) == spec
    assert origin_of(DepthTraining(initial_weights=tmp_path)) == expected
    (tmp_path / 'last.weights.h5').touch()
    file = DepthTraining(initial_weights=tmp_path / 'last.weights.h5')
    assert origin_of(file) == expected
