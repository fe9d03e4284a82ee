"""Roles of one device are chosen within one namespace."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.recordings.camera_topics import CameraTopics, camera_topics, choose_depth
from rs_ml_perception.recordings.messages import EXTRINSICS, IMAGE, IMU
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.recordings.writer import RecordingWriter

from rs_ml_perception.recordings import message_factory as factory

COLOR, RAW, INFRA = 'color/image_raw', 'depth/image_rect_raw', 'infra1/image_rect_raw'
ALIGNED = 'aligned_depth_to_color/image_raw'
HEADER = factory.header(1, 'optical')
POSE = factory.RigidTransform.identity()
REPORT = 'rs_ml_msgs/msg/FrameReport'


def content(topic):
    """(type, message) of a topic by its name."""
    if topic.endswith('imu') or 'accel' in topic:
        return IMU, factory.imu(HEADER, np.zeros(3), np.zeros(3))
    if 'extrinsics' in topic:
        return EXTRINSICS, factory.extrinsics(POSE)
    if topic.endswith('/frames'):
        return REPORT, factory.make(
            REPORT, header=HEADER, outcome='', detail='', age_ms=0.0, latency_ms=0.0
        )
    if 'depth' in topic:
        return IMAGE, factory.image(HEADER, '16UC1', np.zeros((2, 2), np.uint16))
    return IMAGE, factory.image(HEADER, 'mono8', np.zeros((2, 2), np.uint8))


@pytest.fixture
def topics_of(tmp_path):
    """Names of topics and the wanted camera -> topics found."""

    def find(names, camera='') -> CameraTopics:
        with RecordingWriter(tmp_path / 'bag', overwrite=True) as writer:
            for name in names:
                kind, message = content(name)
                writer.add_topic(name, kind)
                writer.write_message(name, 1, message)
        with open_recording(tmp_path / 'bag', camera) as recording:
            return camera_topics(recording)

    return find


def named(prefix, *endings):
    return [f'{prefix}/{ending}' for ending in endings]


FRONT, REAR = named('/front', COLOR, ALIGNED), named('/rear', COLOR, ALIGNED)


@pytest.mark.parametrize(
    ('names', 'camera', 'color', 'depth', 'others'),
    [
        (['/imu'], '', None, None, ()),
        (FRONT, '', FRONT[0], FRONT[1], ()),
        (FRONT + REAR, '', FRONT[0], FRONT[1], ('/rear',)),
        (FRONT + REAR, '/rear', REAR[0], REAR[1], ('/front',)),
        (FRONT + REAR, 'rear/', REAR[0], REAR[1], ('/front',)),
        # Depth of another camera is no depth of this one.
        ([FRONT[0], *REAR], '', REAR[0], REAR[1], ('/front',)),
        ([FRONT[0], *REAR], '/front', FRONT[0], None, ('/rear',)),
        ([FRONT[0], REAR[1]], '', FRONT[0], None, ('/rear',)),
        ([FRONT[0], REAR[1]], '/rear', None, REAR[1], ('/front',)),
        # The driver's two layouts, one inside the other, and a camera without a namespace.
        (named('/camera/camera', COLOR, RAW), '/camera', '/camera/camera/color/image_raw',
         '/camera/camera/depth/image_rect_raw', ()),
        (named('/camera', COLOR) + named('/camera/camera', RAW), '', '/camera/color/image_raw',
         None, ('/camera/camera',)),
        (named('', COLOR, RAW), '', '/color/image_raw', '/depth/image_rect_raw', ()),
        (named('', COLOR, RAW) + REAR, '/', '/color/image_raw', '/depth/image_rect_raw',
         ('/rear',)),
        # Names of other drivers: by encoding, as long as there is one camera.
        (['/usb/picture', '/usb/depth_map'], '', '/usb/picture', '/usb/depth_map', ()),
        (['/usb/picture', '/z/depth_map'], '', '/usb/picture', '/z/depth_map', ()),
        (['/a/picture', '/a/depth_map', '/b/picture', '/b/depth_map'], '/b', '/b/picture',
         '/b/depth_map', ('/a',)),
        (['/a/picture', '/b/picture', '/b/depth_map'], '', '/a/picture', '/b/depth_map', ()),
        ([FRONT[0], '/front/stereo/depth_map'], '', FRONT[0], '/front/stereo/depth_map', ()),
        ([FRONT[0], REAR[0], '/z/depth_map'], '', FRONT[0], None, ('/rear',)),
        # What our nodes published is no camera's.
        ([FRONT[0], '/rs_ml/mono_depth/depth/image', '/rs_ml/mono_depth/frames'], '', FRONT[0],
         None, ()),
    ],
)  # fmt: skip
def test_roles_are_of_one_camera(names, camera, color, depth, others, topics_of):
    found = topics_of(names, camera)
    assert (found.color, found.depth, found.others) == (color, depth, others)


def test_everything_else_is_of_the_same_camera(topics_of):
    endings = (COLOR, RAW, INFRA, 'extrinsics/depth_to_color', 'accel/sample')
    names = named('/front', *endings) + named('/rear', *endings) + ['/imu']
    found = topics_of(names, '/rear')
    parts = (found.sensor_depth, found.infra, found.extrinsics, found.accel)
    assert parts == tuple(f'/rear/{ending}' for ending in endings[1:])
    assert found.camera == '/rear'


def test_an_accelerometer_of_no_camera_serves_all(topics_of):
    assert topics_of([*FRONT, *REAR, '/imu']).accel == '/imu'
    assert topics_of([*FRONT, *REAR, '/rear/imu']).accel is None


def test_an_unknown_camera_is_refused_with_those_there_are(topics_of):
    with pytest.raises(InputError, match=r'holds no camera /left: pass one of /front, /rear'):
        topics_of(FRONT + REAR, '/left')


def test_a_choice_between_topics_is_reported(topics_of):
    assert topics_of(FRONT).note('--camera') == ''
    assert topics_of(FRONT + REAR, '/rear').note('CAMERA=') == (
        'camera /rear is used; CAMERA= chooses another: /front'
    )


BOTH = CameraTopics(
    color='c', color_info='ci', depth='a', depth_info='ai', depth_is_aligned=True,
    sensor_depth='r', sensor_depth_info='ri', infra='i',
)  # fmt: skip
RAW_ALONE = CameraTopics(
    color='c', depth='r', depth_info='ri', sensor_depth='r', sensor_depth_info='ri', infra='i'
)
ALIGNED_ALONE = CameraTopics(
    color='c', depth='a', depth_info='ai', depth_is_aligned=True, sensor_depth='a',
    sensor_depth_info='ai',
)  # fmt: skip
COLOR_ALONE = CameraTopics(color='c')


@pytest.mark.parametrize(
    ('topics', 'source', 'depth', 'is_aligned', 'infra'),
    [
        (BOTH, 'auto', ('a', 'ai', 'r', 'ri'), True, 'i'),
        (BOTH, 'aligned', ('a', 'ai', 'a', 'ai'), True, None),
        (BOTH, 'raw', ('r', 'ri', 'r', 'ri'), False, 'i'),
        (BOTH, 'none', (None, None, None, None), False, None),
        (RAW_ALONE, 'auto', ('r', 'ri', 'r', 'ri'), False, 'i'),
        (RAW_ALONE, 'raw', ('r', 'ri', 'r', 'ri'), False, 'i'),
        (RAW_ALONE, 'aligned', (None, None, None, None), False, None),
        (ALIGNED_ALONE, 'aligned', ('a', 'ai', 'a', 'ai'), True, None),
        (ALIGNED_ALONE, 'raw', (None, None, None, None), False, None),
        (COLOR_ALONE, 'raw', (None, None, None, None), False, None),
    ],
)
def test_the_parameter_depth_source_chooses_among_topics(topics, source, depth, is_aligned, infra):
    found = choose_depth(topics, source)
    chosen = found.depth, found.depth_info, found.sensor_depth, found.sensor_depth_info
    assert chosen == depth
    assert (found.depth_is_aligned, found.infra, found.color) == (is_aligned, infra, 'c')
