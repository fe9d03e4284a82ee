"""Depth read from recordings, raw and compressed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip('rosbags')

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.data.bag_writing import BagOptions, write_bag
from rs_ml_training.data.depth_maps import depth_maps
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

DEPTH_MM = np.arange(12).reshape(3, 4)


class OneFrame(Reader):
    """One sample with some of its maps."""

    def __init__(self, *maps):
        self._maps = maps

    def __len__(self):
        return 1

    def name(self, index):
        return 'one'

    def read(self, index):
        image = np.zeros((3, 4, 3), np.uint8)
        maps = {'image': image, 'depth_m': np.float32(0.001) * DEPTH_MM.astype(np.float32)}
        camera = CameraModel(4, 3, 5, 6, 1.5, 1)
        return Sample('one', intrinsics=camera, **{name: maps[name] for name in self._maps})


@pytest.mark.parametrize('maps', [('depth_m',), ('image', 'depth_m')], ids=['depth', 'aligned'])
def test_written_depth_reads_back(tmp_path, maps):
    write_bag(OneFrame(*maps), tmp_path / 'bag', BagOptions())
    (depth_m,) = depth_maps(str(tmp_path / 'bag'))
    np.testing.assert_allclose(depth_m, 0.001 * DEPTH_MM, atol=1e-7)


def test_recordings_without_depth(tmp_path):
    write_bag(OneFrame('image'), tmp_path / 'bag', BagOptions())
    with pytest.raises(InputError, match='holds no depth images'):
        list(depth_maps(str(tmp_path / 'bag')))


def test_no_recording(tmp_path):
    (tmp_path / 'broken.bag').write_bytes(b'no bag')
    with pytest.raises(InputError, match=r'broken\.bag'):
        list(depth_maps(str(tmp_path / 'broken.bag')))


@pytest.mark.parametrize(
    ('suffix', 'stored'),
    [('.png', DEPTH_MM.astype(np.uint16)), ('.tif', (DEPTH_MM / 1000).astype(np.float32))],
)
def test_plain_images_are_millimetres_of_whole_numbers_and_metres_of_floats(
    tmp_path, suffix, stored
):
    cv2.imwrite(str(tmp_path / f'a{suffix}'), stored)
    (depth_m,) = depth_maps(str(tmp_path))
    np.testing.assert_allclose(depth_m, DEPTH_MM / 1000, rtol=1e-6)
