"""The nodes' readers of recordings read the output of `rs-ml-data to-bag`."""

import numpy as np
import pytest
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.frames import frames
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_training.data.bag_writing import BagOptions, write_bag
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

INTRINSICS = CameraModel(64, 48, 50.0, 51.0, 30.0, 22.0)
DEPTH_M = np.linspace(1, 4, 48 * 64, dtype=np.float32).reshape(48, 64).round(3)
IMAGE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
REGISTERED = {'image': IMAGE, 'raw_depth_m': DEPTH_M, 'depth_m': DEPTH_M + 1}
STEREO = {'infrared': IMAGE[..., 0].copy(), 'raw_depth_m': DEPTH_M, 'depth_m': DEPTH_M + 1}


class Twice(Reader):
    """Two frames of the same maps."""

    def __init__(self, maps):
        self._maps = maps

    def __len__(self):
        return 2

    def name(self, index):
        return str(index)

    def read(self, index):
        return Sample(str(index), intrinsics=INTRINSICS, **self._maps)


@pytest.fixture(params=['camera/camera', 'rig/front'])
def written(request, tmp_path):
    """Maps -> (recording, namespace of its camera)."""

    def write(maps):
        options = BagOptions(rate_hz=10, camera=request.param)
        write_bag(Twice(maps), tmp_path / 'bag', options)
        return open_recording(tmp_path / 'bag'), f'/{request.param}'

    return write


def test_registered_depth(written):
    recording, camera = written(REGISTERED)
    with recording:
        topics = camera_topics(recording)
        read = list(frames(recording))
    assert topics.depth == f'{camera}/aligned_depth_to_color/image_raw'
    assert topics.depth_is_aligned
    assert len(read) == 2
    assert read[1].stamp_ns - read[0].stamp_ns == 100_000_000
    np.testing.assert_array_equal(read[0].rgb, IMAGE)
    np.testing.assert_allclose(read[0].depth.depth_m, DEPTH_M, atol=1e-6)
    seen = read[0].camera
    assert (seen.width, seen.height, seen.fx, seen.cy) == (64, 48, 50.0, 22.0)


def test_depth_of_the_infrared_camera(written):
    """True depth must not pass for measured depth, whatever the name of the camera."""
    recording, camera = written(STEREO)
    with recording:
        topics = camera_topics(recording)
        read = list(frames(recording))
        truth = recording.first('/ground_truth/image_rect_raw')
    assert topics.depth == f'{camera}/depth/image_rect_raw'
    assert topics.infra == f'{camera}/infra1/image_rect_raw'
    assert topics.depth_info == f'{camera}/depth/camera_info'
    np.testing.assert_allclose(read[1].depth.depth_m, DEPTH_M, atol=1e-6)
    np.testing.assert_allclose(read[1].color_from_depth.translation_m, 0)
    assert truth.header.frame_id.endswith('_depth_optical_frame')
