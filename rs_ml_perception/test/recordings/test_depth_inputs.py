"""All kinds of depth inputs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.recordings.depth_inputs import (
    DepthImageFiles,
    read_depth_inputs,
    resolve_depth_inputs,
)
from rs_ml_perception.recordings.pictures import write_picture

DEPTH, INFRARED = np.full((4, 6), 1500, np.uint16), np.full((4, 6), 70, np.uint8)


def read(*texts, **pictures):
    """(stem -> frame, rejected)."""
    rejected = []
    found = read_depth_inputs(
        resolve_depth_inputs([str(text) for text in texts]),
        on_rejected=lambda name, error: rejected.append((name, str(error))),
        pictures=DepthImageFiles(**pictures),
    )
    return {image.stem: image.frame for image in found}, rejected


@pytest.fixture
def folder(tmp_path):
    """Intel's layout with one infrared image of two, and a folder of plain depth."""
    for name, pixels in {
        'intel/res-1.png': DEPTH,
        'intel/res-2.png': DEPTH,
        'intel/left-1.png': INFRARED,
        'intel/gt-1.png': DEPTH,
        'plain/a.png': DEPTH,
        'plain/b.tif': DEPTH,
        'plain/picture.png': np.zeros((4, 6, 3), np.uint8),
        'plain/grey.png': INFRARED,
        'infra/a.png': INFRARED,
        'infra/left-2.png': INFRARED,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_picture(tmp_path / name, pixels)
    return tmp_path


def test_no_input_at_all():
    with pytest.raises(InputError, match='no input'):
        resolve_depth_inputs([])


def test_intel_s_layout(folder):
    found, rejected = read(folder / 'intel')
    assert list(found) == ['res-1', 'res-2']
    assert (found['res-1'].infrared == 70).all()
    assert found['res-2'].infrared is None
    assert found['res-1'].rgb is None
    assert rejected == []


def test_a_folder_takes_depth_and_names_other_files(folder):
    found, rejected = read(folder / 'plain')
    assert list(found) == ['a', 'b']
    assert np.allclose(found['b'].depth.depth_m, 1.5)
    assert [name for name, _ in rejected] == ['grey.png', 'picture.png']
    assert '--depth-unit' in rejected[0][1]


@pytest.mark.parametrize(
    ('name', 'pictures', 'has_infrared'),
    [
        ('plain/a.png', {}, False),
        ('plain/a.png', {'infrared': 'infra'}, True),
        ('intel/res-2.png', {'infrared': 'infra'}, True),
        ('intel/res-1.png', {'is_infrared_used': False}, False),
    ],
)
def test_infrared_of_an_image(folder, name, pictures, has_infrared):
    if 'infrared' in pictures:
        pictures = {'infrared': folder / pictures['infrared']}
    found, rejected = read(folder / name, **pictures)
    (frame,) = found.values()
    assert (frame.infrared is not None) == has_infrared
    assert rejected == []


def test_a_missing_infrared_image_is_reported(folder):
    found, rejected = read(folder / 'plain' / 'b.tif', infrared=folder / 'infra')
    assert found == {}
    assert 'no infrared image b.png' in rejected[0][1]


def test_eight_bit_depth_in_another_unit(folder):
    found, _ = read(folder / 'plain' / 'grey.png', metres_per_unit=0.04)
    assert np.allclose(found['grey'].depth.depth_m, 2.8)


def test_nothing_but_holes_is_depth(tmp_path):
    write_picture(tmp_path / 'a.png', np.zeros((4, 6), np.uint16))
    assert np.isnan(read(tmp_path / 'a.png')[0]['a'].depth.depth_m).all()


def test_sixteen_bit_infrared_is_seen_by_its_upper_half(folder):
    cv2.imwrite(str(folder / 'infra' / 'a.png'), np.full((4, 6), 70 << 8, np.uint16))
    found, _ = read(folder / 'plain' / 'a.png', infrared=folder / 'infra')
    assert (found['a'].infrared == 70).all()


def test_a_recording_numbers_its_frames(write_recording, make_frame):
    found, _ = read(write_recording([make_frame(0), make_frame(1)]))
    assert list(found) == ['bag_000000', 'bag_000001']


def test_an_absent_camera_is_rejected(librealsense):
    found, rejected = read('realsense:000000000000')
    assert found == {}
    assert 'no RealSense camera 000000000000' in rejected[0][1]


@pytest.mark.parametrize(
    ('name', 'said'),
    [
        ('nothing.png', 'does not exist'),
        ('empty', 'no depth images'),
        ('a.jpg', 'no known kind of file'),
    ],
)
def test_inputs_that_are_none(tmp_path, name, said):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'a.jpg').write_bytes(b'')
    with pytest.raises(InputError, match=said):
        resolve_depth_inputs([str(tmp_path / name)])
