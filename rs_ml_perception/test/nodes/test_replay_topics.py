"""Which topics are counted as frames of the nodes that listen."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')

from rs_ml_perception.nodes.replay_topics import primary_topics
from rs_ml_perception.recordings.messages import IMAGE
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.recordings.writer import RecordingWriter

from rs_ml_perception.recordings import message_factory as factory

COLOR, RAW = '/c/color/image_raw', '/c/depth/image_rect_raw'
ALIGNED = '/c/aligned_depth_to_color/image_raw'
PIXELS = {COLOR: ('rgb8', np.zeros((2, 2, 3), np.uint8))}


@pytest.mark.parametrize(
    ('topics', 'nodes', 'expected'),
    [
        ([COLOR, RAW], [], [COLOR]),
        ([COLOR, RAW], ['/rs_ml/detection'], [COLOR]),
        ([COLOR, RAW], ['/rs_ml/detection', '/rs_ml/denoise'], [COLOR, RAW]),
        ([COLOR, RAW, ALIGNED], ['/rs_ml/denoise', '/rs_ml/stranger'], [COLOR, RAW]),
        ([COLOR, RAW], ['/rs_ml/denoise'], [RAW]),
        ([COLOR, ALIGNED], ['/rs_ml/denoise'], [ALIGNED]),
        ([COLOR], ['/rs_ml/denoise'], []),
        ([RAW], [], [RAW]),
        ([RAW], ['/rs_ml/height', '/rs_ml/denoise'], [RAW]),
    ],
)
def test_primary_topics(tmp_path, topics, nodes, expected):
    with RecordingWriter(tmp_path / 'bag') as writer:
        for topic in topics:
            encoding, pixels = PIXELS.get(topic, ('16UC1', np.zeros((2, 2), np.uint16)))
            writer.add_topic(topic, IMAGE)
            content = factory.image(factory.header(1, 'optical'), encoding, pixels)
            writer.write_message(topic, 1, content)
    with open_recording(tmp_path / 'bag') as recording:
        assert primary_topics(recording, nodes) == expected
