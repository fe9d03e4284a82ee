"""The denoiser around its network: sizes, holes, ranges, confidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError, ModelError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel, d435_depth_camera
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.inference.manifest import DepthSpec
from rs_ml_perception.inference.preprocess import InputSpec
from rs_ml_perception.tasks.denoise import (
    DenoiseOptions,
    DenoisePipeline,
    Denoiser,
)
from rs_ml_perception.tasks.options import ModelOptions

FILLED_M = 1.5


def depth_of(width, height, dtype=np.uint16):
    """A slope in whole millimetres with a hole in each corner; NaN holes in float32."""
    mm = 1000 + np.arange(width * height).reshape(height, width) % 4000
    mm[[0, 0, -1, -1], [0, -1, 0, -1]] = 0
    if dtype == np.uint16:
        return DepthImage(mm.astype(np.uint16), 0.001)
    return DepthImage(np.where(mm > 0, mm / 1000, np.nan).astype(np.float32), 1.0)


@pytest.mark.parametrize('dtype', [np.uint16, np.float32])
@pytest.mark.parametrize('network', [(64, 48), None])
@pytest.mark.parametrize(
    ('width', 'height', 'calls'),
    [(64, 48, 1), (40, 48, 1), (7, 5, 1), (65, 48, 2), (100, 90, 9), (160, 48, 4)],
)
def test_every_size_comes_back_pixel_by_pixel(filling_model, network, width, height, calls, dtype):
    model = filling_model(network)
    depth, infrared = depth_of(width, height, dtype), np.full((height, width), 7, np.uint8)
    found = Denoiser(model)(depth, infrared)
    assert (found.depth_m.shape, found.depth_m.dtype) == ((height, width), np.float32)
    expected = np.where(np.isnan(depth.depth_m), np.float32(FILLED_M), depth.depth_m)
    np.testing.assert_array_equal(found.depth_m, expected)
    np.testing.assert_allclose(found.confidence[[0, 2], [0, 2]], [0.2, 0.9])
    assert len(model.seen) == (calls if network else 1)
    for inputs in model.seen:
        assert {inputs[name].dtype.name for name in inputs} == {'float32', 'uint8'}
        sides = np.array(inputs['raw_depth'].shape[1:3])
        assert tuple(sides) == network[::-1] if network else not (sides % 16).any()


@pytest.mark.parametrize('width', [64, 40])
def test_without_infrared_the_network_sees_zeros_each_time(filling_model, width):
    model = filling_model()
    denoise, depth = Denoiser(model), depth_of(width, 48)
    denoise(depth, np.full((48, width), 200, np.uint8))
    denoise(depth, None)
    assert model.seen[0]['infrared'].any()
    assert not model.seen[1]['infrared'].any()


@pytest.mark.parametrize('network', [(64, 48), None])
def test_smaller_images_are_mirrored(filling_model, network):
    model = filling_model(network)
    depth, infrared = depth_of(40, 47), np.arange(40 * 47, dtype=np.uint8).reshape(47, 40)
    Denoiser(model)(depth, infrared)
    for name, expected in (('raw_depth', np.nan_to_num(depth.depth_m)), ('infrared', infrared)):
        seen = model.seen[0][name][0, :, :, 0]
        np.testing.assert_array_equal(seen[:47, :40], expected)
        np.testing.assert_array_equal(seen[:47, 40:48], expected[:, :-9:-1])
        np.testing.assert_array_equal(seen[47, :40], expected[-1])


def test_a_network_without_infrared_input(filling_model):
    raw = InputSpec('raw_depth', (64, 48), dtype='float32', color='GRAY')
    model = filling_model(inputs=(raw,))
    Denoiser(model)(depth_of(64, 48), np.zeros((48, 64), np.uint8))
    assert set(model.seen[0]) == {'raw_depth'}


@pytest.mark.parametrize('value', [0, 65535])
def test_only_holes_or_values_out_of_range(filling_model, value):
    model = filling_model()
    found = Denoiser(model)(DepthImage(np.full((48, 64), value, np.uint16), 0.001))
    assert not model.seen[0]['raw_depth'].any()
    assert np.isnan(found.depth_m).all()


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf, -1.0, 0.0])
def test_numbers_that_are_no_distance_are_holes(filling_model, bad):
    model = filling_model()
    values = np.full((48, 64), 2, np.float32)
    values[3, 4] = bad
    Denoiser(model)(DepthImage(values, 1.0))
    assert model.seen[0]['raw_depth'][0, 3, 4, 0] == 0


@pytest.mark.parametrize('bad', [np.nan, np.inf, 0.0, -1.0])
def test_outputs_that_are_no_distance_are_invalid(filling_model, bad):
    model = filling_model()
    denoise = Denoiser(model)
    denoise.model = lambda inputs: {
        'depth': np.full((1, 48, 64, 1), bad, np.float32),
        'confidence': np.ones((1, 48, 64, 1), np.float32),
    }
    denoise.model.manifest, denoise.model.input_size = model.manifest, (64, 48)
    assert np.isnan(denoise(depth_of(64, 48)).depth_m).all()


@pytest.mark.parametrize(
    ('options', 'valid_m'),
    [
        (DenoiseOptions(), [1.0, 2.0, 3.0, FILLED_M]),
        (DenoiseOptions(confidence_threshold=0.5), [1.0, 2.0, 3.0]),
        (DenoiseOptions(range_min_m=1.2, range_max_m=2.5), [2.0, FILLED_M]),
        (DenoiseOptions(confidence_threshold=1.0), []),
    ],
)
def test_kept_pixels(filling_model, options, valid_m):
    values = np.repeat(np.array([1000, 2000, 3000, 0], np.uint16), 16)
    depth = DepthImage(np.tile(values, (48, 1)), 0.001)
    depth_m = Denoiser(filling_model(), options)(depth).depth_m
    kept_m = np.unique(depth_m[np.isfinite(depth_m)])
    np.testing.assert_allclose(kept_m, sorted(valid_m), rtol=1e-6)


def test_the_threshold_defaults_to_the_manifest(filling_model):
    model = filling_model(decoder_options={'confidence_threshold': 0.5})
    denoise = Denoiser(model)
    assert np.isnan(denoise(depth_of(64, 48)).depth_m[0, 0])
    denoise.options = DenoiseOptions(confidence_threshold=0.1)
    assert denoise(depth_of(64, 48)).depth_m[0, 0] == FILLED_M


def test_other_units_of_the_network(filling_model):
    model = filling_model(depth=DepthSpec(0.5, (0.1, 10.0)))
    assert Denoiser(model)(depth_of(64, 48)).depth_m[0, 0] == FILLED_M / 2


@pytest.mark.parametrize(
    ('fields', 'said'),
    [
        ({'task': 'mono_depth'}, 'is a mono_depth model, not denoise'),
        ({'decoder': 'softmax'}, "no denoise decoder 'softmax'"),
        ({'outputs': {'confidence': 'x'}}, "lacks \\['depth'\\]"),
        ({'inputs': (InputSpec('image', (64, 48)),)}, "raw_depth and maybe infrared.*'image'"),
        ({'inputs': (InputSpec('raw_depth', (64, 48)),)}, 'raw_depth must be float32'),
        ({'decoder_options': {'confidence': 1}}, 'unknown'),
        ({'decoder_options': {'confidence_threshold': 2}}, 'within 0..1, got 2'),
        (
            {'outputs': {'depth': 'x'}, 'decoder_options': {'confidence_threshold': 0.5}},
            'needs an output confidence',
        ),
    ],
)
def test_models_that_do_not_fit(filling_model, fields, said):
    with pytest.raises(ModelError, match=said):
        Denoiser(filling_model(**fields))


def test_inputs_of_two_sizes_do_not_fit(filling_model):
    raw, infrared = filling_model().manifest.inputs
    with pytest.raises(ModelError, match='all inputs must have one size'):
        Denoiser(filling_model(inputs=(raw, replace(infrared, size=(32, 24)))))


def test_a_network_without_confidence_is_certain(filling_model):
    model = filling_model(outputs={'depth': 'x'})
    found = Denoiser(model)(depth_of(64, 48))
    assert (found.confidence == 1).all()
    with pytest.raises(ConfigError, match='predicts no confidence'):
        Denoiser(model, DenoiseOptions(confidence_threshold=0.5))


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        ({'confidence_threshold': 1.5}, r'in \[0, 1\], got 1.5'),
        ({'range_min_m': 5, 'range_max_m': 1}, 'range_min_m 5 must be below range_max_m 1'),
    ],
)
def test_wrong_options(options, said):
    with pytest.raises(ConfigError, match=said):
        DenoiseOptions(**options)


@pytest.mark.parametrize(
    ('depth', 'infrared', 'said'),
    [
        (depth_of(64, 48), np.zeros((48, 60), np.uint8), '60x48, the depth image 64x48'),
        (depth_of(64, 48), np.zeros((48, 64), np.uint16), 'infrared must be uint8'),
        (DepthImage(np.zeros((0, 4), np.uint16), 0.001), None, 'no pixels'),
    ],
)
def test_images_that_do_not_fit(filling_model, depth, infrared, said):
    with pytest.raises(InputError, match=said):
        Denoiser(filling_model())(depth, infrared)


@pytest.mark.parametrize(
    ('mode', 'has_infrared', 'seen'),
    [('auto', True, True), ('auto', False, False), ('none', True, False), ('require', True, True)],
)
def test_the_pipeline_uses_infrared_by_mode(filling_model, mode, has_infrared, seen):
    model = filling_model()
    pipeline = DenoisePipeline(Denoiser(model), DenoiseOptions(infrared=mode))
    infrared = np.full((48, 64), 9, np.uint8) if has_infrared else None
    pipeline(Frame(depth=depth_of(64, 48), infrared=infrared))
    assert model.seen[0]['infrared'].any() == seen
    assert pipeline.describe()['confidence_threshold'] == '0'


@pytest.mark.parametrize(
    ('mode', 'frame', 'said'),
    [
        ('require', Frame(depth=depth_of(64, 48)), 'infrared is set to require'),
        ('auto', Frame(), 'no depth image'),
    ],
)
def test_frames_the_pipeline_refuses(filling_model, mode, frame, said):
    pipeline = DenoisePipeline(Denoiser(filling_model()), DenoiseOptions(infrared=mode))
    with pytest.raises(InputError, match=said):
        pipeline(frame)
    with pytest.raises(ConfigError, match="infrared must be one of auto, require, none, got 'x'"):
        DenoiseOptions(infrared='x')


@pytest.mark.parametrize(
    ('options', 'camera', 'moved_m'),
    # A wall at 2 m, of which the network sees four pixels at 1.5 m; 0.75 times 0.08 px.
    [
        (DenoiseOptions(), None, 0.06 * 4 / (d435_depth_camera(64, 48).fx * 0.05)),
        (DenoiseOptions(), CameraModel(64, 48, 80, 80, 32, 24), 0.06 * 4 / (80 * 0.055)),
        (
            DenoiseOptions(camera_type='d455'),
            CameraModel(64, 48, 80, 80, 32, 24),
            0.06 * 4 / (80 * 0.095),
        ),
        (DenoiseOptions(max_toward_sigmas=0), None, 0.5),
        (DenoiseOptions(max_toward_sigmas=0, max_away_sigmas=0), None, 0.5),
    ],
)
def test_measurements_move_within_the_noise_of_the_camera(filling_model, options, camera, moved_m):
    model = filling_model()
    denoise = Denoiser(model)
    pipeline = DenoisePipeline(denoise, options)

    def nearer(inputs):
        outputs = model(inputs)
        outputs['depth'][0, 5, :4] = 1.5
        return outputs

    denoise.model = nearer
    nearer.manifest, nearer.input_size = model.manifest, model.input_size
    depth = DepthImage(np.full((48, 64), 2000, np.uint16), 0.001)
    found = pipeline(Frame(depth=depth, depth_camera=camera))
    np.testing.assert_allclose(found.depth_m[5, :4], 2 - moved_m, rtol=1e-3)
    np.testing.assert_array_equal(found.depth_m[6], np.float32(2))
    clamped = 4 / (48 * 64) if moved_m < 0.5 else 0.0
    assert pipeline.readings()['clamped'] == pytest.approx(clamped)


@pytest.mark.parametrize(
    ('options', 'last_mm', 'has_jumped', 'expected_m', 'still'),
    # The gate is 0.75 * 0.08 px * z^2 / (f * 0.05 m), at 2 m 150 mm for 32 px of focal length.
    [
        (DenoiseOptions(), 2040, False, 2.04, 0.0),
        (DenoiseOptions(temporal_weight=0.5), 2040, False, 2.02, 1.0),
        (DenoiseOptions(temporal_weight=0.5), 2040, True, 2.04, 0.0),
        (DenoiseOptions(temporal_weight=0.5), 2300, False, 2.3, 0.0),
        (DenoiseOptions(temporal_weight=0.5, temporal_gate_sigmas=0.1), 2040, False, 2.04, 0.0),
    ],
)
def test_still_pixels_are_smoothed_over_time(
    filling_model, options, last_mm, has_jumped, expected_m, still
):
    pipeline = DenoisePipeline(Denoiser(filling_model()), options)
    camera = CameraModel(64, 48, 32, 32, 32, 24)
    assert pipeline.readings() == {}
    for number, mm in enumerate((2000, last_mm), 1):
        depth = DepthImage(np.full((48, 64), mm, np.uint16), 0.001)
        if has_jumped:
            pipeline.reset()
        found = pipeline(Frame(depth=depth, depth_camera=camera, stamp_ns=number * 33_000_000))
    np.testing.assert_allclose(found.depth_m, expected_m, rtol=1e-5)
    assert pipeline.readings()['still'] == still


@pytest.mark.parametrize('size', [(640, 480), (848, 480), (424, 240), (7, 5)])
@pytest.mark.parametrize('network', [(64, 48), None])
def test_a_blank_image_stays_blank(filling_model, size, network):
    blank = DepthImage(np.zeros(size[::-1], np.uint16), 0.001)
    picture = np.full(size[::-1], 90, np.uint8)
    assert np.isnan(Denoiser(filling_model(network))(blank, picture).depth_m).all()


@pytest.mark.parametrize('pixel', [(0, 0), (100, 70), (159, 119)])
def test_depth_is_filled_near_measurements_only(filling_model, pixel):
    values = np.zeros((120, 160), np.uint16)
    values[pixel[1], pixel[0]] = 2000
    found = Denoiser(filling_model(None))(DepthImage(values, 0.001)).depth_m
    rows, columns = np.indices(found.shape)
    apart_px = np.maximum(abs(rows - pixel[1]), abs(columns - pixel[0]))
    assert np.isfinite(found[apart_px <= 16]).all()
    assert np.isnan(found[apart_px > 32]).all()


def test_the_model_that_ships_invents_nothing_in_a_blank_image():
    pytest.importorskip('ai_edge_litert', reason='LiteRT is not installed')
    denoise = Denoiser(ModelOptions('denoise', backend='litert').load())
    blank = DepthImage(np.zeros((240, 424), np.uint16), 0.001)
    assert np.isnan(denoise(blank).depth_m).all()
