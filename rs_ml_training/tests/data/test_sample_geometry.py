import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.data import box_geometry, geometry
from rs_ml_training.data.sample import IGNORE, Boxes, Sample

POINT = np.array([0.3, -0.2, 2.0])
CAMERA = CameraModel(64, 48, 50.0, 50.0, 31.0, 23.0)


def sample_of(width: int = 64, height: int = 48) -> Sample:
    """A bright blob where POINT is seen, in every map, with a box around it."""
    u, v = 50 * POINT[:2] / POINT[2] + (31, 23)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    blob = (np.hypot(x - u, y - v) < 4).astype(np.uint8)
    return Sample(
        'blob',
        image=np.repeat(200 * blob[..., None], 3, axis=2),
        depth_m=(2 * blob).astype(np.float32),
        raw_depth_m=(2 * blob).astype(np.float32),
        infrared=200 * blob,
        labels=blob,
        boxes=Boxes.of([[u - 3.5, v - 3.5, u + 4.5, v + 4.5]], [1]),
        intrinsics=CAMERA,
        focal_px=50.0,
        extra={'mask': blob.astype(bool)},
    )


def center_of(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask).mean(axis=0)[::-1]


CHANGES = [
    ('as it is', lambda s: geometry.resized(s, (64, 48))),
    ('smaller', lambda s: geometry.resized(s, (40, 30))),
    ('larger', lambda s: geometry.resized(s, (96, 72))),
    ('stretched', lambda s: geometry.resized(s, (96, 30))),
    ('cut', lambda s: geometry.cropped(s, 20, 5, 40, 30)),
    ('padded', lambda s: geometry.cropped(s, -20, -5, 100, 70)),
    ('middle', lambda s: geometry.center_cropped(s, (50, 40))),
    ('random part', lambda s: geometry.random_crop(s, (62, 46), np.random.default_rng(1))),
    ('random padding', lambda s: geometry.random_crop(s, (70, 40), np.random.default_rng(1))),
]


@pytest.mark.parametrize(('name', 'change'), CHANGES)
def test_maps_boxes_and_camera_stay_together(name, change):
    out = change(sample_of())
    camera = out.intrinsics
    expected = [
        camera.fx * POINT[0] / POINT[2] + camera.cx,
        camera.fy * POINT[1] / POINT[2] + camera.cy,
    ]
    for found in (out.image[..., 0] > 99, out.depth_m > 0, out.labels == 1, out.extra['mask']):
        np.testing.assert_allclose(center_of(found), expected, atol=0.75)
    x0, y0, x1, y1 = out.boxes.xyxy[0]
    np.testing.assert_allclose([(x0 + x1) / 2 - 0.5, (y0 + y1) / 2 - 0.5], expected, atol=0.6)
    assert (camera.width, camera.height) == out.size
    assert out.extra['mask'].dtype == bool


@pytest.mark.parametrize(
    ('change', 'seen_at'),
    [
        (geometry.flipped, lambda u, v: (63 - u, v)),
        (geometry.flipped_vertically, lambda u, v: (u, 47 - v)),
        (lambda s: geometry.rotated(s, 90), lambda u, v: (31.5 + v - 23.5, 23.5 - (u - 31.5))),
        (lambda s: geometry.rolled(s, 10), lambda u, v: (u + 10, v)),
        (lambda s: geometry.rolled(s, -50), lambda u, v: (u - 50 + 64, v)),
    ],
)
def test_blob_moves_as_it_should(change, seen_at):
    before = sample_of()
    out = change(before)
    expected = seen_at(*center_of(before.labels == 1))
    for found in (out.image[..., 0] > 99, out.depth_m > 0, out.labels == 1, out.extra['mask']):
        np.testing.assert_allclose(center_of(found), expected, atol=0.6)
    x0, y0, x1, y1 = out.boxes.xyxy[0]
    np.testing.assert_allclose([(x0 + x1) / 2 - 0.5, (y0 + y1) / 2 - 0.5], expected, atol=0.6)


@pytest.mark.parametrize('degrees', [0.0, 2.0, -30.0])
@pytest.mark.parametrize('corner', [(0, 0), (13, 9), (32, 24)])
def test_part_of_a_turned_sample_is_that_of_the_whole(degrees, corner):
    sample = sample_of()
    out = geometry.rotated(sample, degrees, (32, 24), corner)
    wanted = geometry.cropped(geometry.rotated(sample, degrees), *corner, 32, 24)
    assert set(out.maps()) == set(wanted.maps())
    for name, array in wanted.maps().items():
        assert array.dtype == out.maps()[name].dtype
        different = np.abs(array.astype(float) - out.maps()[name]) > 1e-3
        assert different.mean() < 0.02, name
    assert out.intrinsics.cx == pytest.approx(wanted.intrinsics.cx)
    assert out.intrinsics.cy == pytest.approx(wanted.intrinsics.cy)
    np.testing.assert_allclose(out.boxes.xyxy, wanted.boxes.xyxy, atol=1e-3)


