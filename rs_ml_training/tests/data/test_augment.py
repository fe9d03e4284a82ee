from dataclasses import replace

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.data.augment import color, depth_noise, detection, objects, shape
from rs_ml_training.data.augment.chain import Chain, Maybe, OneOf
from rs_ml_training.data.augment.objects import PATTERNS, Textures, drawn
from rs_ml_training.data.augment.presets import ALIASES, PRESETS, fitted, preset
from rs_ml_training.data.sample import IGNORE, Boxes, Sample


def whole_sample() -> Sample:
    """Everything a sample can have; the object is at 2 m before a wall at 4 m."""
    rng = np.random.default_rng(7)
    labels = np.zeros((60, 80), np.uint8)
    labels[20:40, 30:50] = 1
    labels[:, :2] = IGNORE
    depth_m = np.where(labels == 1, 2, 4).astype(np.float32)
    return Sample(
        'all',
        image=rng.integers(60, 200, (60, 80, 3), np.uint8),
        depth_m=depth_m,
        raw_depth_m=depth_m.copy(),
        infrared=rng.integers(60, 200, (60, 80), np.uint8),
        labels=labels,
        boxes=Boxes.of([[30, 20, 50, 40]], [2]),
        intrinsics=CameraModel(80, 60, 70, 70, 39.5, 29.5),
        focal_px=70.0,
        extra={'mask': labels == 1},
    )


def empty_sample() -> Sample:
    return Sample('empty', image=np.zeros((60, 80, 3), np.uint8), boxes=Boxes.of([], []))


def same(a: Sample, b: Sample) -> bool:
    maps = a.maps()
    return all(np.array_equal(maps[n], other) for n, other in b.maps().items())


@pytest.mark.parametrize('name', [*PRESETS, *ALIASES])
@pytest.mark.parametrize('size', [None, (64, 48), (32, 64)])
def test_preset_gives_the_size_and_keeps_the_contract(name, size):
    before = whole_sample()
    for seed in range(6):
        out = preset(name, size)(before, np.random.default_rng(seed))
        if size:
            assert out.size == size
            assert (out.intrinsics.width, out.intrinsics.height) == size
        assert set(out.maps()) == set(before.maps())
        for key, array in before.maps().items():
            assert out.maps()[key].dtype == array.dtype, key
        assert set(np.unique(out.labels)) <= {0, 1, IGNORE}
        assert (out.depth_m >= 0).all()
    assert same(before, whole_sample())


@pytest.mark.parametrize('name', [*PRESETS, *ALIASES])
def test_preset_is_determined_by_the_generator(name):
    run = preset(name, (64, 48))
    samples = [run(whole_sample(), np.random.default_rng(seed)) for seed in (3, 3, 4)]
    assert same(samples[0], samples[1])
    assert name == 'none' or not same(samples[0], samples[2])


@pytest.mark.parametrize('name', [*PRESETS, *ALIASES])
def test_preset_takes_a_sample_with_nothing_on_it(name):
    for seed in range(4):
        out = preset(name, (64, 48))(empty_sample(), np.random.default_rng(seed))
        assert out.size == (64, 48)


@pytest.mark.parametrize('name', ['none', 'fastdepth', 'bts-nyu', 'bts-kitti', 'denoise'])
@pytest.mark.parametrize('size', [(80, 60), (64, 48), (32, 48)])
def test_fitted_sample_has_the_camera_that_training_sees(name, size):
    expected = preset(name, size)(whole_sample(), np.random.default_rng(3)).intrinsics
    found = fitted(whole_sample(), name, size)
    assert found.size == size
    # To within the whole pixels of the enlarged part.
    assert found.intrinsics.fx == pytest.approx(expected.fx, rel=0.02)
    assert found.intrinsics.fy == pytest.approx(expected.fy, rel=0.02)


def test_unknown_preset_names_those_there_are():
    with pytest.raises(ConfigError, match=r"'fastest'.*fastdepth"):
        preset('fastest')


@pytest.mark.parametrize(('probability', 'changed'), [(0.0, 0), (1.0, 20)])
def test_maybe(probability, changed):
    before, rng = whole_sample(), np.random.default_rng(0)
    step = Maybe(shape.Flip(), probability)
    assert sum(not same(before, step(before, rng)) for _ in range(20)) == changed


def test_one_of_takes_each_step_and_only_one():
    before, rng = whole_sample(), np.random.default_rng(0)
    step = OneOf((shape.Resize((10, 10)), shape.Resize((20, 20)), Chain()))
    assert {step(before, rng).size for _ in range(30)} == {(10, 10), (20, 20), (80, 60)}


