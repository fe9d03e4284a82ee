"""Stored depth and metres, there and back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.data.encodings import (
    ENCODINGS,
    RAW_SIZES,
    decode,
    encode,
    read_depth,
    write_depth,
)

STORED = [
    ('mm', np.uint16, [0, 1, 1500, 65535], [0, 0.001, 1.5, 65.535]),
    ('kitti', np.uint16, [0, 256, 20480], [0, 1, 80]),
    ('l515', np.uint16, [0, 4000, 65535], [0, 1, 16.38375]),
    ('tenth-mm', np.uint16, [0, 10000], [0, 1]),
    ('eight-bit-10m', np.uint8, [0, 51, 255], [0, 2, 10]),
    ('metres', np.float32, [0, 2.5, np.nan, np.inf, -1], [0, 2.5, 0, 0, 0]),
    ('share-of-65535-mm', np.float32, [0, 0.5, 1], [0, 32.7675, 65.535]),
    ('share-of-max', np.uint16, [0, 32768], [0, 5]),
]
MAX_M = 10.0


def test_every_encoding_is_here():
    assert {name for name, *_ in STORED} == set(ENCODINGS)


@pytest.mark.parametrize(('name', 'dtype', 'stored', 'metres'), STORED)
def test_decode(name, dtype, stored, metres):
    depth_m = decode(np.array([stored], dtype), name, MAX_M)
    assert depth_m.dtype == np.float32
    np.testing.assert_allclose(depth_m[0], metres, rtol=1e-6)


@pytest.mark.parametrize('name', ENCODINGS)
def test_there_and_back(name):
    depth_m = np.array([[0, 0.001, 0.3, 1.234, 6.5, np.nan, np.inf, -1]], np.float32)
    back = decode(encode(depth_m, name, MAX_M), name, MAX_M)
    known = np.isfinite(depth_m) & (depth_m > 0)
    assert (back[~known] == 0).all()
    assert (back[known] > 0).all()
    step_m = ENCODINGS[name].step_m(MAX_M)
    inexact = 0 if ENCODINGS[name].dtype == np.float32 else step_m / 2
    coarse = back[known] == np.float32(step_m)  # what would round to unknown is one step
    assert (coarse | (np.abs(back - depth_m)[known] <= inexact + 1e-5)).all()


@pytest.mark.parametrize(
    ('name', 'depth_m', 'greatest'),
    [
        ('mm', 70, 65535),
        ('kitti', 300, 65535),
        ('eight-bit-10m', 11, 255),
        ('share-of-max', 10, 65535),
    ],
)
def test_beyond_the_range(name, depth_m, greatest):
    assert encode(np.array([[float(depth_m)]]), name, MAX_M).tolist() == [[greatest]]


@pytest.mark.parametrize('name', ['mm', 'kitti', 'eight-bit-10m'])
def test_an_empty_map(name):
    empty = np.zeros((0, 4), np.float32)
    assert decode(encode(empty, name), name).shape == (0, 4)


@pytest.mark.parametrize(
    ('suffix', 'name'),
    [
        ('.png', 'mm'),
        ('.png', 'kitti'),
        ('.tif', 'l515'),
        ('.tif', 'metres'),
        ('.png', 'share-of-max'),
    ],
)
def test_files(tmp_path, miniatures, suffix, name):
    depth_m = miniatures.depth_m(3)
    path = tmp_path / f'd{suffix}'
    write_depth(path, depth_m, name, MAX_M)
    error = np.abs(read_depth(path, name, MAX_M) - depth_m)
    assert error.max() <= ENCODINGS[name].step_m(MAX_M) / 2 + 1e-6 or name == 'metres'
    assert error.max() < 0.002


@pytest.mark.parametrize(('width', 'height'), RAW_SIZES)
def test_raw(tmp_path, width, height):
    path = tmp_path / 'd.raw'
    stored = np.arange(width * height, dtype=np.uint32).astype('<u2').reshape(height, width)
    stored.tofile(path)
    np.testing.assert_allclose(read_depth(path), stored * 0.001, rtol=1e-6)


def test_npy(tmp_path):
    np.save(tmp_path / 'd.npy', np.array([[1.5, np.nan]], np.float32))
    assert read_depth(tmp_path / 'd.npy', 'metres').tolist() == [[1.5, 0]]


@pytest.mark.parametrize(
    ('file', 'content', 'name', 'error', 'named'),
    [
        ('d.raw', b'', 'mm', InputError, '0 values'),
        ('d.raw', b'123', 'mm', InputError, 'd.raw'),
        ('d.raw', b'1234', 'mm', InputError, '2 values'),
        ('d.npy', b'123', 'metres', InputError, 'd.npy'),
        ('d.npy', b'', 'metres', InputError, 'd.npy'),
        ('d.png', b'\x89PNG\r\n\x1a\n', 'mm', InputError, 'd.png'),
        ('d.png', b'', 'mm', InputError, 'd.png'),
        ('d.png', None, 'mm', InputError, 'd.png'),
        ('d.png', 'gray', 'mm', InputError, 'uint8'),
        ('d.png', 'gray', 'metres', InputError, 'uint8'),
        ('d.png', 'gray', 'inch', ConfigError, 'inch'),
        ('d.png', 'gray', 'share-of-max', InputError, 'uint8'),
    ],
)
def test_files_that_are_no_depth(tmp_path, file, content, name, error, named):
    path = tmp_path / file
    if content == 'gray':
        cv2.imwrite(str(path), np.zeros((2, 2), np.uint8))
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(error) as caught:
        read_depth(path, name)
    assert named in str(caught.value)


def test_share_of_max_needs_the_maximum():
    with pytest.raises(ConfigError, match='max_depth_m'):
        decode(np.zeros((1, 1), np.uint16), 'share-of-max')


@pytest.mark.parametrize(
    ('file', 'name', 'error'),
    [('d.png', 'metres', ConfigError), ('none/d.png', 'mm', InputError)],
)
def test_unwritable_values(tmp_path, file, name, error):
    with pytest.raises(error, match=r'd\.png'):
        write_depth(tmp_path / file, np.ones((2, 2)), name)
    assert not (tmp_path / file).exists()