def test_colors_are_turned_as_gray_is():
    gray = np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8)
    sample = Sample('s', image=np.dstack([gray] * 3), infrared=gray)
    out = geometry.rotated(sample, 7)
    np.testing.assert_allclose(out.image.astype(int), np.dstack([out.infrared] * 3), atol=1)


def test_principal_point_follows_a_flip_and_a_turn():
    assert geometry.flipped(sample_of()).intrinsics.cx == 63 - 31
    assert geometry.flipped_vertically(sample_of()).intrinsics.cy == 47 - 23
    turned = geometry.rotated(sample_of(), 90).intrinsics
    assert (turned.cx, turned.cy) == pytest.approx((31.0, 24.0))


def test_nearer_keeps_the_camera_and_divides_depth():
    out = geometry.scaled(sample_of(), 1.25)
    assert out.size == (80, 60)
    assert out.depth_m.max() == pytest.approx(1.6)
    assert out.raw_depth_m.max() == pytest.approx(1.6)
    assert (out.intrinsics.fx, out.focal_px) == (50.0, 50.0)


@pytest.mark.parametrize('size', [(32, 24), (17, 11), (128, 96)])
def test_resizing_invents_no_depth_and_no_label(size):
    rng = np.random.default_rng(0)
    depth_m = rng.choice([0.0, 1.0, 5.0], (48, 64)).astype(np.float32)
    labels = rng.choice([0, 7, IGNORE], (48, 64)).astype(np.uint8)
    out = geometry.resized(Sample('s', depth_m=depth_m, labels=labels), size)
    assert set(np.unique(out.depth_m)) <= {0.0, 1.0, 5.0}
    assert set(np.unique(out.labels)) <= {0, 7, IGNORE}
    assert out.depth_m.dtype == np.float32


def test_outside_is_unknown():
    out = geometry.cropped(sample_of(), -10, 0, 64, 48)
    assert (out.labels[:, :10] == IGNORE).all()
    assert not out.depth_m[:, :10].any()
    assert not out.image[:, :10].any()
    turned = geometry.rotated(sample_of(), 45)
    assert turned.labels[0, 0] == IGNORE
    assert turned.depth_m[0, 0] == 0
    beyond = geometry.rotated(sample_of(), 45, (8, 8), (-30, -30))
    assert (beyond.labels == IGNORE).all()
    assert not beyond.image.any()


@pytest.mark.parametrize('x', [-200, 200])
def test_part_that_misses_the_image_is_empty(x):
    out = geometry.cropped(sample_of(), x, 0, 64, 48)
    assert (out.labels == IGNORE).all()
    assert len(out.boxes) == 0


@pytest.mark.parametrize(
    ('xyxy', 'left'),
    [
        ([], []),
        ([[-5, -5, 5, 5]], [[0, 0, 5, 5]]),
        ([[70, 10, 80, 20]], []),
        ([[60, 40, 90, 90], [1, 2, 3, 4]], [[60, 40, 64, 48], [1, 2, 3, 4]]),
    ],
)
def test_boxes_are_clipped_and_dropped(xyxy, left):
    boxes = box_geometry.clipped(Boxes.of(xyxy, range(len(xyxy))), (64, 48))
    np.testing.assert_allclose(boxes.xyxy, np.reshape(left, (-1, 4)))
    assert len(boxes.class_ids) == len(left)


def test_rolling_splits_a_box_at_the_seam_and_comes_back():
    before = sample_of()
    out = geometry.rolled(before, 26)
    assert len(out.boxes) == 2
    back = geometry.rolled(out, -26)
    np.testing.assert_array_equal(back.image, before.image)
    np.testing.assert_array_equal(back.depth_m, before.depth_m)


@pytest.mark.parametrize('dtype', [bool, np.int64, np.uint16, np.float16, np.float64])
def test_extra_maps_keep_their_type_and_values(dtype):
    sample = Sample('s', extra={'map': np.eye(20).astype(dtype)})
    for change in (
        geometry.flipped,
        lambda s: geometry.rotated(s, 30),
        lambda s: geometry.resized(s, (33, 17)),
        lambda s: geometry.cropped(s, -1, 2, 30, 30),
    ):
        out = change(sample).extra['map']
        assert out.dtype == dtype
        assert set(np.unique(out).tolist()) == {0, 1}


def test_sample_is_not_changed():
    before = sample_of()
    image = before.image.copy()
    for _, change in CHANGES:
        change(before).image[:] += 0
    geometry.rotated(before, 5)
    np.testing.assert_array_equal(before.image, image)


@pytest.mark.parametrize('change', [geometry.resized, geometry.center_cropped])
def test_size_without_pixels_is_refused(change):
    with pytest.raises(InputError, match='0x10'):
        change(sample_of(), (0, 10))