@pytest.mark.parametrize(
    ('step', 'expected'),
    [
        (color.Jitter(), lambda i: i),
        (color.Jitter(brightness=(1.2, 1.2)), lambda i: i * 1.2),
        (color.Jitter(offset=(-50, -50)), lambda i: i - 50),
        (color.Jitter(contrast=(0, 0)), lambda i: np.full_like(i, (i @ color.LUMA).mean())),
        (
            color.Jitter(saturation=(0, 0)),
            lambda i: np.repeat((i @ color.LUMA)[..., None], 3, axis=2),
        ),
        (color.GammaColor((1, 1), (1.1, 1.1), (0.9, 0.9)), lambda i: i * 0.99),
        (color.GammaColor((2, 2), (1, 1), (1, 1)), lambda i: 255 * (i / 255) ** 2),
    ],
)
def test_colour_formulas(step, expected):
    before = whole_sample()
    out = step(before, np.random.default_rng(0))
    wanted = np.clip(expected(before.image.astype(float)), 0, 255)
    np.testing.assert_allclose(out.image, wanted, atol=1)
    np.testing.assert_array_equal(out.depth_m, before.depth_m)


def test_joint_jitter_is_brightness_of_contrast_of_saturation():
    image = whole_sample().image.astype(float)
    gray = image @ color.LUMA
    contrast = 0.8 * (0.7 * image + 0.3 * gray[..., None]) + 0.2 * gray.mean()
    step = color.Jitter((1.1, 1.1), (0.8, 0.8), (0.7, 0.7))
    out = step(whole_sample(), np.random.default_rng(0))
    np.testing.assert_allclose(out.image, 1.1 * contrast, atol=1)


def test_blur_smooths_and_jpeg_loses():
    before, rng = whole_sample(), np.random.default_rng(0)
    assert color.Blur()(before, rng).image.std() < 0.7 * before.image.std()
    error = np.abs(color.Jpeg(30, 30)(before, rng).image.astype(int) - before.image)
    assert 0 < error.mean() < 40


def test_near_divides_depth_by_the_enlargement():
    out = shape.Near((40, 30), 1.5, 1.5)(whole_sample(), np.random.default_rng(0))
    assert out.size == (60, 45)
    assert set(np.unique(out.depth_m)) == {np.float32(2 / 1.5), np.float32(4 / 1.5)}


def test_new_background_leaves_the_object():
    before = whole_sample()
    out = objects.ReplaceBackground()(before, np.random.default_rng(0))
    on = before.labels == 1
    np.testing.assert_array_equal(out.image[on], before.image[on])
    assert (
        np.abs(out.image[before.labels == 0].astype(int) - before.image[before.labels == 0]).mean()
        > 5
    )
    assert not out.depth_m[before.labels == 0].any()
    np.testing.assert_array_equal(out.labels, before.labels)


def test_pasted_object_is_larger_and_nearer():
    step = objects.PasteObjects(low=2.0, high=2.0)
    outs = [step(whole_sample(), np.random.default_rng(seed)) for seed in range(20)]
    assert max((o.labels == 1).sum() for o in outs) == pytest.approx(4 * 400, rel=0.1)
    for out in outs:
        assert set(np.unique(out.depth_m)) <= {0, 1}
        np.testing.assert_array_equal(out.depth_m > 0, out.labels == 1)
    places = {tuple(np.argwhere(o.labels == 1).mean(axis=0).round()) for o in outs}
    assert len(places) > 10


def test_object_colour_stays_within_the_mask():
    before = whole_sample()
    out = objects.ObjectColor()(before, np.random.default_rng(0))
    off = before.labels != 1
    np.testing.assert_array_equal(out.image[off], before.image[off])
    assert not np.array_equal(out.image[~off], before.image[~off])


@pytest.mark.parametrize('pattern', range(len(PATTERNS)))
def test_drawn_patterns(pattern):
    values = PATTERNS[pattern]((50, 40), np.random.default_rng(1))
    assert values.shape == (40, 50)
    assert values.min() >= 0
    assert values.max() <= 1
    assert values.std() > 0.01
    assert drawn((50, 40), np.random.default_rng(pattern)).shape == (40, 50, 3)


@pytest.mark.parametrize('size', [(20, 10), (300, 200)])
def test_textures_of_a_folder_cover_any_size(tmp_path, size):
    (tmp_path / 'wood').mkdir()
    cv2.imwrite(str(tmp_path / 'wood' / 'a.jpg'), np.full((40, 60, 3), (0, 0, 250), np.uint8))
    out = Textures(tmp_path)(size, np.random.default_rng(0))
    assert out.shape == (size[1], size[0], 3)
    assert out[..., 0].min() > 240
    assert out[..., 2].max() < 10


def test_bad_texture_folders(tmp_path):
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match='holds no'):
        Textures(tmp_path)((10, 10), rng)
    (tmp_path / 'broken.png').write_text('no image')
    with pytest.raises(InputError, match=r'broken\.png'):
        Textures(tmp_path)((10, 10), rng)


