"""Messages with people blurred."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')

from rclpy.serialization import deserialize_message, serialize_message
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.images.compressed import (
    encode_compressed_color,
    encode_compressed_depth,
)
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.nodes.recorded_blur import MessageBlur
from rs_ml_perception.ros.output.images import compressed_image, image
from sensor_msgs.msg import CompressedImage, Image, PointCloud2, PointField
from std_msgs.msg import Header, String

pytestmark = pytest.mark.ros

HEADER = Header(frame_id='camera')
GREY = np.full((32, 32), 100, np.uint8)
RGB = np.repeat(GREY[..., None], 3, axis=2)
DEPTH = np.full((32, 32), 1000, np.uint16)


def bgr8():
    msg = image(RGB, 'rgb8', HEADER)
    msg.encoding = 'bgr8'
    return msg


def darkened(rgb):
    return rgb // 2


def recorded(message, blur=darkened, topic='/camera/image_raw'):
    name = f'{type(message).__module__.split(".")[0]}/msg/{type(message).__name__}'
    data = serialize_message(message)
    return data, MessageBlur(blur)(topic, name, data)


@pytest.mark.parametrize(
    ('message', 'expected'),
    [
        (image(RGB, 'rgb8', HEADER), 'rgb8'),
        (bgr8(), 'rgb8'),
        (image(GREY, 'mono8', HEADER), 'mono8'),
    ],
)
def test_images(message, expected):
    _, data = recorded(message)
    msg = deserialize_message(data, Image)
    assert (msg.encoding, msg.header) == (expected, HEADER)
    assert set(msg.data) == {50}


def test_compressed_images():
    _, data = recorded(compressed_image(encode_compressed_color(RGB), HEADER))
    msg = deserialize_message(data, CompressedImage)
    assert msg.header == HEADER
    _, again = recorded(msg, lambda rgb: np.full_like(rgb, rgb.mean().round()))
    assert abs(len(again) - len(data)) < 100


@pytest.mark.parametrize(
    ('message', 'topic'),
    [
        (image(DEPTH, '16UC1', HEADER), '/camera/depth/image_rect_raw'),
        (image(GREY, 'mono8', HEADER), '/rs_ml/segmentation/mask'),
        (image(GREY, 'mono8', HEADER), '/rs_ml/denoise/depth/confidence'),
        (
            compressed_image(encode_compressed_depth(DepthImage(DEPTH, 0.001)), HEADER),
            '/camera/depth/image_rect_raw/compressedDepth',
        ),
        (PointCloud2(fields=[PointField(name='x')]), '/camera/points'),
        (String(data='people'), '/words'),
    ],
)
def test_what_shows_nobody_keeps_its_bytes(message, topic):
    before, after = recorded(message, topic=topic)
    assert after == before


def test_images_without_people_keep_their_bytes():
    before, after = recorded(bgr8(), lambda rgb: rgb.copy())
    assert after == before


def failing(rgb):
    raise InputError('no detector')


@pytest.mark.parametrize(
    ('message', 'blur', 'reason'),
    [
        (image(RGB, 'rgb8', HEADER), failing, 'no detector'),
        (Image(height=1, width=1, encoding='nv12', step=2, data=[0, 0]), darkened, 'nv12'),
        (PointCloud2(fields=[PointField(name='rgb')]), darkened, 'coloured points'),
        (
            CompressedImage(format='jpeg', data=b'broken'),
            darkened,
            'neither JPEG',
        ),
    ],
)
def test_what_cannot_be_blurred_is_refused(message, blur, reason):
    with pytest.raises(InputError, match=reason):
        recorded(message, blur)


def test_video_packets_are_refused():
    with pytest.raises(InputError, match='FFMPEGPacket'):
        MessageBlur(darkened)('/video', 'ffmpeg_image_transport_msgs/msg/FFMPEGPacket', b'')
