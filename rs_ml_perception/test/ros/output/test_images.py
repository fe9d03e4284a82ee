"""Images, clouds and intrinsics to messages."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.messages import (
    camera_from_message,
    color_from_message,
    depth_from_message,
)
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.projection import packed_points
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.nodes import segmentation_node
from rs_ml_perception.nodes.record_node import is_unwanted_twin
from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.ros.input.samples import decode_color
from rs_ml_perception.ros.output.images import (
    camera_info,
    color_outputs,
    depth_image,
    depth_to_uint16_mm,
    image,
    point_cloud,
)
from rs_ml_perception.ros.output.outputs import OutputContext
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, RegionOfInterest
from std_msgs.msg import Header

pytestmark = pytest.mark.ros

HEADER = Header(frame_id='camera')
RANDOM = np.random.default_rng(7)


def pixels(encoding: str, shape: tuple[int, int]) -> np.ndarray:
    if encoding == 'rgb8':
        return RANDOM.integers(0, 256, (*shape, 3), np.uint8)
    if encoding == '32FC1':
        return RANDOM.random(shape, np.float32)
    kind = np.uint8 if encoding == 'mono8' else np.uint16
    return RANDOM.integers(0, np.iinfo(kind).max, shape, kind)


@pytest.mark.parametrize('shape', [(1, 1), (3, 5), (48, 64)])
@pytest.mark.parametrize('encoding', ['rgb8', 'mono8', '16UC1', '32FC1'])
def test_pixels_round_trip(encoding, shape):
    array = pixels(encoding, shape)
    msg = image(array, encoding, HEADER)
    assert (msg.height, msg.width) == shape
    assert msg.step * msg.height == len(msg.data) == array.nbytes
    assert (msg.encoding, msg.header, msg.is_bigendian) == (encoding, HEADER, 0)
    decoded = (
        decode_color(msg) if encoding in ('rgb8', 'mono8') else depth_from_message(msg).values
    )
    expected = np.dstack([array] * 3) if encoding == 'mono8' else array
    np.testing.assert_array_equal(decoded, expected)


def test_a_strided_view_is_published_correctly():
    array = pixels('rgb8', (6, 8))[::2, ::-1]
    np.testing.assert_array_equal(decode_color(image(array, 'rgb8', HEADER)), array)


@pytest.mark.parametrize(
    ('array', 'encoding'),
    [
        (np.zeros((2, 2, 3), np.float32), 'rgb8'),
        (np.zeros((2, 2), np.uint8), 'rgb8'),
        (np.zeros((2, 2), np.int16), '16UC1'),
        (np.zeros((2, 2, 1), np.uint8), 'mono8'),
    ],
)
def test_the_wrong_array_is_refused(array, encoding):
    with pytest.raises(ValueError, match=encoding):
        image(array, encoding, HEADER)


@pytest.mark.parametrize(
    ('depth_m', 'depth_mm'),
    [
        (math.nan, 0),
        (0.0, 0),
        (-1.0, 0),
        (math.inf, 0),
        (-math.inf, 0),
        (0.0004, 0),
        (0.0006, 1),
        (1.2344, 1234),
        (65.535, 65535),
        (65.536, 0),
        (1e9, 0),
    ],
)
def test_metres_to_millimetres(depth_m, depth_mm):
    given = np.full((2, 2), depth_m, np.float32)
    assert (depth_to_uint16_mm(given) == depth_mm).all()
    assert given[0, 0] == np.float32(depth_m) or math.isnan(depth_m), 'the input stays'


def test_depth_images_of_either_unit():
    depth_m = np.array([[1.5, math.nan]], np.float32)
    metres = depth_image(depth_m, '32FC1', HEADER)
    np.testing.assert_array_equal(np.frombuffer(metres.data, np.float32), depth_m[0])
    millimetres = depth_image(depth_m, '16UC1', HEADER)
    assert np.frombuffer(millimetres.data, np.uint16).tolist() == [1500, 0]
    with pytest.raises(InputError, match='mono16'):
        depth_image(depth_m, 'mono16', HEADER)


def test_a_cloud_is_organised():
    camera = CameraModel(4, 3, 2.0, 2.0, 1.5, 1.0)
    depth_m = np.full((3, 4), 2.0, np.float32)
    depth_m[0, 0] = math.nan
    msg = point_cloud(packed_points(depth_m, camera, pixels('rgb8', (3, 4))), HEADER)
    assert (msg.height, msg.width, msg.point_step, msg.row_step) == (3, 4, 16, 64)
    assert [f.name for f in msg.fields] == ['x', 'y', 'z', 'rgb']
    assert len(msg.data) == 3 * 64
    points = np.frombuffer(msg.data, np.float32).reshape(3, 4, 4)
    assert np.isnan(points[0, 0, :3]).all()
    assert points[1, 3, :3].tolist() == [1.5, 0.0, 2.0]
    assert not msg.is_dense


def info(**changes) -> CameraInfo:
    msg = CameraInfo(width=640, height=480, distortion_model='plumb_bob', d=[0.1] * 5)
    msg.k = [600.0, 0.0, 319.5, 0.0, 610.0, 239.5, 0.0, 0.0, 1.0]
    for name, value in changes.items():
        setattr(msg, name, value)
    return msg


def roi(x, y, width, height) -> RegionOfInterest:
    return RegionOfInterest(x_offset=x, y_offset=y, width=width, height=height)


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({}, (640, 480, 600.0, 610.0, 319.5, 239.5)),
        ({'binning_x': 1, 'binning_y': 1}, (640, 480, 600.0, 610.0, 319.5, 239.5)),
        ({'binning_x': 2, 'binning_y': 2}, (320, 240, 300.0, 305.0, 159.5, 119.5)),
        ({'binning_x': 2}, (320, 480, 300.0, 610.0, 159.5, 239.5)),
        ({'roi': roi(100, 50, 320, 240)}, (320, 240, 600.0, 610.0, 219.5, 189.5)),
        ({'roi': roi(100, 50, 320, 240), 'binning_x': 2, 'binning_y': 4},
         (160, 60, 300.0, 152.5, 109.5, 47.0)),
    ],
)  # fmt: skip
def test_intrinsics_of_the_published_image(changes, expected):
    c = camera_from_message(info(**changes))
    assert (c.width, c.height, c.fx, c.fy, c.cx, c.cy) == pytest.approx(expected)
    assert c.distortion == (0.1,) * 5


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'k': [math.nan] * 9}, 'finite'),
        ({'k': [0.0] * 9}, 'not calibrated'),
        ({'d': [math.inf]}, 'finite'),
        ({'width': 0}, 'size must be positive'),
        ({'roi': roi(0, 0, 1, 1), 'binning_x': 2}, 'must be positive'),
    ],
)
def test_useless_intrinsics(changes, words):
    with pytest.raises(InputError, match=words):
        camera_from_message(info(**changes))


def test_intrinsics_round_trip():
    camera = camera_from_message(info()).resized(320, 240)
    msg = camera_info(camera, HEADER)
    assert camera_from_message(msg) == camera
    assert list(msg.p[:3]) == list(msg.k[:3])
    assert (msg.p[5], msg.p[6], msg.p[10], msg.p[3]) == (msg.k[4], msg.k[5], 1.0, 0.0)
    assert list(msg.r) == np.eye(3).ravel().tolist()
    assert (msg.binning_x, msg.roi.width) == (0, 0)
    plain = camera_info(CameraModel(4, 4, 1.0, 1.0, 0.0, 0.0), HEADER)
    assert (plain.distortion_model, list(plain.d)) == ('plumb_bob', [0.0] * 5)


def context():
    nothing = dict.fromkeys(('frame', 'parameters', 'pipeline', 'target'))
    return OutputContext(header=HEADER, labels=LabelMap({}), **nothing)


def slope(channels):
    ramp = np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))
    return np.dstack([ramp, 255 - ramp, ramp]) if channels == 3 else ramp


def test_a_colour_image_is_drawn_once_for_raw_and_jpeg():
    drawn = []
    raw, compressed = color_outputs('x', lambda *_: drawn.append(1) or slope(3))
    frame = context()
    messages = [output.make(None, frame) for output in (raw, compressed)]
    assert len(drawn) == 1
    assert (raw.topic, compressed.topic) == ('x', 'x/compressed')
    assert raw.is_optional
    assert compressed.is_optional
    assert messages[1].format == 'rgb8; jpeg compressed bgr8'
    assert messages[0].header == messages[1].header == HEADER
    difference = np.abs(color_from_message(messages[1]).astype(int) - slope(3))
    assert difference.mean() < 3
    raw.make(None, context())
    assert len(drawn) == 2, 'another frame is drawn again'


def test_a_frame_without_an_annotated_image_has_no_compressed_one():
    outputs = color_outputs('x', lambda *_: None)
    assert [output.make(None, context()) for output in outputs] == [None, None]


def test_a_mask_round_trips_as_png():
    (output,) = (o for o in segmentation_node.OUTPUTS if o.topic == 'mask/compressed')
    mask = slope(1)
    msg = output.make(mask, context())
    # As compressed_image_transport writes grey, the space included.
    assert msg.format == 'mono8; png compressed '
    stored = cv2.imdecode(np.frombuffer(msg.data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(stored, mask)


@pytest.mark.parametrize('name', NODES)
def test_every_optional_image_has_a_compressed_topic(name):
    outputs = NODES[name].node_class().outputs
    topics = {o.topic for o in outputs if o.msg_type is CompressedImage}
    colors = {o.topic for o in outputs if o.msg_type is Image and 'image_' in o.topic}
    assert {f'{t}/compressed' for t in colors if 'rect_raw' not in t} <= topics
    assert all(o.is_optional for o in outputs if o.topic in topics)


@pytest.mark.parametrize(
    ('topic', 'patterns', 'is_unwanted'),
    [
        ('/a/x', ['/a/.*'], False),
        ('/a/x/compressed', ['/a/.*'], True),
        ('/a/x/compressed', ['/a/.*', '/a/x/compressed'], False),
        ('/a/alone/compressed', ['/a/.*'], False),
    ],
)
def test_the_recorder_skips_compressed_topics_of_raw_images(topic, patterns, is_unwanted):
    topics = ['/a/x', '/a/x/compressed', '/a/alone/compressed']
    assert is_unwanted_twin(topic, topics, patterns) == is_unwanted
