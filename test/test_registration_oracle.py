"""Registration of depth to colour against `rs.align` of librealsense."""

import os
from pathlib import Path

import numpy as np
import pytest
from rs_ml_perception.core.frames.box_points import box_points
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.distortion import distort
from rs_ml_perception.core.geometry.projection import pixel_rays, project
from rs_ml_perception.core.geometry.registration import register_depth
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage

rs = pytest.importorskip(
    'pyrealsense2',
    reason='pyrealsense2 (with libusb-1.0-0) is the oracle',
    exc_type=ImportError,
)

BAG = Path('realsense_bag') / 'single_depth_color_640x480.bag'
NONE = (0.0, 0.0, 0.0, 0.0, 0.0)
LENS = (0.12, -0.25, 0.0007, -0.0009, 0.08)


def bag_path() -> Path:
    if 'RS_ML_TEST_DATA' not in os.environ:
        pytest.skip('RS_ML_TEST_DATA is not set')
    path = Path(os.environ['RS_ML_TEST_DATA']) / BAG
    assert path.is_file(), f'{path} is missing'
    return path


def camera_of(intrinsics) -> CameraModel:
    i = intrinsics
    return CameraModel(i.width, i.height, i.fx, i.fy, i.ppx, i.ppy, i.model.name, tuple(i.coeffs))


def transform_of(extrinsics) -> RigidTransform:
    """Rotations in librealsense are stored by column."""
    rotation = np.array(extrinsics.rotation).reshape(3, 3).T
    return RigidTransform(rotation, np.array(extrinsics.translation))


def depth_of(frame) -> DepthImage:
    return DepthImage(np.asanyarray(frame.get_data()).copy(), round(frame.get_units(), 9))


def check_equal(ours: DepthImage, oracle: np.ndarray) -> None:
    """99 % of all pixels within 2 mm, and the same pixels valid."""
    valid, valid_oracle = ours.values > 0, oracle > 0
    agree = np.mean(valid == valid_oracle)
    both = valid & valid_oracle
    assert both.mean() > 0.2, 'too little to compare'
    apart_mm = np.abs(ours.values.astype(int) - oracle.astype(int))
    print(
        f'masks agree {agree:.4%}, within 2 mm {np.mean(apart_mm[both] <= 2):.4%} of {both.sum()}'
    )
    assert agree >= 0.99
    assert np.mean(apart_mm[both] <= 2) >= 0.99


def bag_frames():
    config, pipeline = rs.config(), rs.pipeline()
    config.enable_device_from_file(str(bag_path()), repeat_playback=False)
    profile = pipeline.start(config)
    profile.get_device().as_playback().set_real_time(False)
    try:
        frames = pipeline.wait_for_frames()
        aligned = rs.align(rs.stream.color).process(frames).get_depth_frame()
        depth, color = frames.get_depth_frame(), frames.get_color_frame()
        video = [frame.profile.as_video_stream_profile() for frame in (depth, color)]
        cameras = [camera_of(profile.intrinsics) for profile in video]
        oracle = np.asanyarray(aligned.get_data()).copy()
        return depth_of(depth), cameras, transform_of(video[0].get_extrinsics_to(video[1])), oracle
    finally:
        pipeline.stop()


def test_real_recording():
    depth, (depth_camera, camera), color_from_depth, oracle = bag_frames()
    check_equal(register_depth(depth, depth_camera, camera, color_from_depth), oracle)


def test_boxes_of_the_real_recording():
    """Each point, projected back into the depth camera, has the SDK's depth at its pixel."""
    depth, (depth_camera, camera), color_from_depth, oracle = bag_frames()
    frame = Frame(
        depth=depth, camera=camera, depth_camera=depth_camera, color_from_depth=color_from_depth
    )
    for box in ([100, 100, 260, 300], [300, 200, 620, 460], [20, 20, 620, 470]):
        points_m = box_points(frame, np.array(box), max_samples=10**9).points_m
        points_m = points_m[np.isfinite(points_m[..., 2])].astype(np.float64)
        u, v = np.rint(project(points_m, camera)).astype(int).T
        assert len(u) > 5000
        assert ((u >= box[0]) & (u < box[2]) & (v >= box[1]) & (v < box[3])).all()
        depth_mm = 1000 * color_from_depth.inverse().apply(points_m)[:, 2]
        # The SDK keeps the nearest of the rectangles that overlap at a pixel.
        farther_mm = depth_mm - oracle[v, u]
        assert np.mean(np.abs(farther_mm) <= 12) >= 0.95
        assert np.mean(farther_mm >= -2) >= 0.99


