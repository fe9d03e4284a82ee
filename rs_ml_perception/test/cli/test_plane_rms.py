"""rs-ml-plane-rms and the plane fit behind it."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from rs_ml_perception.cli.plane_rms import main
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.plane import fit_plane
from rs_ml_perception.recordings.pictures import write_picture

WIDTH, HEIGHT = 64, 48
WORDS = ['--intrinsics', '60,60,31.5,23.5', '--json']


@pytest.fixture
def wall(tmp_path):
    """A wall at 1 m with 5 mm of noise; the first column is invalid."""
    noise_mm = np.random.default_rng(3).normal(0, 5, (HEIGHT, WIDTH))
    depth = np.rint(1000 + noise_mm).astype(np.uint16)
    depth[:, 0] = 0
    path = tmp_path / 'wall.png'
    write_picture(path, depth)
    return path


def measure(capsys, *words):
    assert main([str(word) for word in words]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ('words', 'valid'),
    [([], 1 - 1 / WIDTH), (['--roi', '1,0,30,30'], 1.0), (['--roi', '0,9,10,30'], 0.9)],
)
def test_noise_of_a_wall(words, valid, wall, capsys):
    fields = measure(capsys, wall, *WORDS, *words)
    assert fields['valid'] == pytest.approx(valid)
    assert fields['distance_m'] == pytest.approx(1.0, abs=0.02)
    assert fields['rmse_mm'] == pytest.approx(5, rel=0.15)
    assert fields['normal'][2] < -0.99


def test_slanted_plane_has_no_error(tmp_path, capsys):
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    rays = np.stack([(u - 31.5) / 60, (v - 23.5) / 60, np.ones_like(u)], axis=-1)
    normal = np.array([0.3, -0.2, -1.0])
    depth = np.rint(1e4 * (-1.5 / (rays @ normal))).astype(np.uint16)
    write_picture(tmp_path / 'plane.png', depth)
    fields = measure(capsys, tmp_path / 'plane.png', *WORDS, '--depth-unit', '0.0001')
    assert fields['rmse_mm'] < 0.05
    assert np.allclose(fields['normal'], normal / np.linalg.norm(normal), atol=1e-3)


def test_raw_file_of_known_size(tmp_path, capsys):
    np.full(640 * 480, 1000, '<u2').tofile(tmp_path / 'wall.raw')
    assert measure(capsys, tmp_path / 'wall.raw', '--json')['rmse_mm'] < 1e-6


def test_error_map(wall, tmp_path, capsys):
    words = ['--roi', '0,4,10,10', '--error-map', tmp_path / 'map.png']
    measure(capsys, wall, *WORDS, *words)
    picture = cv2.imread(str(tmp_path / 'map.png'))
    region = picture[4:14, :10]
    assert picture.shape[0] > HEIGHT  # the bar
    assert picture.shape[1:] == (WIDTH, 3)
    assert region[:, 0].max() == 0  # invalid is black
    assert np.ptp(region[:, 1:].astype(int), axis=2).max() > 100  # colours
    assert np.ptp(picture[20:HEIGHT].astype(int), axis=2).max() == 0  # grey


def test_text(wall, capsys):
    assert main([str(wall), '--intrinsics', '60,60,31.5,23.5']) == 0
    printed = capsys.readouterr()
    for words in ('RMSE 5.', '% of z)', 'flatness', 'fill rate 98.4%', '0.0% outliers'):
        assert words in printed.out
    assert printed.err == ''


@pytest.mark.parametrize(
    ('size', 'fx'), [((848, 480), 421.5), ((640, 480), 383.2), ((64, 48), 421.5 * 64 / 848)]
)
def test_assumed_intrinsics_are_those_of_a_d435_with_a_warning(size, fx, tmp_path, capsys):
    write_picture(tmp_path / 'wall.png', np.full(size[::-1], 1000, np.uint16))
    assert main([str(tmp_path / 'wall.png')]) == 0
    assert 'intrinsics are assumed, those of a typical D435' in capsys.readouterr().err
    fields = measure(capsys, tmp_path / 'wall.png', '--json')
    assert fields['intrinsics'][0] == pytest.approx(fx)
    assert fields['intrinsics_from'] == 'guess: typical D435'


def test_a_recording_brings_its_own_intrinsics(bag, tmp_path, capsys):
    fields = measure(capsys, bag, '--frame', 2, '--json')
    assert fields['intrinsics'] == [40.0, 40.0, 23.5, 17.5]
    assert fields['intrinsics_from'] == 'recording'
    assert fields['distance_m'] == pytest.approx(1.5)
    write_picture(tmp_path / 'wall.png', np.full((36, 48), 1000, np.uint16))
    fields = measure(capsys, tmp_path / 'wall.png', '--intrinsics', bag, '--json')
    assert (fields['intrinsics'][0], fields['intrinsics_from']) == (40.0, 'recording')


@pytest.mark.parametrize('tilt', [0.0, 0.3])
@pytest.mark.parametrize('noise_mm', [1.0, 4.0, 20.0])
@pytest.mark.parametrize(
    ('outliers', 'limits_m'), [(0.0, (0, 1)), (0.05, (0.3, 3.0)), (0.05, (1.6, 1.65))]
)
def test_noise_is_right_within_two_percent_in_spite_of_outliers(
    outliers, limits_m, noise_mm, tilt, tmp_path, capsys
):
    rng = np.random.default_rng(5)
    size = (240, 320)
    u, v = np.meshgrid(np.arange(320), np.arange(240))
    rays = np.stack([(u - 159.5) / 300, (v - 119.5) / 300, np.ones(size)], axis=-1)
    normal = np.array([tilt, 0, -1]) / np.hypot(tilt, 1)
    errors_m = rng.normal(0, 1e-3 * noise_mm, size)
    depth_m = (errors_m - 1.0) / (rays @ normal)  # errors are distances from the plane
    is_outlier = rng.random(size) < outliers
    depth_m[is_outlier] = rng.uniform(*limits_m, np.count_nonzero(is_outlier))
    np.save(tmp_path / 'wall.npy', depth_m)
    words = ['--intrinsics', '300,300,159.5,119.5', '--json']
    fields = measure(capsys, tmp_path / 'wall.npy', *words)
    truth_mm = 1e3 * errors_m[~is_outlier].std()
    assert fields['rmse_mm'] == pytest.approx(truth_mm, rel=0.02)
    assert fields['distance_m'] == pytest.approx(1.0, abs=2e-3)
    assert fields['outliers'] == pytest.approx(outliers, abs=0.005)
    assert fields['rmse_of_z'] == pytest.approx(1e-3 * truth_mm / np.hypot(tilt, 1), rel=0.05)
    assert fields['flatness_mm'] == pytest.approx(2 * 2.326 * truth_mm, rel=0.05)


def test_least_squares_counts_everything(tmp_path, capsys):
    depth_m = np.ones((48, 64), np.float32)
    depth_m[10:12] = 1.5
    np.save(tmp_path / 'wall.npy', depth_m)
    fields = [
        measure(capsys, tmp_path / 'wall.npy', *WORDS, '--method', method)
        for method in ('ransac', 'least-squares')
    ]
    assert fields[0]['rmse_mm'] < 0.1
    assert fields[0]['outliers'] == pytest.approx(2 / 48)
    assert fields[1]['rmse_mm'] > 50
    assert fields[1]['outliers'] == 0


@pytest.mark.parametrize(
    ('values', 'words'),
    [
        (np.full((48, 64), 2000, np.int64), []),
        (np.full((48, 64), 2.0), []),
        (np.full((48, 64), 2000.0), ['--depth-unit', '0.001']),
    ],
)
def test_arrays(values, words, tmp_path, capsys):
    np.save(tmp_path / 'wall.npy', values)
    fields = measure(capsys, tmp_path / 'wall.npy', *WORDS, *words)
    assert fields['distance_m'] == pytest.approx(2.0)


def test_negative_values_of_an_array_are_no_depth(tmp_path, capsys):
    values = np.full((48, 64), 2000, np.int32)
    values[:12] = -1
    np.save(tmp_path / 'wall.npy', values)
    fields = measure(capsys, tmp_path / 'wall.npy', *WORDS, '--method', 'least-squares')
    assert fields['distance_m'] == pytest.approx(2.0)
    assert fields['valid'] == pytest.approx(0.75)


def test_an_error_map_without_an_ending_costs_no_result(wall, tmp_path, capsys):
    assert main([str(wall), *WORDS, '--error-map', str(tmp_path / 'errors')]) == 2
    said = capsys.readouterr()
    assert 'rmse_mm' in said.out
    assert 'errors cannot be written: give it an ending such as .png' in said.err


def test_topic_of_a_recording(bag, capsys):
    topic = '/camera/camera/aligned_depth_to_color/image_raw'
    fields = measure(capsys, bag, '--topic', topic, '--json')
    assert (fields['distance_m'], fields['intrinsics'][0]) == (pytest.approx(1.5), 40.0)


FLOATS_M = 1.961 + np.random.default_rng(0).normal(0, 0.001, (48, 64)).astype(np.float32)


@pytest.mark.parametrize(
    ('values', 'words'), [(FLOATS_M, []), (1e3 * FLOATS_M, ['--depth-unit', '0.001'])]
)
def test_float32_is_metres_by_default(values, words, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / 'wall.tif'), values)
    fields = measure(capsys, tmp_path / 'wall.tif', *WORDS, *words)
    assert fields['distance_m'] == pytest.approx(1.961, abs=0.001)
    assert fields['rmse_mm'] == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize(
    ('words', 'reason'),
    [
        (['{wall}', '--roi', '60,0,10,10'], 'does not lie within'),
        (['{wall}', '--roi', '0,0,0,5'], 'does not lie within'),
        (['{wall}', '--roi', '0,0,1,9'], 'at least 3 points'),
        (['{folder}/none.png'], 'cannot be read'),
        (['{folder}/short.npy'], 'cannot be read as an array'),
        (['{bag}', '--topic', '/no/topic'], 'has no topic /no/topic'),
        (['{wall}', '--topic', '/depth'], 'is for recordings and running cameras'),
        ([], 'pass an image, a recording, or --topic TOPIC'),
        (['{folder}/short.raw'], '2 bytes, known are'),
        (['{folder}/mm.tif'], 'are taken for metres: pass --depth-unit METRES'),
        (['{bag}', '--frame', '3'], 'no depth image 3'),
        (['{wall}', '--intrinsics', '{bag}'], 'the image 64x48'),
    ],
)
def test_errors_are_one_sentence(words, reason, wall, bag, tmp_path, capsys):
    (tmp_path / 'short.raw').write_bytes(b'12')
    (tmp_path / 'short.npy').write_bytes(b'12')
    cv2.imwrite(str(tmp_path / 'mm.tif'), 1e3 * FLOATS_M)
    words = [word.format(wall=wall, folder=tmp_path, bag=bag) for word in words]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize('points', [np.zeros((0, 3)), np.full((5, 3), np.nan), np.eye(3)[:2]])
def test_too_few_points(points):
    with pytest.raises(InputError, match='at least 3'):
        fit_plane(points)


def test_points_on_a_line_span_no_plane():
    line = np.outer(np.arange(5.0), [1.0, 2.0, 3.0])
    with pytest.raises(InputError, match='on one line'):
        fit_plane(line)
