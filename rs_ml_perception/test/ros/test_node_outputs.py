"""Outputs: unchanged headers, empty results, optional topics only while subscribed."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

import numpy as np
from rs_ml_perception.core.frames.messages import color_from_message
from rs_ml_perception.core.objects.labels import LabelMap, class_color
from rs_ml_perception.nodes.height_node import HeightNode
from rs_ml_perception.nodes.mono_depth_node import MonoDepthNode
from rs_ml_perception.nodes.segmentation_node import SegmentationNode
from rs_ml_perception.ros.input.samples import ImageSample
from rs_ml_perception.tasks.depth_alignment import Alignment
from rs_ml_perception.tasks.mono_depth import DepthEstimate
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from visualization_msgs.msg import MarkerArray

from rs_ml_msgs.msg import DetectionArray, LabelInfo, SegmentRegionArray

pytestmark = pytest.mark.ros

DETECTION = '/rs_ml/detection'
FRAME = 'camera_color_optical_frame'


def observed(rig, node, topic, msg_type, **options):
    """Messages of an output, once it is matched."""
    name = f'{node.get_fully_qualified_name()}/{topic}'
    messages = rig.collect(msg_type, name, **options)
    rig.until(lambda: node.is_wanted(topic), f'match of {name}')
    return messages


def test_empty_detections_are_published(rig, fake_pipeline):
    fake = fake_pipeline()
    fake.boxes = []
    node = rig.started(rig.detection(fake))
    messages = observed(rig, node, 'detections', DetectionArray)
    ns = rig.camera.frame(0)
    rig.until(lambda: messages, 'empty detections')
    msg = messages[0]
    assert list(msg.detections) == []
    assert (msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec) == ns
    assert (msg.header.frame_id, msg.image_width, msg.image_height) == (FRAME, 64, 48)
    assert (msg.model, msg.position_frame_id) == ('fake 1.0', FRAME)


def test_detections_carry_the_header_and_a_position(rig):
    node = rig.started(rig.detection())
    messages = observed(rig, node, 'detections', DetectionArray)
    rig.camera.info(1)
    header = rig.camera.header(1_700_000_000_123_456_789, 'a frame/with odd name')
    rig.camera.depth(1, header=header, depth_mm=2000)
    rig.camera.color(1, header=header)
    rig.until(lambda: messages, 'detections')
    assert messages[0].header == header
    found = messages[0].detections[0]
    assert (found.label, found.class_id, found.track_id) == ('person', 1, found.track_id)
    assert (found.x_min, found.y_min, found.x_max, found.y_max) == (16.0, 12.0, 48.0, 36.0)
    assert found.has_position
    assert found.position.z == pytest.approx(2.0)
    assert found.position.x == pytest.approx(0.0, abs=0.04)
    assert found.width_m == pytest.approx(2.0 * 32 / 60, rel=0.06)


def test_optional_outputs_are_made_only_while_subscribed(rig, monkeypatch):
    from rs_ml_perception.nodes import detection_node

    made = []
    draw = detection_node.annotate_detections
    monkeypatch.setattr(
        detection_node, 'annotate_detections', lambda *a: made.append(1) or draw(*a)
    )
    node = rig.started(rig.detection())
    for number in range(3):
        rig.camera.frame(number)
        rig.settled(node, number + 1)
    assert made == []
    annotated = observed(rig, node, 'image_annotated', Image)
    compressed = observed(rig, node, 'image_annotated/compressed', CompressedImage)
    markers = observed(rig, node, 'markers', MarkerArray)
    ns = rig.camera.frame(3)
    rig.until(lambda: annotated and compressed and markers, 'extras')
    assert len(made) == 1, 'drawn once for both'
    assert color_from_message(compressed[0]).shape == (48, 64, 3)
    assert annotated[0].encoding == 'rgb8'
    assert annotated[0].header.stamp.nanosec == ns % 10**9
    assert np.frombuffer(annotated[0].data, np.uint8).any(), 'a box is drawn on black'
    assert len(markers[0].markers) == 3
    for subscription in tuple(rig.observer.subscriptions):
        rig.observer.destroy_subscription(subscription)
    rig.until(lambda: not node.is_wanted('image_annotated'), 'the end of the subscription')
    rig.camera.frame(4)
    rig.settled(node, 5)
    assert len(made) == 1


def test_label_info_reaches_late_subscribers(rig):
    node = rig.started(rig.detection())
    rig.camera.frame(0)
    rig.settled(node, 1)
    messages = rig.collect(LabelInfo, f'{DETECTION}/label_info', is_latched=True)
    rig.until(lambda: messages, 'labels')
    info = messages[0]
    assert (info.model, list(info.class_ids), info.names) == (
        'fake 1.0',
        [1, 2],
        ['person', 'cat'],
    )
    color = info.colors[0]
    assert [round(255 * c) for c in (color.r, color.g, color.b)] == list(class_color(1))
    node.trigger_deactivate()
    node.trigger_cleanup()
    node.trigger_configure()
    rig.until(lambda: len(messages) == 2, 'labels of the newly loaded model')


def test_target_frame_moves_positions_and_unknown_ones_are_noted(rig):
    node = rig.started(
        rig.detection(
            target_frame='map', static_transforms=[f'map {FRAME} 10 0 0 0 0 0 1']
        )
    )  # fmt: skip
    messages = observed(rig, node, 'detections', DetectionArray)
    rig.camera.frame(0)
    rig.until(lambda: messages, 'detections')
    assert messages[0].position_frame_id == 'map'
    assert messages[0].header.frame_id == FRAME
    assert messages[0].detections[0].position.x == pytest.approx(10.0, abs=0.04)
    assert node.target_problem == ''
    assert rig.set_parameter(node, 'target_frame', 'nowhere').successful
    rig.camera.frame(1)
    rig.until(lambda: len(messages) == 2, 'detections')
    assert messages[1].position_frame_id == FRAME
    assert messages[1].detections[0].position.x == pytest.approx(0.0, abs=0.04)
    assert 'nowhere' in node.target_problem


def test_a_node_in_a_graph_brings_its_own_static_transforms(rig):
    """The hub belongs to another node, and still uses the transforms of this one."""
    first = rig.started(rig.detection())
    second = rig.add(HeightNode, first.hub, static_transforms=['map camera 1 2 3 0 0 0 1'])
    second.start()
    assert second.hub.transforms.lookup('map', 'camera', 0).translation_m.tolist() == [1, 2, 3]


def test_shared_images_are_read_only(rig):
    """Nodes of a graph look at the same array."""
    node = rig.started(rig.detection())
    rig.camera.frame(0)
    rig.settled(node, 1)
    with pytest.raises(ValueError, match='read-only'):
        node.fake.frames[0].rgb[:] = 0
    for encoding, channels in (('bgr8', 3), ('mono8', 1), ('bgra8', 4)):
        msg = Image(header=rig.camera.header(1), width=4, height=2, encoding=encoding)
        msg.step = 4 * channels
        msg.data.frombytes(bytes(8 * channels))
        sample = ImageSample(msg)
        assert sample.rgb() is sample.rgb()
        assert not sample.rgb().flags.writeable


def test_vision_msgs_are_published_too(rig):
    vision = pytest.importorskip('vision_msgs.msg', reason='vision_msgs is not installed')
    node = rig.started(rig.detection(publish_vision_msgs=True))
    flat = observed(rig, node, 'vision/detections', vision.Detection2DArray)
    solid = observed(rig, node, 'vision/detections_3d', vision.Detection3DArray)
    labels = rig.collect(vision.LabelInfo, f'{DETECTION}/vision/label_info', is_latched=True)
    rig.camera.frame(0)
    rig.until(lambda: flat and solid and labels, 'vision_msgs')
    assert flat[0].detections[0].bbox.center.position.x == 32.0
    assert flat[0].detections[0].results[0].hypothesis.class_id == 'person'
    assert solid[0].detections[0].bbox.center.position.z == pytest.approx(2.0)
    assert [c.class_name for c in labels[0].class_map] == ['person', 'cat']


def test_vision_msgs_requested_but_not_installed(rig, monkeypatch):
    """One sentence with the apt line, and no publishers left behind."""
    import sys

    monkeypatch.setitem(sys.modules, 'vision_msgs.msg', None)
    node = rig.detection(publish_vision_msgs=True)
    before = len(list(node.publishers))
    node.start()
    assert node.phase == 'unconfigured'
    assert 'apt-get install' in node.failure
    assert len(list(node.publishers)) == before
    assert rig.set_parameter(node, 'publish_vision_msgs', False).successful
    node.start()
    assert node.phase == 'active'


class FakeTask:
    """The part that fake pipelines of the other nodes share."""

    title, backend, labels = 'fake 2.0', 'none', LabelMap({0: 'background', 1: 'chair'})
    options, concerns = None, ()

    def describe(self):
        return {'model': self.title}

    def warm_up(self):
        return 0.0

    def readings(self):
        return {}

    def reset(self):
        pass

    def take_stages(self):
        return {}

    def close(self):
        pass


class FakeDepth(FakeTask):
    def __call__(self, frame):
        depth_m = np.full(frame.rgb.shape[:2], 3.0, np.float32)
        depth_m[0] = np.nan
        return DepthEstimate(depth_m, frame.camera)


class FakeMask(FakeTask):
    def __call__(self, frame):
        mask = np.zeros(frame.rgb.shape[:2], np.uint8)
        mask[10:30, 20:50] = 1
        return mask

    def regions(self, mask, frame):
        from rs_ml_perception.core.objects.regions import find_regions

        return find_regions(mask, frame, ignore=(0, 255))


class AlignedDepth(FakeDepth):
    def __call__(self, frame):
        assert frame.depth is not None
        stddev = np.full(frame.rgb.shape[:2], 0.1, np.float32)
        alignment = Alignment(None, None, 9.0, stddev)
        return replace(
            super().__call__(frame), alignment=alignment, make_relative_stddev=lambda: stddev
        )


def test_aligned_mono_depth_publishes_its_standard_deviation(rig):
    node = rig.add(MonoDepthNode, load=lambda _: AlignedDepth(), max_age_secs=0.0)
    rig.started(node)
    found = observed(rig, node, 'depth/stddev', Image)
    ns = rig.camera.frame(0)
    rig.until(lambda: found, 'standard deviation')
    assert (found[0].header, found[0].encoding) == (rig.camera.header(ns), '32FC1')
    pixels = np.frombuffer(found[0].data, np.float32).reshape(48, 64)
    np.testing.assert_allclose(pixels[1:], 0.3, rtol=1e-5)
    assert any('align_hold_secs' in note for note in node.notes())


@pytest.mark.parametrize(('encoding', 'dtype'), [('32FC1', np.float32), ('16UC1', np.uint16)])
def test_mono_depth_outputs(rig, encoding, dtype):
    node = rig.add(
        MonoDepthNode, load=lambda _: FakeDepth(), max_age_secs=0.0, output_encoding=encoding,
        publish_points=True,
    )  # fmt: skip
    rig.started(node, depth='')
    depths = observed(rig, node, 'depth/image', Image)
    infos = observed(rig, node, 'depth/camera_info', CameraInfo)
    colors = observed(rig, node, 'depth/image_color', Image)
    clouds = observed(rig, node, 'points', PointCloud2)
    ns = rig.camera.frame(0, depth='')
    rig.until(lambda: depths and infos and colors and clouds, 'outputs')
    for msg in (depths[0], infos[0], colors[0], clouds[0]):
        assert msg.header == rig.camera.header(ns)
    pixels = np.frombuffer(depths[0].data, dtype).reshape(48, 64)
    assert depths[0].encoding == encoding
    if encoding == '32FC1':
        assert np.isnan(pixels[0]).all()
        assert (pixels[1:] == 3.0).all()
    else:
        assert (pixels[0] == 0).all()
        assert (pixels[1:] == 3000).all()
    assert infos[0].k[0] == infos[0].p[0] == 60.0
    assert (clouds[0].height, clouds[0].width) == (48, 64)


def test_points_without_camera_info_are_left_out_with_the_reason(rig):
    node = rig.add(
        MonoDepthNode, load=lambda _: FakeDepth(), max_age_secs=0.0, publish_points=True
    )
    rig.camera.publisher('color/image_raw', Image)
    node.start()
    observed(rig, node, 'points', PointCloud2)
    rig.until(lambda: rig.observer.count_subscribers('/rs_ml/color/image_raw'), 'match')
    rig.camera.color(1_700_000_000_000_000_000)
    assert rig.settled(node, 1).published == 1
    assert 'points is left out: points need color/camera_info' in ' '.join(node.shortfalls.latest)


def test_segmentation_outputs(rig):
    node = rig.add(SegmentationNode, load=lambda _: FakeMask(), max_age_secs=0.0)
    rig.started(node)
    masks = observed(rig, node, 'mask', Image)
    regions = observed(rig, node, 'regions', SegmentRegionArray)
    annotated = observed(rig, node, 'image_annotated', Image)
    ns = rig.camera.frame(0)
    rig.until(lambda: masks and regions and annotated, 'outputs')
    assert masks[0].encoding == 'mono8'
    assert np.bincount(np.frombuffer(masks[0].data, np.uint8)).tolist() == [64 * 48 - 600, 600]
    assert regions[0].header == masks[0].header == rig.camera.header(ns)
    region = regions[0].regions[0]
    assert (region.label, region.area_px, region.has_pose) == ('chair', 600, True)
    assert region.pose.position.z == pytest.approx(2.0)
    q = region.pose.orientation
    assert np.hypot(np.hypot(q.x, q.y), np.hypot(q.z, q.w)) == pytest.approx(1.0)
