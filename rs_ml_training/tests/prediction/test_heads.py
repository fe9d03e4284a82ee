"""Predictors of every task on networks that are one line of numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.data.sample import IGNORE, Sample
from rs_ml_training.errors import CheckpointError
from rs_ml_training.prediction.predictor import PredictOptions
from rs_ml_training.tasks.registry import predictor_for
from rs_ml_training.trained import ModelSpec

SIZE = 32, 24
CAMERA = CameraModel(64, 48, 500.0, 500.0, 31.5, 23.5)


def _spec(task: str, **changes) -> ModelSpec:
    return replace(ModelSpec(task, 'toy', SIZE, labels=('a', 'b')), **changes)


def _picture(width: int = 64, height: int = 48) -> np.ndarray:
    """Brighter towards the right."""
    row = np.linspace(0, 250, width)[None, :, None]
    return np.broadcast_to(row, (height, width, 3)).astype(np.uint8)


def _sample(**changes) -> Sample:
    return replace(Sample('x', image=_picture()), **changes)


def _reddish_depth(inputs):
    """Metres = red / 50: from 0 at the left to 5 at the right."""
    return {'depth_m': inputs['image'][..., :1] / 50}


def test_no_samples_give_no_predictions() -> None:
    assert predictor_for(_spec('depth'), _reddish_depth).batch([]) == []


def test_depth_has_the_size_of_each_source() -> None:
    samples = [_sample(), _sample(image=_picture(100, 30))]
    first, second = predictor_for(_spec('depth'), _reddish_depth).batch(samples)
    assert first.depth_m.shape == (48, 64)
    assert second.depth_m.shape == (30, 100)
    assert first.depth_m.dtype == np.float32
    assert abs(first.depth_m[20, 40] - _picture()[20, 40, 0] / 50) < 0.05


def test_depth_outside_the_crop_is_unknown() -> None:
    spec = _spec('depth', crop=(0.5, 0.0, 0.5, 1.0))
    depth_m = predictor_for(spec, _reddish_depth)(_sample()).depth_m
    assert np.isnan(depth_m[:, :32]).all()
    assert np.isfinite(depth_m[:, 32:]).all()
    assert abs(depth_m[20, 50] - _picture()[20, 50, 0] / 50) < 0.05


@pytest.mark.parametrize(
    ('sample', 'options', 'factor'),
    [
        (_sample(focal_px=1430.1746), PredictOptions(), 2.0),
        (_sample(intrinsics=CAMERA), PredictOptions(), 500 / 715.0873),
        (_sample(), PredictOptions(focal_px=715.0873), 1.0),
        (_sample(focal_px=1430.1746), PredictOptions(focal_px=1.0), 2.0),
    ],
)
def test_scaling_by_focal_length_is_undone(sample, options, factor) -> None:
    spec = _spec('depth', reference_focal_px=715.0873)
    depth_m = predictor_for(spec, _reddish_depth, options)(sample).depth_m
    plain_m = predictor_for(_spec('depth'), _reddish_depth)(sample).depth_m
    # Depth 0 is unknown with or without the factor.
    np.testing.assert_allclose(depth_m, plain_m * factor, rtol=1e-5)


@pytest.mark.parametrize(
    ('sample', 'training', 'wanted', 'factor'),
    [
        (_sample(intrinsics=CAMERA), CAMERA.resized(*SIZE), True, 1.0),
        (
            _sample(intrinsics=CAMERA),
            replace(CAMERA, fx=250.0, fy=1000.0).resized(*SIZE),
            True,
            1.0,
        ),
        (_sample(intrinsics=CAMERA), replace(CAMERA, fx=250.0, fy=250.0), True, 2.0),
        (_sample(intrinsics=CAMERA), replace(CAMERA, fx=250.0, fy=250.0), False, 1.0),
        (_sample(), CAMERA, True, 1.0),
        (_sample(intrinsics=CAMERA), None, True, 1.0),
    ],
)
def test_depth_follows_the_focal_length(sample, training, wanted, factor) -> None:
    options = PredictOptions(focal_correction=wanted)
    spec = _spec('depth', intrinsics=training, depth_range_m=(0.0, 100.0))
    depth_m = predictor_for(spec, _reddish_depth, options)(sample).depth_m
    plain_m = predictor_for(_spec('depth'), _reddish_depth)(sample).depth_m
    np.testing.assert_allclose(depth_m, plain_m * factor, rtol=1e-5)


@pytest.mark.parametrize('training', [{'intrinsics': CAMERA}, {'reference_focal_px': CAMERA.fx}])
def test_a_network_trained_on_crops_sees_a_stretched_image_as_of_another_lens(training) -> None:
    spec = _spec('depth', cropped=True, depth_range_m=(0.0, 100.0), **training)
    depth_m = predictor_for(spec, _reddish_depth)(_sample(intrinsics=CAMERA)).depth_m
    plain_m = predictor_for(_spec('depth'), _reddish_depth)(_sample()).depth_m
    enlarged = np.sqrt(np.prod(SIZE) / (CAMERA.width * CAMERA.height))
    np.testing.assert_allclose(depth_m, plain_m * enlarged, rtol=1e-5)


def test_depth_is_kept_within_the_range_of_the_network() -> None:
    spec = _spec('depth', depth_range_m=(1.0, 4.0))
    depth_m = predictor_for(spec, _reddish_depth)(_sample()).depth_m
    known = depth_m[np.isfinite(depth_m)]
    assert known.min() == 1.0
    assert known.max() == 4.0


def test_the_range_of_the_network_scales_with_the_focal_length() -> None:
    spec = _spec('depth', depth_range_m=(1.0, 4.0), reference_focal_px=250.0)
    depth_m = predictor_for(spec, _reddish_depth)(_sample(focal_px=500.0)).depth_m
    known = depth_m[np.isfinite(depth_m)]
    assert (known.min(), known.max()) == (2.0, 8.0)


@pytest.mark.parametrize('value', [0.0, -1.0, np.nan, np.inf])
def test_values_that_are_no_distance_are_unknown(value) -> None:
    def predict(inputs):
        return {'depth_m': np.full((1, 24, 32, 1), value)}

    assert np.isnan(predictor_for(_spec('depth'), predict)(_sample()).depth_m).all()


def test_further_maps_of_the_network_come_along() -> None:
    def predict(inputs):
        full, ones = _reddish_depth(inputs)['depth_m'], np.ones((1, 24, 32, 1))
        return {'depth_m': full, 'lpg8_m': 2 * ones, 'features': np.zeros((1, 24, 32, 7))}

    found = predictor_for(_spec('depth'), predict)(_sample())
    assert list(found.intermediates_m) == ['lpg8_m']
    assert found.intermediates_m['lpg8_m'].shape == (48, 64)
    assert (found.intermediates_m['lpg8_m'] == 2).all()


def _sided(inputs):
    """Depth that wrongly depends on the side: +1 m in the left half."""
    depth_m = inputs['image'][..., :1] / 50 + 1
    depth_m[:, :, :16] += 1
    return {'depth_m': depth_m}


def test_flipping_averages_both_directions() -> None:
    sample = _sample(image=np.full((24, 32, 3), 50, np.uint8))
    depth_m = predictor_for(_spec('depth'), _sided, PredictOptions(flip=True))(sample).depth_m
    np.testing.assert_allclose(depth_m, 2.5)


@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('upsampling', ['nearest', 'logits'])
@pytest.mark.parametrize('channels', [1, 2])
def test_masks(flip, upsampling, channels) -> None:
    def predict(inputs):
        bright = (inputs['image'][..., :1] - 125) / 25
        return {'logits': np.concatenate([-bright, bright][-channels:], axis=-1)}

    spec = _spec('segmentation', crop=(0.0, 0.0, 0.75, 1.0))
    options = PredictOptions(flip=flip, upsampling=upsampling)
    found = predictor_for(spec, predict, options)(_sample())
    assert found.mask.dtype == np.uint8
    assert found.mask.shape == found.confidence.shape == (48, 64)
    assert (found.mask[:, :31] == 0).all()
    assert (found.mask[:, 33:48] == 1).all()
    assert (found.mask[:, 48:] == IGNORE).all()
    assert (found.confidence[:, 48:] == 0).all()
    assert found.confidence[0, 0] > 0.95
    assert 0.45 < found.confidence[0, 32] < 0.75


def test_confidence_is_that_of_the_head_where_there_is_one() -> None:
    def predict(inputs):
        left = (np.arange(32) < 16).astype(np.float32)[None, None, :, None]
        confidence = np.broadcast_to(0.2 + 0.7 * left, (1, 24, 32, 1))
        return {'logits': np.zeros((1, 24, 32, 2)), 'confidence': confidence}

    options = PredictOptions(min_confidence=0.5)
    found = predictor_for(_spec('segmentation'), predict, options)(_sample())
    assert np.isclose(found.confidence[0, 0], 0.9)
    assert (found.mask[:, :30] == 0).all()
    assert (found.mask[:, 34:] == IGNORE).all()


@pytest.mark.parametrize('size', [(32, 24), (64, 48), (20, 50)])
def test_denoised_depth_keeps_its_holes(size) -> None:
    raw_m = np.full(size[::-1], 2.0, np.float32)
    raw_m[: size[1] // 2] = 0

    def predict(inputs):
        assert (inputs['infrared'] == 0).all()
        return {'depth_m': inputs['depth_m'], 'confidence': np.ones((1, 24, 32, 1))}

    found = predictor_for(_spec('denoise'), predict)(Sample('x', raw_depth_m=raw_m))
    assert found.depth_m.shape == raw_m.shape
    assert set(np.unique(found.depth_m)) == {0.0, 2.0}
    assert np.abs((found.depth_m > 0).mean() - 0.5) < 0.05


def test_uncertain_denoised_depth_is_left_out() -> None:
    def predict(inputs):
        confidence = (inputs['infrared'] > 100).astype(np.float32)
        return {'depth_m': inputs['depth_m'], 'confidence': confidence}

    raw_m = np.full((24, 32), 2.0, np.float32)
    infrared = np.repeat(np.where(np.arange(32) < 16, 200, 0)[None], 24, axis=0).astype(np.uint8)
    sample = Sample('x', raw_depth_m=raw_m, infrared=infrared)
    options = PredictOptions(min_confidence=0.5)
    found = predictor_for(_spec('denoise'), predict, options)(sample)
    assert (found.depth_m[:, :16] == 2).all()
    assert (found.depth_m[:, 16:] == 0).all()


def _centre(inputs):
    """A box of 8x4 px around the cell at the brightest place of each picture."""
    heat, size = np.zeros((1, 6, 8, 2)), np.zeros((1, 6, 8, 2))
    column = int(inputs['image'][0, 0, :, 0].argmax()) // 4
    heat[0, 2, column, 1], heat[0, 5, 0, 0] = 0.9, 0.01
    size[..., 0], size[..., 1] = 8, 4
    return {'heatmap': heat, 'size': size, 'offset': np.full((1, 6, 8, 2), 0.5)}


def test_boxes_are_in_pixels_of_the_source() -> None:
    pytest.importorskip('keras')
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, 40:48] = 255  # columns 20..23 of the network's picture: cell 5
    found = predictor_for(_spec('detection'), _centre)(_sample(image=image))
    np.testing.assert_allclose(found.xyxy, [[36, 16, 52, 24]])
    assert found.class_ids.tolist() == [1]
    np.testing.assert_allclose(found.scores, [0.9], rtol=1e-6)
    assert len(found.above(0.95)) == 0


@pytest.mark.parametrize(
    ('task', 'sample', 'options', 'error', 'words'),
    [
        ('depth', Sample('x'), {}, InputError, 'x has neither'),
        ('depth', Sample('x', depth_m=np.ones((2, 2))), {}, InputError, 'x has no image'),
        ('denoise', _sample(), {}, InputError, 'x has no measured depth'),
        ('walking', _sample(), {}, ConfigError, "no task 'walking'"),
        ('depth', _sample(), {'upsampling': 'cubic'}, ConfigError, 'cubic'),
        ('depth', _sample(), {'min_score': 2.0}, ConfigError, 'min_score'),
        ('depth', _sample(), {'min_confidence': -1.0}, ConfigError, 'min_confidence'),
        ('depth', _sample(), {}, CheckpointError, 'depth_m'),
    ],
)
def test_wrong_input_is_one_clear_error(task, sample, options, error, words) -> None:
    with pytest.raises(error, match=words):
        predictor_for(_spec(task), lambda inputs: inputs, PredictOptions(**options))(sample)


def test_unknown_focal_length_says_how_to_give_it() -> None:
    predictor = predictor_for(_spec('depth', reference_focal_px=715.0873), _reddish_depth)
    with pytest.raises(ConfigError, match='--focal-px'):
        predictor(_sample())
