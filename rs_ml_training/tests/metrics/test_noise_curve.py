"""Noise by range: planes, the law of z squared, holes, sources and the picture."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.cli.data import main
from rs_ml_training.data.depth_maps import depth_maps
from rs_ml_training.metrics.noise_curve import noise_curve, window_noise

FOCAL_BASELINE = 21.0


def slanted(near_m, far_m, noise_px=0.0, shape=(240, 320), seed=0):
    """A plane that recedes to the right, measured by a matcher with this error."""
    inverse = (
        np.linspace(1 / near_m, 1 / far_m, shape[1]) + np.linspace(0, 0.01, shape[0])[:, None]
    )
    error = np.random.default_rng(seed).normal(0, noise_px / FOCAL_BASELINE, shape)
    return (1 / (inverse + error)).astype(np.float32)


@pytest.mark.parametrize(
    'depth_m',
    [np.zeros((96, 96), np.float32), np.full((96, 96), np.nan, np.float32)],
    ids=['zeros', 'nan'],
)
def test_nothing_measured(depth_m):
    curve = noise_curve([depth_m])
    assert len(curve.range_m) == 0
    assert curve.holes == 1
    assert np.isnan(curve.typical_subpixel_px(FOCAL_BASELINE))


def test_no_maps():
    curve = noise_curve([])
    assert (curve.pictures, curve.holes, len(curve.rms_m)) == (0, 0, 0)


def test_a_slanted_plane_has_no_noise():
    range_m, rms_m = window_noise(slanted(0.5, 4))
    assert len(range_m) > 400
    assert (rms_m < 1e-5 * range_m**2).all()


@pytest.mark.parametrize('noise_px', [0.03, 0.1])
def test_error_of_disparity_is_found_at_every_range(noise_px):
    curve = noise_curve([slanted(0.4, 6, noise_px, seed=i) for i in range(3)])
    # A quarter of the windows look flatter than they are.
    np.testing.assert_allclose(curve.subpixel_px(FOCAL_BASELINE), noise_px, rtol=0.08)
    growth = np.polyfit(np.log(curve.range_m), np.log(curve.rms_m), 1)[0]
    assert growth == pytest.approx(2, abs=0.05)


def test_windows_with_holes_do_not_count():
    depth_m = slanted(1, 2, 0.05)
    depth_m[:, ::20] = 0
    curve = noise_curve([depth_m])
    assert len(curve.range_m) == 0
    assert curve.holes == pytest.approx(0.05)


def test_edges_do_not_count_while_most_is_flat():
    smooth, stepped = slanted(1, 2, 0.05), slanted(1, 2, 0.05)
    stepped[::60] -= 0.2
    ratio = noise_curve([stepped]).rms_m / noise_curve([smooth]).rms_m
    assert (ratio < 1.3).all()


def test_a_map_smaller_than_a_window_has_no_noise_curve():
    curve = noise_curve([np.ones((10, 40), np.float32)])
    assert (len(curve.range_m), curve.pictures) == (0, 1)


def test_senseless_window():
    with pytest.raises(ConfigError, match='windows of 3 px'):
        noise_curve([], side_px=3)


@pytest.fixture
def pictures(tmp_path):
    (tmp_path / 'maps').mkdir()
    for number in (1, 2):
        stored = np.rint(1000 * slanted(0.4, 6, 0.1, seed=number)).astype(np.uint16)
        cv2.imwrite(str(tmp_path / f'maps/{number}.png'), stored)
    return tmp_path / 'maps'


def test_command(pictures, tmp_path, capsys):
    pytest.importorskip('matplotlib')
    out, numbers = tmp_path / 'noise.png', tmp_path / 'noise.json'
    sources = [
        f'wall={pictures}',
        f'one={pictures}/1.png',
        '--focal-baseline',
        'wall=21',
        'one=21',
    ]
    assert main(['noise', *sources, '--out', str(out), '--json', str(numbers)]) == 0
    assert 'wall' in capsys.readouterr().out
    found = json.loads(numbers.read_text())
    assert (found['wall']['maps'], found['one']['maps']) == (2, 1)
    assert np.median(found['wall']['subpixel_px']) == pytest.approx(0.1, rel=0.1)
    assert cv2.imread(str(out)).shape[1] > 500


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['maps'], 'is not NAME=SOURCE'),
        (['a=missing'], 'does not exist'),
        (['a={}'], 'give --focal-baseline a=PX_M'),
        (['a={}', '--limit', '0'], '--limit must be at least 1'),
        (['a={}', '--focal-baseline', 'a=near'], 'give pixels times metres'),
        (['a={}', '--focal-baseline', 'a=21', 'a=22'], 'a is given 2 times'),
        (['a={}', '--focal-baseline', 'a=21', '--out', 'noise.txt'], 'must end in .png'),
    ],
)
def test_arguments_that_the_command_refuses(pictures, capsys, arguments, words):
    assert main(['noise', *(a.format(pictures) for a in arguments)]) == 2
    assert words in capsys.readouterr().err


def test_sources_without_depth(tmp_path):
    for source in (str(tmp_path), str(tmp_path / 'missing')):
        with pytest.raises(InputError, match=r'holds no|does not exist'):
            list(depth_maps(source))


@pytest.mark.parametrize('name', ['synth', 'depth-pairs', 'nyu-labelled'])
def test_data_sets_as_sources(miniature, name):
    try:
        path = miniature(name)
    except KeyError:
        path, name = miniature('intel-denoise'), 'synth'
    assert all(depth_m.dtype == np.float32 for depth_m in depth_maps(f'{name}:{path}'))