def rotation_deg(x: float, y: float, z: float) -> np.ndarray:
    vector = np.radians([x, y, z])
    angle = np.linalg.norm(vector)
    if angle == 0:
        return np.eye(3)
    k = vector / angle
    cross = np.array([[0, -k[2], k[1]], [k[2], 0, -k[0]], [-k[1], k[0], 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def scene_mm(width: int, height: int) -> np.ndarray:
    """Waves with a step, a near object before a far wall, and holes."""
    y, x = np.mgrid[:height, :width]
    depth = 1500 + 400 * np.sin(9 * x / width) + 300 * np.cos(7 * y / height)
    depth[height // 3 : 2 * height // 3, width // 4 : width // 2] = 800
    depth[:, 7 * width // 8 :] += 1500
    holes = np.random.default_rng(3).random(depth.shape) < 0.05
    return np.where(holes, 0, depth).astype(np.uint16)


def intrinsics(width: int, height: int, focal: float, model, coefficients):
    i = rs.intrinsics()
    i.width, i.height, i.fx, i.fy = width, height, focal, focal * 1.002
    i.ppx, i.ppy = width / 2 + 3.3, height / 2 - 2.7
    i.model, i.coeffs = model, list(coefficients)
    return i


def align_by_sdk(depth_mm: np.ndarray, depth_intrinsics, color_intrinsics, extrinsics):
    """The depth frame of a software device, aligned by rs.align."""
    device = rs.software_device()
    sensor = device.add_sensor('test')
    profiles = []
    for uid, (stream, i, pixel_format, size) in enumerate(
        [
            (rs.stream.depth, depth_intrinsics, rs.format.z16, 2),
            (rs.stream.color, color_intrinsics, rs.format.rgb8, 3),
        ]
    ):
        video = rs.video_stream()
        video.type, video.uid, video.index, video.fps = stream, uid, 0, 30
        video.width, video.height, video.bpp, video.fmt = i.width, i.height, size, pixel_format
        video.intrinsics = i
        profiles.append(sensor.add_video_stream(video))
    sensor.add_read_only_option(rs.option.depth_units, 0.001)
    profiles[0].register_extrinsics_to(profiles[1], extrinsics)
    syncer = rs.syncer()
    device.create_matcher(rs.matchers.default)
    sensor.open(profiles)
    sensor.start(syncer)
    pictures = [depth_mm, np.zeros((color_intrinsics.height, color_intrinsics.width, 3), np.uint8)]
    frames = None
    for number in range(1, 6):
        for profile, picture in zip(profiles, pictures, strict=True):
            frame = rs.software_video_frame()
            frame.pixels, frame.bpp = (
                np.ascontiguousarray(picture),
                picture.itemsize * (1 if picture.ndim == 2 else 3),
            )
            frame.stride = frame.bpp * picture.shape[1]
            frame.timestamp, frame.domain = 33.0 * number, rs.timestamp_domain.hardware_clock
            frame.frame_number, frame.profile = number, profile.as_video_stream_profile()
            frame.depth_units = 0.001
            sensor.on_video_frame(frame)
        frames = syncer.wait_for_frames()
        if frames.get_depth_frame() and frames.get_color_frame():
            break
    aligned = rs.align(rs.stream.color).process(frames).get_depth_frame()
    result = np.asanyarray(aligned.get_data()).copy()
    sensor.stop()
    sensor.close()
    return result


BROWN, INVERSE = rs.distortion.brown_conrady, rs.distortion.inverse_brown_conrady
MODIFIED = rs.distortion.modified_brown_conrady  # rs.align takes no notice of the others


@pytest.mark.parametrize(
    ('depth_size', 'color_size', 'turn_deg', 'shift_m', 'lens'),
    [
        ((640, 480), (640, 480), (0, 0, 0), (0, 0, 0), (BROWN, NONE)),
        ((848, 480), (848, 480), (0, 0, 0), (0.015, 0, 0), (BROWN, NONE)),
        ((848, 480), (1280, 720), (0.4, -0.6, 0.3), (0.015, 0.0005, 0.0003), (BROWN, NONE)),
        ((1280, 720), (640, 480), (0.4, -0.6, 0.3), (-0.059, 0.001, 0.002), (BROWN, NONE)),
        ((640, 480), (640, 480), (3, -5, 4), (0.05, -0.03, 0.02), (BROWN, NONE)),
        ((640, 480), (1280, 720), (0.4, -0.6, 0.3), (0.015, 0, 0), (MODIFIED, LENS)),
        ((848, 480), (640, 360), (-0.3, 0.2, 1.0), (0.015, 0.002, 0), (BROWN, NONE)),
    ],
)
def test_software_device(depth_size, color_size, turn_deg, shift_m, lens):
    depth_mm = scene_mm(*depth_size)
    depth_intrinsics = intrinsics(*depth_size, 0.55 * depth_size[0], BROWN, NONE)
    color_intrinsics = intrinsics(*color_size, 0.75 * color_size[0], *lens)
    extrinsics = rs.extrinsics()
    rotation = rotation_deg(*turn_deg)
    extrinsics.rotation = rotation.T.ravel().tolist()
    extrinsics.translation = list(shift_m)
    oracle = align_by_sdk(depth_mm, depth_intrinsics, color_intrinsics, extrinsics)
    ours = register_depth(
        DepthImage(depth_mm, 0.001),
        camera_of(depth_intrinsics),
        camera_of(color_intrinsics),
        RigidTransform(rotation, np.array(shift_m)),
    )
    check_equal(ours, oracle)


@pytest.mark.parametrize('model', [BROWN, INVERSE, MODIFIED])
def test_projection_is_the_sdks(model):
    i = intrinsics(640, 480, 500.0, model, LENS)
    points = np.random.default_rng(0).uniform((-0.9, -0.7, 1.0), (0.9, 0.7, 2.0), (50, 3))
    expected = [rs.rs2_project_point_to_pixel(i, list(point)) for point in points]
    np.testing.assert_allclose(project(points, camera_of(i)), expected, atol=2e-2)


@pytest.mark.parametrize('model', [BROWN, INVERSE])
def test_deprojection_is_the_sdks(model):
    i = intrinsics(640, 480, 500.0, model, LENS)
    pixels = np.random.default_rng(0).uniform((0, 0), (639, 479), (50, 2))
    expected = [rs.rs2_deproject_pixel_to_point(i, list(pixel), 1.0)[:2] for pixel in pixels]
    rays = pixel_rays(pixels, camera_of(i))
    np.testing.assert_allclose(rays, expected, atol=1e-4)
    back = distort(rays, camera_of(i).distortion_model, LENS)
    np.testing.assert_allclose(back * (i.fx, i.fy) + (i.ppx, i.ppy), pixels, atol=0.1)
