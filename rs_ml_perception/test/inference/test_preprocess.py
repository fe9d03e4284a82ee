"""From camera pixels to network input and back."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.inference.preprocess import InputSpec, Preprocessor, plan_transform

RED = np.broadcast_to(np.array([255, 100, 0], np.uint8), (48, 64, 3))


def picture(width, height, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    'wrong',
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
    ],
)
def test_other_arrays_are_not_colour_images(wrong):
    with pytest.raises(InputError, match='uint8 of shape'):
        Preprocessor(InputSpec())(wrong)


@pytest.mark.parametrize(
    ('spec', 'shape', 'first_pixel'),
    [
        (InputSpec(), (1, 48, 64, 3), [255, 100, 0]),
        (InputSpec(size=(32, 16)), (1, 16, 32, 3), [255, 100, 0]),
        (InputSpec(size=(32, 16), color='BGR'), (1, 16, 32, 3), [0, 100, 255]),
        (InputSpec(size=(32, 16), color='GRAY'), (1, 16, 32, 1), [135]),
        (InputSpec(size=(32, 16), layout='NCHW'), (1, 3, 16, 32), [255, 100, 0]),
        (
            InputSpec(size=(32, 16), dtype='float32', scale=1 / 127.5, offset=-1),
            (1, 16, 32, 3),
            [1, -0.2156863, -1],
        ),
        (
            InputSpec(dtype='float32', layout='NCHW', color='BGR', offset=(-1, -2, -3)),
            (1, 3, 48, 64),
            [-1, 98, 252],
        ),
        (InputSpec(dtype='float32', scale=(1, 2, 3)), (1, 48, 64, 3), [255, 200, 0]),
    ],
)
def test_tensors(spec, shape, first_pixel):
    tensor, _ = Preprocessor(spec)(RED)
    assert tensor.shape == shape
    assert tensor.dtype == spec.dtype
    pixel = tensor[0, :, 0, 0] if spec.layout == 'NCHW' else tensor[0, 0, 0]
    np.testing.assert_allclose(pixel, first_pixel, rtol=1e-5)


def test_raw_pixels_are_passed_on_without_a_copy():
    rgb = picture(64, 48)
    tensor, _ = Preprocessor(InputSpec(size=(64, 48)))(rgb)
    assert np.shares_memory(tensor, rgb)


@pytest.mark.parametrize('size', [None, (32, 24), (64, 48), (20, 20)])
@pytest.mark.parametrize('color', ['RGB', 'BGR'])
@pytest.mark.parametrize('resize', ['stretch', 'letterbox', 'crop'])
def test_the_image_is_left_alone_and_may_be_read_only(size, color, resize):
    rgb = picture(64, 48)
    kept = rgb.copy()
    rgb.flags.writeable = False
    Preprocessor(InputSpec(size=size, color=color, resize=resize))(rgb)
    np.testing.assert_array_equal(rgb, kept)


def test_buffers_follow_a_change_of_size():
    prepare = Preprocessor(InputSpec(size=(32, 32), resize='letterbox', pad_value=7))
    prepare(picture(64, 16))
    tall, transform = prepare(picture(16, 64))
    assert transform.model_rect == (0, 0, 8, 32)
    assert np.all(tall[0, :, 8:] == 7)


@pytest.mark.parametrize(
    ('spec', 'source_rect', 'model_rect'),
    [
        (InputSpec(), (0, 0, 640, 480), (0, 0, 640, 480)),
        (InputSpec(size=(320, 320)), (0, 0, 640, 480), (0, 0, 320, 320)),
        (InputSpec(size=(320, 320), resize='letterbox'), (0, 0, 640, 480), (0, 0, 320, 240)),
        (
            InputSpec(size=(320, 320), resize='letterbox', centered=True),
            (0, 0, 640, 480),
            (0, 40, 320, 240),
        ),
        (InputSpec(size=(320, 320), resize='crop'), (80, 0, 480, 480), (0, 0, 320, 320)),
        (
            InputSpec(size=(304, 228), resize='crop', crop=(0.05, 0.05, 0.9, 0.9)),
            (32, 24, 576, 432),
            (0, 0, 304, 228),
        ),
    ],
)
def test_where_pixels_come_to_lie(spec, source_rect, model_rect):
    transform = plan_transform(spec, (640, 480))
    assert transform.source_rect == source_rect
    assert transform.model_rect == model_rect
    x, y, w, h = source_rect
    corners = np.array([[*model_rect[:2], model_rect[0] + model_rect[2], sum(model_rect[1::2])]])
    np.testing.assert_allclose(transform.boxes_to_source(corners), [[x, y, x + w, y + h]])


@pytest.mark.parametrize('resize', ['stretch', 'letterbox', 'crop'])
@pytest.mark.parametrize('centered', [False, True])
def test_a_marked_pixel_is_found_again(resize, centered):
    """The box drawn in the image and the box seen in the tensor are the same place."""
    rgb = np.zeros((480, 640, 3), np.uint8)
    rgb[200:280, 260:360] = 255
    spec = InputSpec(size=(320, 200), resize=resize, centered=centered)
    tensor, transform = Preprocessor(spec)(rgb)
    ys, xs = np.nonzero(tensor[0, :, :, 0] > 127)
    box = np.array([[xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]])
    found = transform.boxes_to_source(box)[0]
    np.testing.assert_allclose(found, [260, 200, 360, 280], atol=3)


@pytest.mark.parametrize('resize', ['stretch', 'letterbox', 'crop'])
def test_dense_outputs_return_to_the_image(resize):
    """A mask of the network's input, at half its resolution, covers the marked place again."""
    rgb = np.zeros((480, 640, 3), np.uint8)
    rgb[200:280, 260:360] = 255
    tensor, transform = Preprocessor(InputSpec(size=(320, 240), resize=resize))(rgb)
    mask = (tensor[0, ::2, ::2, 0] > 127).astype(np.uint8)
    whole = transform.to_source(mask, interpolation=0, fill=255)
    assert whole.shape == (480, 640)
    overlap = np.sum((whole == 1) & (rgb[:, :, 0] > 0)) / np.sum((whole == 1) | (rgb[:, :, 0] > 0))
    assert overlap > 0.9


def test_a_crop_leaves_the_rest_unseen():
    transform = plan_transform(InputSpec(size=(10, 10), resize='crop'), (40, 20))
    whole = transform.to_source(np.zeros((10, 10), np.uint8), interpolation=0, fill=255)
    assert np.all(whole[:, 10:30] == 0)
    assert np.all(whole[:, :10] == 255)
    assert np.all(whole[:, 30:] == 255)


def test_the_camera_follows():
    """A point projects to the same place of the scene in the image and in the output."""
    camera = CameraModel(640, 480, 500, 510, 322, 238)
    transform = plan_transform(
        InputSpec(size=(320, 240), resize='crop', crop=(0.25, 0, 0.5, 1)), (640, 480)
    )
    fitted = transform.content_camera(camera, (160, 240))
    assert (fitted.width, fitted.height) == (160, 240)
    u = camera.fx * 0.1 + camera.cx
    u_fitted = fitted.fx * 0.1 + fitted.cx
    assert (u - 160 + 0.5) / 2 - 0.5 == pytest.approx(u_fitted)
