"""How the nodes are started on a recording, by what it holds."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.demo.plan import make_plan
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
    words = plan.ros_args('')
    for node, source in sources.items():
        assert f'{node}:depth_source:={source}' in words
    for topic in topics:
        assert f'{topic}:=/c/{topic}' in words


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
