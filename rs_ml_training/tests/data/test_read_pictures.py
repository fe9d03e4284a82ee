"""Pictures of every make, as the values that they hold."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_training.data.image_files import read_gray, read_labels, read_rgb, read_stored

VALUES = np.array([[0, 1, 2, 255], [7, 7, 7, 7]], np.uint8)


def palette(path):
    image = pytest.importorskip('PIL.Image').fromarray(VALUES).convert('P')
    image.putpalette([(31 * i + 5 * j) % 256 for i in range(256) for j in range(3)])
    image.putdata(VALUES.ravel().tolist())
    image.save(path)


def gray(path):
    cv2.imwrite(str(path), VALUES)


def three_equal(path):
    cv2.imwrite(str(path), np.repeat(VALUES[..., None], 3, axis=2))


def with_alpha(path):
    channels = [VALUES, VALUES, VALUES, np.full_like(VALUES, 9)]
    cv2.imwrite(str(path), np.stack(channels, axis=2))


def colored(path):
    cv2.imwrite(str(path), np.stack([VALUES, VALUES, VALUES + 1], axis=2))


def deep(path):
    cv2.imwrite(str(path), VALUES.astype(np.uint16))


@pytest.mark.parametrize('make', [palette, gray, three_equal, with_alpha])
def test_class_ids_of_any_make(tmp_path, make):
    make(tmp_path / 'l.png')
    assert (read_labels(tmp_path / 'l.png') == VALUES).all()


@pytest.mark.parametrize(('make', 'named'), [(colored, 'colours'), (deep, 'uint16')])
def test_no_class_ids(tmp_path, make, named):
    make(tmp_path / 'l.png')
    with pytest.raises(InputError, match=named):
        read_labels(tmp_path / 'l.png')


def test_deep_values_stay(tmp_path):
    stored = np.array([[0, 1, 65535]], np.uint16)
    cv2.imwrite(str(tmp_path / 'd.tif'), stored)
    assert (read_stored(tmp_path / 'd.tif') == stored).all()


def test_red_is_first(tmp_path):
    cv2.imwrite(str(tmp_path / 'c.png'), np.array([[[0, 0, 255]]], np.uint8))
    assert read_rgb(tmp_path / 'c.png').tolist() == [[[255, 0, 0]]]
    assert read_gray(tmp_path / 'c.png').shape == (1, 1)


@pytest.mark.parametrize('read', [read_rgb, read_gray, read_stored, read_labels])
@pytest.mark.parametrize('content', [None, b'', b'no picture', 'cut'])
def test_damaged(tmp_path, read, content):
    path = tmp_path / 'c.png'
    if content == 'cut':
        palette(path)
        path.write_bytes(path.read_bytes()[:-30])
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r'c\.png'):
        read(path)


@pytest.mark.parametrize(
    ('stored', 'expected'),
    [
        (VALUES, VALUES),
        (np.repeat(VALUES[..., None], 3, axis=2), VALUES),
        (VALUES.astype(np.uint16), VALUES),
        (VALUES.astype(np.uint16) << 8, VALUES),
        (np.zeros((2, 2), np.uint16), np.zeros((2, 2))),
    ],
)
def test_gray_of_any_depth(tmp_path, stored, expected):
    cv2.imwrite(str(tmp_path / 'left.png'), stored)
    found = read_gray(tmp_path / 'left.png')
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


def test_gray_of_floats_is_refused(tmp_path):
    cv2.imwrite(str(tmp_path / 'left.tif'), VALUES.astype(np.float32))
    with pytest.raises(InputError, match=r'left\.tif holds float32'):
        read_gray(tmp_path / 'left.tif')
