"""Depth as the second input of a segmentation network."""

from dataclasses import replace

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError, ModelError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.inference.preprocess import InputSpec
from rs_ml_perception.tasks.segmentation import Segmenter

RGB = np.zeros((60, 80, 3), np.uint8)
CAMERA = CameraModel(width=80, height=60, fx=80, fy=80, cx=39.5, cy=29.5)
STILL = RigidTransform(np.eye(3), np.array([1e-6, 0, 0]))
RAMP = np.tile(np.arange(1, 81, dtype=np.uint16) * 10, (60, 1))
DEPTH_SPEC = InputSpec('depth', size=(40, 32), dtype='float32', color='GRAY')


def frame(values, **fields):
    depth = None if values is None else DepthImage(values, 0.01)
    return Frame(rgb=RGB, depth=depth, camera=CAMERA, **fields)


@pytest.fixture
def model(recorded_model):
    """A network of picture and depth."""
    return recorded_model(
        {'mask': np.zeros((1, 16, 20), np.uint8)},
        task='segmentation',
        decoder='class_map',
        inputs=(InputSpec('image', size=(40, 32)), DEPTH_SPEC),
    )


def seen(model, given):
    mask = Segmenter(model)(RGB, given)
    assert mask.shape == RGB.shape[:2]
    depth_m = model.seen['depth']
    assert (depth_m.shape, depth_m.dtype) == ((1, 32, 40, 1), np.float32)
    return depth_m[0, :, :, 0]


@pytest.mark.parametrize(
    'given',
    [
        pytest.param(None, id='no frame'),
        pytest.param(frame(None), id='no depth'),
        pytest.param(frame(RAMP, color_from_depth=STILL), id='depth camera unknown'),
        pytest.param(
            replace(frame(RAMP, depth_camera=CAMERA, color_from_depth=STILL), camera=None),
            id='colour camera unknown',
        ),
        pytest.param(frame(np.zeros((60, 80), np.uint16)), id='nothing measured'),
        pytest.param(frame(np.full((60, 80), np.nan, np.float32)), id='nothing but NaN'),
    ],
)
def test_unknown_depth_is_zero(model, given):
    assert not seen(model, given).any()


def test_aligned_depth_in_metres(model):
    depth_m = seen(model, frame(RAMP))
    assert np.allclose(depth_m[0], RAMP[0, ::2] * 0.01, atol=0.11)
    assert np.all(depth_m == depth_m[:1])


def test_depth_of_one_frame_is_gone_in_the_next(model):
    segmenter = Segmenter(model)
    segmenter(RGB, frame(RAMP))
    segmenter(RGB, frame(None))
    assert not model.seen['depth'].any()


def test_depth_that_is_not_aligned_is_moved(model):
    """From a camera of other size and focal length, at the same place."""
    wide = CameraModel(width=160, height=120, fx=120, fy=120, cx=79.5, cy=59.5)
    values = np.full((120, 160), 200, np.uint16)
    values[:, 100:] = 400
    given = frame(values, depth_camera=wide, color_from_depth=STILL)
    depth_m = seen(model, given)
    # Column 100 of the depth camera is column 39.5 + 20.5 * 80 / 120 of the picture.
    edge = round((39.5 + 20.5 * 80 / 120) / 2)
    assert np.allclose(depth_m[:, 1 : edge - 1], 2.0)
    assert np.allclose(depth_m[:, edge + 2 : -1], 4.0)


def test_aligned_depth_of_another_size_is_rejected(model):
    with pytest.raises(InputError, match='40x30, its image 80x60'):
        Segmenter(model)(RGB, frame(np.zeros((30, 40), np.uint16)))


@pytest.mark.parametrize(
    'further',
    [
        pytest.param((replace(DEPTH_SPEC, name='heat'),), id='unknown name'),
        pytest.param((replace(DEPTH_SPEC, dtype='uint8'),), id='whole numbers'),
        pytest.param((replace(DEPTH_SPEC, color='RGB'),), id='three channels'),
        pytest.param((replace(DEPTH_SPEC, size=(80, 64)),), id='another size'),
        pytest.param((DEPTH_SPEC, DEPTH_SPEC), id='two'),
    ],
)
def test_inputs_that_do_not_fit(model, further):
    model.manifest = replace(model.manifest, inputs=(model.manifest.input, *further))
    with pytest.raises(ModelError, match="there may be one input 'depth'"):
        Segmenter(model)


def test_networks_without_depth_input_get_no_depth(model):
    model.manifest = replace(model.manifest, inputs=(model.manifest.input,))
    segmenter = Segmenter(model)
    segmenter(RGB, frame(RAMP))
    assert (segmenter.uses_depth, list(model.seen)) == (False, ['image'])
