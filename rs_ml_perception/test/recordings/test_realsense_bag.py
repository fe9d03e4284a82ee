"""A bag of librealsense on the driver's topics; pyrealsense2 is the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.messages import depth_from_message, stamp_of
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.recordings.frames import frames
from rs_ml_perception.recordings.message_types import message_types
from rs_ml_perception.recordings.messages import IMAGE
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.recordings.realsense_messages import link_transforms
from rs_ml_perception.recordings.recording import lookup

from rs_ml_perception.recordings import message_factory as factory

BAG = 'realsense_bag/single_depth_color_640x480.bag'
IMAGE_OF_ROS1 = 'sensor_msgs/msg/Image'
COLOR, DEPTH = '/camera/camera/color/image_raw', '/camera/camera/depth/image_rect_raw'


@pytest.fixture
def recording(data_file):
    with open_recording(data_file(BAG)) as recording:
        yield recording


def test_topics_are_those_of_the_driver(recording):
    assert {topic.name: topic.count for topic in recording.topics} == {
        COLOR: 1,
        '/camera/camera/color/camera_info': 1,
        DEPTH: 2,
        '/camera/camera/depth/camera_info': 2,
        '/camera/camera/extrinsics/depth_to_color': 1,
        '/tf_static': 1,
    }
    messages = list(recording.messages())
    assert len(messages) == sum(topic.count for topic in recording.topics)
    assert [m.log_time_ns for m in messages] == sorted(m.log_time_ns for m in messages)
    assert recording.topic('/tf_static').is_latched


def test_images_are_those_of_the_driver(recording):
    depth = recording.first(DEPTH)
    assert (depth.encoding, depth.step, depth.is_bigendian) == ('16UC1', 1280, 0)
    assert depth.header.frame_id == 'camera_depth_optical_frame'
    assert recording.first(COLOR).encoding == 'rgb8'
    info = recording.first('/camera/camera/depth/camera_info')
    assert info.distortion_model == 'plumb_bob'
    assert stamp_of(info) == stamp_of(depth)
    assert list(info.p) == [*info.k[:3], 0, *info.k[3:6], 0, *info.k[6:9], 0]


def test_frame_has_both_cameras(recording):
    (frame,) = frames(recording)
    assert frame.camera.fx == pytest.approx(613.203674)
    assert frame.depth_camera.fx == pytest.approx(390.431458)
    assert not frame.depth_is_aligned


def test_agrees_with_pyrealsense2(recording, data_file, librealsense):
    rs = librealsense
    config = rs.config()
    config.enable_device_from_file(str(data_file(BAG)), repeat_playback=False)
    pipeline = rs.pipeline()
    profile = pipeline.start(config)
    profile.get_device().as_playback().set_real_time(False)
    depth_stream = profile.get_stream(rs.stream.depth)
    oracle = depth_stream.get_extrinsics_to(profile.get_stream(rs.stream.color))
    oracle_frames = pipeline.wait_for_frames()
    oracle_depth = np.array(oracle_frames.get_depth_frame().get_data())
    oracle_color = np.array(oracle_frames.get_color_frame().get_data())
    stamp_ms = oracle_frames.get_depth_frame().get_timestamp()
    pipeline.stop()

    found = lookup(
        recording.static_transforms, 'camera_color_optical_frame', 'camera_depth_optical_frame'
    )
    assert np.allclose(found.rotation, np.reshape(oracle.rotation, (3, 3), order='F'), atol=1e-6)
    assert np.allclose(found.translation_m, oracle.translation, atol=1e-7)
    decoded = [recording.decode(m) for m in recording.messages([DEPTH])]
    (same,) = [d for d in decoded if abs(stamp_of(d) / 1e6 - stamp_ms) < 0.01]
    assert np.array_equal(depth_from_message(same).values, oracle_depth)
    (frame,) = frames(recording)
    assert np.array_equal(frame.rgb, oracle_color)


@pytest.mark.parametrize('place', [0.02, 0.3, 0.5, 0.7, 0.9])
def test_one_flipped_bit_is_one_sentence(place, data_file, tmp_path):
    data = bytearray(data_file(BAG).read_bytes())
    data[int(place * len(data))] ^= 1
    path = tmp_path / 'flipped.bag'
    path.write_bytes(data)

    def read():
        with open_recording(path) as recording:
            list(frames(recording))

    with pytest.raises(InputError, match=r'flipped\.bag is damaged') as caught:
        read()
    assert '\n' not in str(caught.value)


def test_a_damaged_frame_costs_itself_alone(recording, monkeypatch):
    damaged = iter([False, True, False])
    own = recording._bag.deserialize

    def deserialize(data, type_name):
        if type_name == IMAGE_OF_ROS1 and next(damaged):
            raise ValueError('cannot reshape')
        return own(data, type_name)

    monkeypatch.setattr(recording._bag, 'deserialize', deserialize)
    messages = [m for m in recording.messages() if m.type == IMAGE]
    assert [m.problem for m in messages] == ['', 'cannot reshape', '']
    with pytest.raises(InputError, match='cannot be used: cannot reshape'):
        recording.decode(messages[1])


@pytest.mark.parametrize(
    ('metres_per_unit', 'value', 'millimetres'),
    [(0.001, 1234, 1234), (0.0001, 12349, 1234), (0.00025, 4003, 1000), (0.01, 9000, 65535)],
)
def test_depth_is_scaled_to_millimetres_as_the_driver_does(metres_per_unit, value, millimetres):
    depth = DepthImage(np.full((2, 3), value, np.uint16), metres_per_unit)
    image = factory.depth_image(factory.header(0, ''), depth)
    assert depth_from_message(image).values.tolist() == [[millimetres] * 3] * 2


@pytest.mark.parametrize('streams', [('color',), ('depth', 'color'), ('color', 'infra1')])
def test_link_transforms_connect_all_streams(streams):
    poses = {
        name: RigidTransform.from_quaternion(
            np.array([0.0, 0.1 * i, 0.0, 1.0]), np.array([0.01 * i, 0.0, 0.0])
        )
        for i, name in enumerate(streams)
    }
    tree = link_transforms(poses)
    last, first = streams[-1], streams[0]
    found = lookup(tree, f'camera_{last}_optical_frame', f'camera_{first}_optical_frame')
    expected = poses[last] @ poses[first].inverse()
    assert np.allclose(found.rotation, expected.rotation)
    assert np.allclose(found.translation_m, expected.translation_m)


def test_camera_info_survives_the_way_through_cdr():
    camera = CameraModel(64, 48, 50.0, 51.0, 31.5, 23.5, 'equidistant', (0.1, 0.2, 0.3, 0.4))
    info = factory.camera_info(factory.header(7, 'f'), camera)
    name = 'sensor_msgs/msg/CameraInfo'
    store = message_types()
    decoded = store.deserialize_cdr(store.serialize_cdr(info, name), name)
    assert decoded.distortion_model == 'equidistant'
    assert decoded.d.tolist() == [0.1, 0.2, 0.3, 0.4]
