"""Settings of the nodes for a recording, by its contents."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.launching.inspection import make_plan
from rs_ml_perception.launching.recording_plan import RecordingPlan
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
def test_each_node_gets_the_depth_it_needs(plan_of, topics, left_out, sources):
    plan = plan_of(*topics)
    assert set(plan.left_out) == left_out
    assert set(plan.nodes) == set(NODES) - left_out
    assert {name: plan.own[name]['depth_source'] for name in sources} == sources
    assert plan.remappings == {topic: f'/c/{topic}' for topic in topics}
    assert (plan.frame_id, plan.camera) == ('optical', '')
    assert RecordingPlan.from_json(plan.to_json()) == plan


def test_the_camera_is_named_where_there_are_several(tmp_path):
    with RecordingWriter(tmp_path / 'bag') as writer:
        for topic in ('/left/color/image_raw', '/right/color/image_raw'):
            writer.add_topic(topic, IMAGE)
            content = factory.image(factory.header(1, 'f'), 'rgb8', np.zeros((2, 2, 3), np.uint8))
            writer.write_message(topic, 1, content)
    with open_recording(tmp_path / 'bag', '/right') as recording:
        plan = make_plan(recording, ('detection',))
    assert plan.camera == '/right'
    assert plan.remappings == {'color/image_raw': '/right/color/image_raw'}


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


RECORDED = ['cam rgb 0 0 0 0 0 0 1', 'old cam 9 9 9 0 0 0 1']
BY_HAND = 'map cam 1 0 0 0 0 0 1'


@pytest.mark.parametrize(
    ('name', 'said', 'parameters'),
    [
        ('detection', {}, {'use_sim_time': True, 'max_skew_ms': 40.0,
                           'static_transforms': RECORDED, 'depth_source': 'aligned'}),
        ('mono_depth', {'max_skew_ms': 7.0},
         {'use_sim_time': True, 'static_transforms': RECORDED, 'depth_source': 'aligned'}),
        ('perception_graph', {}, {'use_sim_time': True, 'max_skew_ms': 40.0,
                                  'static_transforms': RECORDED}),
        ('detection', {'use_sim_time': False, 'static_transforms': ['', BY_HAND],
                       'depth_source': 'none', 'max_skew_ms': 0.0},
         {'static_transforms': [RECORDED[0], BY_HAND]}),
    ],
)  # fmt: skip
def test_the_user_overrides_the_recording(plan_of, name, said, parameters):
    shared = {'use_sim_time': True, 'max_skew_ms': 40.0, 'static_transforms': RECORDED}
    plan = replace(plan_of(COLOR, ALIGNED), shared=shared)
    assert plan.parameters(name, said) == parameters


@pytest.mark.parametrize('text', ['', 'null', '[]', '{"nodes": []}', '{"a": 1'])
def test_other_texts_are_refused(text):
    with pytest.raises(InputError, match='no plan of a recording'):
        RecordingPlan.from_json(text)
