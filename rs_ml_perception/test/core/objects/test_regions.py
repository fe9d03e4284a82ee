"""Regions of masks and their poses."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.projection import ray_planes
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.objects.regions import cloud_pose, find_regions

CAMERA = CameraModel(320, 240, 300.0, 300.0, 159.5, 119.5)


def empty_mask() -> np.ndarray:
    return np.full((240, 320), 255, np.uint8)


def two_regions() -> np.ndarray:
    mask = empty_mask()
    mask[40:80, 50:200] = 3
    mask[150:200, 100:150] = 7
    return mask


def plane_frame(normal: np.ndarray, distance_m: float) -> Frame:
    """Depth of the plane normal . p = normal_z * distance."""
    rays = np.stack([*ray_planes(CAMERA), np.ones((240, 320), np.float32)], axis=-1)
    depth_m = (distance_m * normal[2] / (rays @ normal)).astype(np.float32)
    return Frame(depth=DepthImage(depth_m, 1.0), camera=CAMERA)


@pytest.mark.parametrize('ignore', [(255,), (255, 3)])
def test_nothing_labelled(ignore):
    assert len(find_regions(empty_mask(), Frame(), ignore=ignore)) == 0


def test_regions_without_depth():
    regions = find_regions(two_regions(), Frame())
    assert regions.class_ids.tolist() == [3, 7]
    assert regions.area_px.tolist() == [6000, 2500]
    np.testing.assert_allclose(regions.centroids_px, [[124.5, 59.5], [124.5, 174.5]])
    assert not regions.has_pose.any()
    assert np.isnan(regions.position_m).all()


@pytest.mark.parametrize(
    ('arguments', 'classes'),
    [
        ({}, [3, 7]),
        ({'min_area_px': 3000}, [3]),
        ({'max_regions': 1}, [3]),
        ({'max_regions': 0}, []),
        ({'ignore': (3, 255)}, [7]),
        ({'ignore': (), 'min_area_px': 5000}, [255, 3]),
    ],
)
def test_selection(arguments, classes):
    assert find_regions(two_regions(), Frame(), **arguments).class_ids.tolist() == classes


def test_separate_parts_of_one_class_are_separate_regions():
    mask = two_regions()
    mask[mask == 7] = 3
    assert find_regions(mask, Frame()).class_ids.tolist() == [3, 3]


def test_pose_on_a_slanted_plane():
    normal = np.array([0.3, -0.2, 1.0])
    normal /= np.linalg.norm(normal)
    regions = find_regions(two_regions(), plane_frame(normal, 2.0))
    assert regions.has_pose.all()
    for index in range(2):
        axes = regions.camera_from_region[index]
        np.testing.assert_allclose(axes[:, 2], -normal, atol=1e-3)  # toward the camera
        np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-9)
        assert np.linalg.det(axes) == pytest.approx(1.0)
    assert abs(regions.camera_from_region[0][0, 0]) > 0.9  # the long side runs along x
    assert regions.size_m[0, 0] == pytest.approx(150 / 300 * 2.0, rel=0.1)
    assert regions.size_m[0, 0] > regions.size_m[0, 1] > regions.size_m[0, 2]


def test_background_inside_the_mask_does_not_count():
    frame = plane_frame(np.array([0.0, 0.0, 1.0]), 1.0)
    frame.depth.values[40:44, 50:200] = 3.0
    regions = find_regions(two_regions(), frame)
    assert regions.position_m[0, 2] == pytest.approx(1.0, abs=0.01)
    assert regions.size_m[0, 2] < 0.01


def test_unaligned_depth():
    frame = plane_frame(np.array([0.0, 0.0, 1.0]), 1.0)
    moved = Frame(
        depth=frame.depth,
        camera=CAMERA,
        depth_camera=CAMERA,
        color_from_depth=RigidTransform(np.eye(3), np.array([0.05, 0.0, 0.0])),
    )
    aligned, unaligned = (find_regions(two_regions(), f) for f in (frame, moved))
    np.testing.assert_allclose(unaligned.position_m, aligned.position_m, atol=0.01)


def test_region_without_depth_has_no_pose():
    frame = plane_frame(np.array([0.0, 0.0, 1.0]), 1.0)
    frame.depth.values[40:80, 50:200] = np.nan
    assert find_regions(two_regions(), frame).has_pose.tolist() == [False, True]


def test_too_few_points_give_no_pose():
    assert cloud_pose(np.zeros((0, 3), np.float32)) is None
    assert cloud_pose(np.ones((5, 3), np.float32)) is None


def test_mask_must_be_ids():
    with pytest.raises(InputError, match='uint8'):
        find_regions(np.zeros((4, 4), np.float32), Frame())