def test_noise_grows_with_the_square_of_the_distance():
    depth_m = np.repeat(np.float32([[1.0], [2.0]]), 5000, axis=1).repeat(4, axis=0)
    step = depth_noise.QuadraticNoise(0.01, 0.01, grain_px=1)
    out = step(Sample('n', depth_m=depth_m), np.random.default_rng(0))
    error = out.raw_depth_m - depth_m
    assert error[:4].std() == pytest.approx(0.01, rel=0.05)
    assert error[4:].std() == pytest.approx(0.04, rel=0.05)
    np.testing.assert_array_equal(out.depth_m, depth_m)


@pytest.mark.parametrize('step', [depth_noise.Holes(), depth_noise.Speckle()])
def test_lost_pixels_are_zero_and_the_truth_stays(step):
    before, rng = whole_sample(), np.random.default_rng(2)
    lost = 0
    for _ in range(10):
        out = step(before, rng)
        lost += (out.raw_depth_m == 0).sum()
        kept = out.raw_depth_m > 0
        np.testing.assert_array_equal(out.raw_depth_m[kept], before.raw_depth_m[kept])
        np.testing.assert_array_equal(out.depth_m, before.depth_m)
    assert 0 < lost < 10 * 4800 / 2


def test_flying_pixels_lie_between_the_object_and_the_wall_at_its_edge():
    before = whole_sample()
    out = depth_noise.FlyingPixels()(before, np.random.default_rng(0))
    flying = (out.raw_depth_m > 2) & (out.raw_depth_m < 4)
    assert flying.sum() > 20
    changed = out.raw_depth_m != before.raw_depth_m
    edge = np.zeros_like(changed)
    edge[19:41, 29:51] = True
    edge[21:39, 31:49] = False
    assert not (changed & ~edge).any()


@pytest.mark.parametrize('seed', range(5))
def test_denoise_makes_a_measurement_where_there_is_none(seed):
    before = replace(whole_sample(), raw_depth_m=None)
    out = preset('denoise')(before, np.random.default_rng(seed))
    assert out.raw_depth_m is not None
    assert not np.array_equal(out.raw_depth_m, out.depth_m)
    real = depth_noise.Simulated(depth_noise.Holes())(whole_sample(), np.random.default_rng(seed))
    assert same(real, whole_sample())


def test_infrared_gain_touches_the_infrared_only():
    before = whole_sample()
    step = depth_noise.InfraredGain(1.2, 1.2, 0.0)
    out = step(before, np.random.default_rng(0))
    np.testing.assert_allclose(out.infrared, np.minimum(before.infrared * 1.2, 255), atol=0.51)
    np.testing.assert_array_equal(out.raw_depth_m, before.raw_depth_m)


def test_no_infrared_leaves_the_depth_alone():
    before = whole_sample()
    out = depth_noise.NoInfrared()(before, np.random.default_rng(0))
    assert not out.infrared.any()
    assert same(replace(out, infrared=before.infrared), before)


def test_outliers_are_few_small_patches_anywhere_within_range():
    before = whole_sample()
    step = depth_noise.Outliers(most=2, high_px=3, near_m=0.3, far_m=10.0)
    outs = [step(before, np.random.default_rng(seed)).raw_depth_m for seed in range(40)]
    changed = [out[out != before.raw_depth_m] for out in outs]
    assert min(map(len, changed)) == 0
    assert 0 < max(map(len, changed)) <= 2 * 49
    values = np.concatenate(changed)
    assert 0.3 <= values.min() < 1 < values.max() <= 10.0001


def test_object_mostly_cut_off_is_to_be_ignored():
    step = detection.ScaledCrop((40, 30), 2.0, 2.0)
    before = replace(whole_sample(), boxes=Boxes.of([[0, 0, 20, 20]], [2]))
    outs = [step(before, np.random.default_rng(seed)).boxes for seed in range(60)]
    for boxes in outs:
        for (x0, y0, x1, y1), crowd in zip(boxes.xyxy, boxes.is_crowd, strict=True):
            assert crowd == ((x1 - x0) * (y1 - y0) < 0.3 * 20 * 20)
    assert {len(b) for b in outs} == {0, 1}
    assert {bool(c) for b in outs for c in b.is_crowd} == {True, False}


def test_copied_object_looks_like_the_object_and_has_a_box():
    sample = whole_sample()
    image = np.full_like(sample.image, 90)
    image[20:40, 30:50] = (250, 10, 10)
    sample = Sample('c', image=image, boxes=sample.boxes, depth_m=sample.depth_m)
    step = detection.CopyObjects(most=1, low=1.0, high=1.0)
    outs = [step(sample, np.random.default_rng(seed)) for seed in range(20)]
    for out in outs:
        x0, y0, x1, y1 = out.boxes.xyxy[-1].astype(int)
        assert (x1 - x0, y1 - y0) == (20, 20)
        np.testing.assert_array_equal(out.image[(y0 + y1) // 2, (x0 + x1) // 2], (250, 10, 10))
        assert out.boxes.class_ids[-1] == 2
        assert not out.depth_m[y0:y1, x0:x1].any()
    assert {len(o.boxes) for o in outs} == {1, 2}
