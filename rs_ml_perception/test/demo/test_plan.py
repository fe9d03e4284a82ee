"""How the nodes are started on a recording, by what it holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.demo.plan import make_plan
from rs_ml_perception.nodes.parameter_file import given_values
from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.recordings.messages import IMAGE, IMU
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.recordings.writer import RecordingWriter

from rs_ml_perception.recordings import message_factory as factory

COLOR, RAW, INFRA = 'color/image_raw', 'depth/image_rect_raw', 'infra1/image_rect_raw'
ALIGNED = 'aligned_depth_to_color/image_raw'
ENCODINGS = {COLOR: ('rgb8', (2, 2, 3)), INFRA: ('mono8', (2, 2))}


@pytest.fixture
def plan_of(tmp_path):
    """Topics -> plan of all nodes for a recording that holds them."""

    def make(*topics):
        with RecordingWriter(tmp_path / 'bag') as writer:
            for topic in topics:
                encoding, shape = ENCODINGS.get(topic, ('16UC1', (2, 2)))
                dtype = np.uint16 if encoding == '16UC1' else np.uint8
                writer.add_topic(f'/c/{topic}', IMAGE)
                header = factory.header(1, 'optical')
                content = factory.image(header, encoding, np.zeros(shape, dtype))
                writer.write_message(f'/c/{topic}', 1, content)
        with open_recording(tmp_path / 'bag') as recording:
            return make_plan(recording, tuple(NODES))

    return make


@pytest.mark.parametrize(
    ('topics', 'left_out', 'sources'),
    [
        ([COLOR], {'height', 'denoise'}, {'detection': 'none'}),
        ([COLOR, ALIGNED], set(), {'detection': 'aligned', 'denoise': 'aligned'}),
        ([COLOR, RAW, INFRA], set(), {'detection': 'raw', 'denoise': 'raw'}),
        ([COLOR, ALIGNED, RAW, INFRA], set(), {'detection': 'aligned', 'denoise': 'raw'}),
        ([RAW], {'detection', 'height', 'mono_depth', 'segmentation'}, {'denoise': 'raw'}),
    ],
)
def test_each_node_gets_the_depth_it_needs(plan_of, tmp_path, topics, left_out, sources):
    plan = plan_of(*topics)
    assert set(plan.left_out) == left_out
    assert set(plan.nodes) == set(NODES) - left_out
    words = plan.ros_args('', tmp_path / 'recording.yaml')
    for node, source in sources.items():
        written = given_values(node, str(tmp_path / 'recording.yaml'))
        assert (written['depth_source'], written['use_sim_time']) == (source, True)
    for topic in topics:
        assert f'{topic}:=/c/{topic}' in words


def test_topics_that_ros_cannot_publish_are_refused(tmp_path):
    with RecordingWriter(tmp_path / 'bag') as writer:
        topic = '/front-camera/color/image_raw'
        writer.add_topic(topic, IMAGE)
        content = factory.image(factory.header(1, 'f'), 'rgb8', np.zeros((2, 2, 3), np.uint8))
        writer.write_message(topic, 1, content)
    with (
        open_recording(tmp_path / 'bag') as recording,
        pytest.raises(InputError, match=r'/front-camera/color/image_raw .* `rs-ml process`'),
    ):
        make_plan(recording, tuple(NODES))


def test_a_recording_without_any_image_is_refused(tmp_path):
    with RecordingWriter(tmp_path / 'bag') as writer:
        writer.add_topic('/c/accel/sample', IMU)
        content = factory.imu(factory.header(1, 'optical'), np.zeros(3), np.zeros(3))
        writer.write_message('/c/accel/sample', 1, content)
    with (
        open_recording(tmp_path / 'bag') as recording,
        pytest.raises(InputError, match='no colour images, only /c/accel/sample'),
    ):
        make_plan(recording, tuple(NODES))


USER = """
/**:
  ros__parameters: {depth_source: none, use_sim_time: false}
/rs_ml/detection:
  ros__parameters: {max_skew_ms: 7.0, static_transforms: ["map cam 1 0 0 0 0 0 1"]}
"""


def user_file(tmp_path, text=USER):
    path = tmp_path / 'user.yaml'
    path.write_text(text)
    return str(path)


def test_what_the_user_says_wins_over_what_the_recording_asks_for(plan_of, tmp_path):
    recorded = ('cam rgb 0 0 0 0 0 0 1', 'old cam 9 9 9 0 0 0 1')
    plan = replace(plan_of(COLOR, ALIGNED), static_transforms=recorded, max_skew_ms=40.0)
    found = plan.parameters('detection', user_file(tmp_path))
    assert found == {
        'use_sim_time': True,
        'static_transforms': [recorded[0], 'map cam 1 0 0 0 0 0 1'],
    }
    assert plan.parameters('height', user_file(tmp_path)) == {
        'max_skew_ms': 40.0,
        'use_sim_time': True,
        'static_transforms': list(recorded),
    }


def test_the_parameters_reach_the_nodes(plan_of, tmp_path):
    """In what order ROS applies the blocks of two files is its own affair: ask a node."""
    rclpy = pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
    plan = replace(plan_of(COLOR, ALIGNED), static_transforms=('cam rgb 0 0 0 0 0 0 1',))
    args = plan.ros_args(user_file(tmp_path), tmp_path / 'recording.yaml')
    context = rclpy.Context()
    rclpy.init(args=['--ros-args', *args], context=context)
    try:
        node = rclpy.create_node('detection', namespace='/rs_ml', context=context)
        given = {name: p.value for name, p in node._parameter_overrides.items()}
        node.destroy_node()
    finally:
        rclpy.try_shutdown(context=context)
    transforms = given.pop('static_transforms')
    assert transforms == ['cam rgb 0 0 0 0 0 0 1', 'map cam 1 0 0 0 0 0 1']
    assert given == {
        'depth_source': 'none',
        'use_sim_time': True,
        'max_skew_ms': 7.0,
        'max_age_secs': 0.0,
    }
