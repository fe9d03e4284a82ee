"""How many files a reader opens to follow an image from its topic to its detections."""

import pytest

from tools.live_image import trace_live_image

pytestmark = pytest.mark.ros

MAX_FILES = 28


def test_the_way_of_an_image_is_short():
    pytest.importorskip('rclpy')
    way = trace_live_image()
    assert 'nodes/detection_node.py' in way.files
    assert len(way.files) <= MAX_FILES, way.files
