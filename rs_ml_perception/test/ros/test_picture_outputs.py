"""Pictures, raw and compressed."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

import cv2
import numpy as np
from rs_ml_perception.core.frames.messages import color_from_message
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.nodes.record_node import is_unwanted_twin
from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.ros import segmentation_outputs
from rs_ml_perception.ros.outputs import OutputContext
from rs_ml_perception.ros.picture_outputs import color_outputs
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

pytestmark = pytest.mark.ros

HEADER = Header(frame_id='camera')


def context():
    nothing = dict.fromkeys(('frame', 'parameters', 'pipeline', 'target'))
    return OutputContext(header=HEADER, labels=LabelMap({}), **nothing)


def slope(channels):
    ramp = np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))
    return np.dstack([ramp, 255 - ramp, ramp]) if channels == 3 else ramp


def test_a_colour_picture_comes_as_jpeg_too_and_is_drawn_once():
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
    assert len(drawn) == 2, 'another frame is drawn anew'


def test_a_frame_without_a_picture_has_none_compressed():
    outputs = color_outputs('x', lambda *_: None)
    assert [output.make(None, context()) for output in outputs] == [None, None]


def test_a_mask_survives_as_png():
    (output,) = (o for o in segmentation_outputs.OUTPUTS if o.topic == 'mask/compressed')
    mask = slope(1)
    msg = output.make(mask, context())
    # As compressed_image_transport writes grey, the space included.
    assert msg.format == 'mono8; png compressed '
    stored = cv2.imdecode(np.frombuffer(msg.data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(stored, mask)


@pytest.mark.parametrize('name', NODES)
def test_every_optional_picture_has_a_compressed_twin(name):
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
def test_the_recorder_leaves_out_what_is_recorded_raw(topic, patterns, is_unwanted):
    topics = ['/a/x', '/a/x/compressed', '/a/alone/compressed']
    assert is_unwanted_twin(topic, topics, patterns) == is_unwanted
