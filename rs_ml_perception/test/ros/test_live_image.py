"""The number of files that an image passes from its topic to its detections."""

import pytest

from tools.live_image import trace_live_image

pytestmark = pytest.mark.ros

MAX_FILES = 28


def test_a_live_image_passes_few_files():
    pytest.importorskip('rclpy')
    way = trace_live_image()
    assert 'nodes/detection_node.py' in way.files
    assert len(way.files) <= MAX_FILES, way.files
