"""A segmentation network with a depth input gets depth of either alignment, or none."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from pathlib import Path

from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.inference.manifest import ModelManifest
from rs_ml_perception.inference.preprocess import InputSpec
from rs_ml_perception.nodes.segmentation_node import SegmentationNode
from rs_ml_perception.tasks.segmentation import (
    SegmentationOptions,
    SegmentationPipeline,
    Segmenter,
)
from sensor_msgs.msg import Image

pytestmark = pytest.mark.ros

SIZE = (32, 24)
IDENTITY = 'camera_color_optical_frame camera_depth_optical_frame 0 0 0 0 0 0 1'


class NearAndFar:
    """A network whose class is 1 within 3 m, 2 beyond, 0 where depth is unknown."""

    title, backend_name, concerns = 'near and far 1', 'none', ()

    input_size = SIZE

    def __init__(self):
        self.manifest = ModelManifest(
            directory=Path(),
            name='near and far',
            version='1',
            task='segmentation',
            decoder='class_map',
            artifacts=(),
            inputs=(
                InputSpec('image', size=SIZE),
                InputSpec('depth', size=SIZE, dtype='float32', color='GRAY'),
            ),
            outputs={'mask': 'mask'},
            labels=LabelMap({0: 'unknown', 1: 'near', 2: 'far'}),
        )

    def __call__(self, inputs):
        depth_m = inputs['depth'][..., 0]
        return {'mask': np.where(depth_m > 3, 2, depth_m > 0).astype(np.uint8)}

    def describe(self):
        return {'model': self.title}

    def warm_up(self):
        return 0.0

    def close(self):
        pass


def load(_):
    return SegmentationPipeline(Segmenter(NearAndFar()), SegmentationOptions())


@pytest.mark.parametrize(
    ('depth', 'depth_mm', 'class_id'),
    [('aligned', 2000, 1), ('aligned', 5000, 2), ('raw', 2000, 1), ('', 2000, 0)],
)
def test_depth_reaches_the_network(rig, depth, depth_mm, class_id):
    node = rig.add(SegmentationNode, load=load, max_age_secs=0.0, static_transforms=[IDENTITY])
    rig.started(node, depth=depth)
    masks = rig.collect(Image, '/rs_ml/segmentation/mask')
    rig.until(lambda: node.is_wanted('mask'), 'observer')
    ns = 1_700_000_000_000_000_000
    rig.camera.info(ns)
    if depth:
        rig.camera.depth(ns, depth, depth_mm)
    if depth == 'raw':
        rig.camera.info(ns, 'depth/camera_info')
    rig.camera.color(ns)
    rig.until(lambda: masks, 'mask')
    mask = np.frombuffer(masks[0].data, np.uint8).reshape(48, 64)
    assert masks[0].header == rig.camera.header(ns)
    assert (mask[4:-4, 4:-4] == class_id).all()
