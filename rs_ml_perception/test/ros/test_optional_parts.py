"""Optional parts are left out with the reason; a missing required part ends the frame."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import FrameBuilder
from rs_ml_perception.nodes.detection_node import OUTPUTS
from rs_ml_perception.ros.input.samples import FrameSet, ImageSample
from rs_ml_perception.ros.output.outputs import Output, make_messages
from sensor_msgs.msg import CameraInfo, Image

pytestmark = pytest.mark.ros


def output(topic, error=None, *, is_optional=True, message='a message'):
    def make(result, context):
        if error is not None:
            raise error
        return message

    return Output(topic, str, make, is_optional=is_optional)


@pytest.mark.parametrize(
    ('error', 'said'),
    [
        (InputError('no camera_info yet'), 'overlay is left out: no camera_info yet'),
        (ValueError('odd'), 'overlay is left out: ValueError: odd'),
        (ZeroDivisionError('nought'), 'overlay is left out: ZeroDivisionError: nought'),
    ],
)
def test_an_optional_output_that_raises_is_left_out(error, said):
    boxes, markers = output('boxes', is_optional=False), output('markers')
    none = output('none', message=None)
    messages, problems = make_messages(
        [boxes, output('overlay', error), none, markers], 'result', None
    )
    assert [o.topic for o, _ in messages] == ['boxes', 'markers']
    assert problems == [said]


def test_a_required_output_that_raises_ends_the_frame():
    with pytest.raises(ValueError, match='odd'):
        make_messages([output('boxes', ValueError('odd'), is_optional=False)], 'result', None)


def test_only_the_boxes_of_detections_are_required():
    assert [o.topic for o in OUTPUTS if not o.is_optional] == ['detections']


class Broken(ImageSample):
    """Decoding raises an unexpected error."""

    def rgb(self):
        raise ZeroDivisionError('colour')

    def depth(self):
        raise ZeroDivisionError('depth')


def sample(kind, frame_id='camera'):
    msg = Image(width=2, height=2, encoding='rgb8', step=6)
    msg.data.frombytes(bytes(12))
    msg.header.frame_id, msg.header.stamp.sec = frame_id, 1
    return kind(msg)


def build(frames):
    builder = FrameBuilder(frames, lambda *_: None)
    return builder.build(), builder.notes


def test_a_partner_that_cannot_be_decoded_is_left_out():
    color, depth = sample(ImageSample), sample(Broken)
    frame, notes = build(FrameSet(color, color, depth))
    assert (frame.rgb.shape, frame.depth) == ((2, 2, 3), None)
    assert notes == ['ZeroDivisionError: depth']
    with pytest.raises(ZeroDivisionError):
        build(FrameSet(depth, depth))


@pytest.mark.parametrize('slashed', ['color', 'depth'])
def test_a_leading_slash_does_not_change_the_frame(slashed):
    color = sample(ImageSample, '/camera' if slashed == 'color' else 'camera')
    msg = Image(width=2, height=2, encoding='16UC1', step=4)
    msg.data.frombytes(bytes(8))
    msg.header.frame_id = '/camera' if slashed == 'depth' else 'camera'
    frame, notes = build(FrameSet(color, color, ImageSample(msg)))
    assert frame.depth is not None
    assert notes == []


@pytest.mark.parametrize('has_depth', [True, False])
def test_an_unknown_distortion_model_leaves_out_positions_only(has_depth):
    """Monocular depth still uses the focal lengths."""
    color = sample(ImageSample)
    info = CameraInfo(width=2, height=2, distortion_model='mystery', d=[0.1])
    info.k = [2.0, 0.0, 1.0, 0.0, 2.0, 1.0, 0.0, 0.0, 1.0]
    msg = Image(width=2, height=2, encoding='16UC1', step=4)
    msg.data.frombytes(bytes(8))
    msg.header.frame_id = 'camera'
    depth = ImageSample(msg) if has_depth else None
    frame, notes = build(FrameSet(color, color, depth, color_info=info))
    assert (frame.camera is None) == has_depth
    assert frame.image_camera is not None, 'its focal lengths hold'
    assert (frame.depth is None) != has_depth, 'networks that look at depth need no lens'
    assert bool(notes) == has_depth
