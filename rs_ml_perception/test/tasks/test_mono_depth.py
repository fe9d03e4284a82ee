"""The depth estimator around its network."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError, ModelError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.inference.manifest import DepthSpec
from rs_ml_perception.inference.preprocess import InputSpec
from rs_ml_perception.tasks.mono_depth import DepthEstimator, MonoDepthOptions

RGB = np.zeros((60, 80, 3), np.uint8)
CAMERA = CameraModel(80, 60, 70, 70, 39.5, 29.5)
LONGER = CameraModel(80, 60, 140, 140, 39.5, 29.5)


def model_of(make, values=0.2, **fields):
    output = np.broadcast_to(np.asarray(values, np.float32), (1, 30, 40, 1))
    defaults = {
        'task': 'mono_depth',
        'decoder': 'depth',
        'inputs': (InputSpec('x', size=(40, 30)),),
        'depth': DepthSpec(metres_per_unit=10, range_m=(0.5, 8)),
    }
    return make({'depth': output}, **(defaults | fields))


def row(values):
    """Forty columns that hold the values in turn."""
    return np.repeat(np.array(values, np.float32), 40 // len(values))[None, None, :, None]


@pytest.mark.parametrize(
    ('output_size', 'shape', 'fx'), [('source', (60, 80), 70), ('model', (30, 40), 35)]
)
def test_size_unit_and_camera(recorded_model, output_size, shape, fx):
    estimator = DepthEstimator(model_of(recorded_model), MonoDepthOptions(output_size=output_size))
    estimate = estimator(RGB, CAMERA)
    assert (estimate.depth_m.shape, estimate.depth_m.dtype) == (shape, np.float32)
    np.testing.assert_allclose(estimate.depth_m, 2.0)
    assert (estimate.camera.width, estimate.camera.height) == shape[::-1]
    assert estimate.camera.fx == pytest.approx(fx)


def test_without_a_camera(recorded_model):
    estimate = DepthEstimator(model_of(recorded_model))(RGB)
    assert estimate.camera is None
    np.testing.assert_allclose(estimate.depth_m, 2.0)


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        (MonoDepthOptions(output_size='model'), [0.5, 2, 8, np.nan]),
        (
            MonoDepthOptions(output_size='model', range_min_m=1, range_max_m=5),
            [np.nan, 2, np.nan, np.nan],
        ),
    ],
    ids=['clamped to the range of the network', 'cut to the requested range'],
)
def test_ranges(recorded_model, options, expected):
    model = model_of(recorded_model, row([0.01, 0.2, 1.0, -0.1]))
    depth_m = DepthEstimator(model, options)(RGB).depth_m
    np.testing.assert_allclose(depth_m[0, ::10], expected)


@pytest.mark.parametrize('bad', [np.inf, 0.0, [[[[np.nan], [np.inf]] * 20]]])
def test_numbers_that_are_no_distance(recorded_model, bad):
    model = model_of(recorded_model, bad)
    assert np.isnan(DepthEstimator(model)(RGB).depth_m).all()


def test_inverse_depth(recorded_model):
    spec = DepthSpec(metres_per_unit=2, range_m=(0.5, 8), form='inverse')
    model = model_of(recorded_model, row([4.0, 1.0, 0.1, 0.0]), depth=spec)
    depth_m = DepthEstimator(model, MonoDepthOptions(output_size='model'))(RGB).depth_m
    np.testing.assert_allclose(depth_m[0, ::10], [0.5, 2, 8, np.nan])


def test_a_network_that_gives_nan_everywhere_rejects_the_image(recorded_model):
    with pytest.raises(InputError, match='1200 of 1200 depths of the network are NaN'):
        DepthEstimator(model_of(recorded_model, np.nan))(RGB)


@pytest.mark.parametrize(
    ('camera', 'corrected', 'expected'),
    [(CAMERA, True, 2), (LONGER, True, 4), (LONGER, False, 2), (None, True, 2)],
)
def test_focal_correction(recorded_model, camera, corrected, expected):
    """Twice the focal length shows the same object twice as far away."""
    model = model_of(recorded_model, training_camera=CAMERA.resized(640, 480))
    options = MonoDepthOptions(focal_correction=corrected)
    np.testing.assert_allclose(DepthEstimator(model, options)(RGB, camera).depth_m, expected)


def test_outside_a_crop_is_invalid(recorded_model):
    model = model_of(recorded_model, inputs=(InputSpec('x', size=(30, 30), resize='crop'),))
    estimate = DepthEstimator(model)(RGB, CAMERA)
    assert np.isnan(estimate.depth_m[:, :10]).all()
    np.testing.assert_allclose(estimate.depth_m[:, 10:70], 2.0)
    assert estimate.camera == CAMERA


def test_edges_are_not_blended_with_invalid_pixels(recorded_model):
    """Resampling may lose pixels next to a hole but must not invent distances."""
    depth_m = DepthEstimator(model_of(recorded_model, row([0.2, np.nan])))(RGB).depth_m
    assert np.all(np.isnan(depth_m) | np.isclose(depth_m, 2.0))
    assert np.isclose(depth_m[:, :38], 2.0).all()


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        ({'output_size': 'huge'}, "one of .*'huge'"),
        ({'range_min_m': 5, 'range_max_m': 1}, 'range_min_m 5 must be below range_max_m 1'),
        ({'range_min_m': -1}, r'range_min_m must lie in \[0, 1000\], got -1'),
    ],
)
def test_wrong_options(options, said):
    with pytest.raises(ConfigError, match=said):
        MonoDepthOptions(**options)


@pytest.mark.parametrize(
    ('fields', 'said'),
    [
        ({'task': 'detection'}, 'is a detection model'),
        ({'decoder': 'softmax'}, 'no mono_depth decoder'),
    ],
)
def test_models_that_do_not_fit(recorded_model, fields, said):
    with pytest.raises(ModelError, match=said):
        DepthEstimator(model_of(recorded_model, **fields))
