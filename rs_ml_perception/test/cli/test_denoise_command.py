"""rs-ml denoise: files in, millimetres of the same size out."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from rs_ml_perception.cli.main import main
from rs_ml_perception.recordings.pictures import write_picture
from rs_ml_perception.tasks.options import ModelOptions

SIZES = [(848, 480), (640, 480), (1280, 720)]


@pytest.fixture
def network(filling_model, monkeypatch):
    """In place of any model: measurements stay, holes become 1.5 m of which it is unsure."""
    model = filling_model((848, 480))
    monkeypatch.setattr(ModelOptions, 'load', lambda _: model)
    return model


def picture(folder, size, name='res-1.png'):
    depth = np.full(size[::-1], 2000, np.uint16)
    depth[0, 0] = 0
    write_picture(folder / name, depth)
    return folder / name


@pytest.mark.parametrize('size', SIZES)
def test_three_sizes(network, tmp_path, capsys, size):
    path = picture(tmp_path, size)
    write_picture(tmp_path / 'left-1.png', np.full(size[::-1], 80, np.uint8))
    assert main(['denoise', str(path), '--out', str(tmp_path / 'out'), '--json']) == 0
    depth = cv2.imread(str(tmp_path / 'out' / 'res-1_depth.png'), cv2.IMREAD_UNCHANGED)
    assert (depth.shape, depth.dtype) == (size[::-1], np.uint16)
    assert (depth[0, 0], np.unique(depth).tolist()) == (1500, [1500, 2000])
    assert (tmp_path / 'out' / 'res-1_annotated.png').is_file()
    fields = json.loads(capsys.readouterr().out)
    assert (fields['valid'], fields['infrared']) == (1.0, True)
    assert fields['valid_before'] == pytest.approx(1, abs=1e-5)
    assert all(inputs['infrared'].any() for inputs in network.seen)


@pytest.mark.parametrize(
    ('words', 'values'),
    [
        (['--no-infrared', '--no-pictures'], [1500, 2000]),
        (['--no-pictures', '--confidence-threshold', '0.5'], [0, 2000]),
        (['--no-pictures', '--range-min-m', '1.8'], [0, 2000]),
        (['--no-pictures', '--range-max-m', '1.8'], [0, 1500]),
    ],
)
def test_kept_pixels(network, tmp_path, words, values):
    path = picture(tmp_path, (64, 48))
    assert main(['denoise', str(path), '--out', str(tmp_path / 'out'), *words]) == 0
    assert [p.name for p in (tmp_path / 'out').iterdir()] == ['res-1_depth.png']
    depth = cv2.imread(str(tmp_path / 'out' / 'res-1_depth.png'), cv2.IMREAD_UNCHANGED)
    assert np.unique(depth).tolist() == values
    assert not network.seen[0]['infrared'].any()


def test_a_recording(network, bag, tmp_path):
    assert main(['denoise', str(bag), '--out', str(tmp_path / 'out'), '--no-pictures']) == 0
    names = sorted(p.name for p in (tmp_path / 'out').iterdir())
    assert names == [f'kitchen_{number:06d}_depth.png' for number in range(3)]


@pytest.mark.parametrize(
    ('words', 'reason'),
    [
        (['/no/such/path'], 'does not exist'),
        (['{depth}', '--infrared', '/no/such/folder'], 'infrared folder /no/such/folder'),
        (['{depth}', '--confidence-threshold', '7'], 'in [0, 1], got 7'),
        (['{depth}', '--range-min-m', '3', '--range-max-m', '2'], 'must be below range_max_m'),
    ],
)
def test_errors_are_one_sentence(network, tmp_path, capsys, words, reason):
    depth = picture(tmp_path, (64, 48))
    words = [word.format(depth=depth) for word in words]
    assert main(['denoise', *words, '--out', str(tmp_path / 'out')]) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert len(error.splitlines()) == 1


def test_an_infrared_picture_of_another_size_is_rejected(network, tmp_path, capsys):
    path = picture(tmp_path, (64, 48))
    write_picture(tmp_path / 'left-1.png', np.zeros((24, 32), np.uint8))
    assert main(['denoise', str(path), '--out', str(tmp_path / 'out')]) == 2
    assert '32x24, the depth image 64x48' in capsys.readouterr().err
