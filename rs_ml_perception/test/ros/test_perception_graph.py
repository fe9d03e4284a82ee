"""Several nodes in one process: one subscription per topic, the same results as separately."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rclpy.parameter import Parameter
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.nodes.detection_node import DetectionNode, DetectionParameters
from rs_ml_perception.nodes.height_node import HeightNode, HeightParameters
from rs_ml_perception.nodes.perception_graph import make_graph
from rs_ml_perception.nodes.segmentation_node import SegmentationNode
from rs_ml_perception.nodes.table import NODES, camera_inputs
from rs_ml_perception.recordings.frames import frames
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.ros.input.detections_synchronizer import LocalDetections
from rs_ml_perception.ros.input.hub import CameraHub
from rs_ml_perception.ros.input.topics import DETECTIONS
from rs_ml_perception.ros.output.images import camera_info, image
from rs_ml_perception.tasks import height
from sensor_msgs.msg import CameraInfo, Image

from rs_ml_msgs.msg import DetectionArray, PersonHeightArray

pytestmark = pytest.mark.ros

OTHER = {'default_name': 'segmentation', 'on_published': lambda *_: None}


@pytest.fixture
def graph(rig, fake_pipeline):
    """Detection, height and a second detection named segmentation around one hub."""
    owner = rig.plain_node('perception_graph')
    hub = CameraHub(owner)
    hub.local_detections = LocalDetections(owner, DETECTIONS)
    fakes = {name: fake_pipeline() for name in ('detection', 'segmentation')}
    nodes = {
        'detection': rig.add(
            DetectionNode, hub, load=lambda _: fakes['detection'], max_age_secs=0.0
        ),
        'height': rig.add(HeightNode, hub, max_age_secs=0.0),
        'segmentation': rig.add(
            type('Other', (DetectionNode,), OTHER),
            hub,
            load=lambda _: fakes['segmentation'],
            max_age_secs=0.0,
        ),
    }
    for name, fake in fakes.items():
        nodes[name].fake = fake
    rig.camera.announce()
    return nodes


def subscribers(rig):
    """Topic -> number of subscriptions, of those topics that have any."""
    counts = {topic: rig.observer.count_subscribers(f'/rs_ml/{topic}') for topic in INPUTS}
    return {topic: count for topic, count in counts.items() if count}


INPUTS = (*camera_inputs(), DETECTIONS)


def test_each_topic_is_subscribed_to_once(rig, graph):
    assert subscribers(rig) == {}
    expected = {
        'color/image_raw': 1,
        'color/camera_info': 1,
        'aligned_depth_to_color/image_raw': 1,
        'depth/camera_info': 1,
    }
    graph['detection'].start()
    rig.until(lambda: subscribers(rig) == expected, subscribers(rig))
    for name in ('height', 'segmentation'):
        graph[name].start()
    expected['accel/sample'] = 1
    rig.until(lambda: subscribers(rig) == expected, subscribers(rig))
    graph['detection'].trigger_deactivate()
    rig.spin_some()
    assert subscribers(rig) == expected, 'a deactivated node only detaches'
    for name in ('height', 'segmentation'):
        graph[name].trigger_deactivate()
    rig.until(lambda: subscribers(rig) == {}, 'nothing')


def test_detections_are_passed_inside_the_process(rig, graph, monkeypatch):
    def placed_twice(*_):
        raise AssertionError('the detection node has placed them in the same depth')

    monkeypatch.setattr(height, 'place_detections', placed_twice)
    for node in graph.values():
        node.start()
    rig.until(rig.is_listening, 'subscriptions')
    heights = rig.collect(PersonHeightArray, '/rs_ml/height/heights')
    rig.until(lambda: graph['height'].is_wanted('heights'), 'observer')
    sent = [rig.camera.frame(0)]
    for number in range(1, 8):
        rig.until(lambda n=number: len(heights) == n, 'heights')
        # Its worker drops a frame that the next one overtakes.
        rig.settled(graph['segmentation'], number)
        sent.append(rig.camera.frame(number))
    rig.until(lambda: len(heights) == 8, 'heights')
    assert rig.observer.count_subscribers('/rs_ml/detection/detections') == 0
    assert [h.header for h in heights] == [rig.camera.header(ns) for ns in sent]
    assert all(h.heights[0].position.z == pytest.approx(2.0) for h in heights)
    rig.settled(graph['segmentation'], 8)
    for node in graph.values():
        counts = rig.settled(node, 8)
        assert (counts.received, counts.published) == (8, 8)


def test_images_are_decoded_once_and_shared(rig, graph, monkeypatch):
    from rs_ml_perception.ros.input import samples

    counts = Counter()
    decode = samples.decode_color
    monkeypatch.setattr(
        samples, 'decode_color', lambda msg: (counts.update(['color']), decode(msg))[1]
    )
    for node in graph.values():
        node.start()
    rig.until(rig.is_listening, 'subscriptions')
    for number in range(4):
        rig.camera.frame(number)
        for node in graph.values():
            rig.settled(node, number + 1)
    assert counts['color'] == 4
    first, second = (graph[name].fake.frames[0].rgb for name in ('detection', 'segmentation'))
    assert first is second


def test_a_slow_node_does_not_delay_the_others(rig, graph):
    for node in graph.values():
        node.start()
    rig.until(rig.is_listening, 'subscriptions')
    slow = graph['segmentation']
    slow.fake.gate.clear()
    for number in range(10):
        rig.camera.frame(number)
        rig.settled(graph['detection'], number + 1)
        rig.settled(graph['height'], number + 1)
    assert graph['detection'].counters.snapshot().published == 10
    assert graph['height'].counters.snapshot().published == 10
    slow.fake.gate.set()
    counts = rig.settled(slow, 10)
    assert counts.published + counts.dropped['superseded'] == 10


def test_height_says_that_detection_does_not_run(rig, graph):
    graph['height'].start()
    assert (
        'nobody publishes /rs_ml/detection/detections'
        in graph['height'].input_state().no_publisher
    )
    graph['detection'].start()
    rig.until(lambda: not graph['height'].input_state().no_publisher, 'detection')


def test_heights_stop_and_resume_with_detection(rig, graph):
    for node in graph.values():
        node.start()
    rig.until(rig.is_listening, 'subscriptions')
    rig.camera.frame(0)
    rig.settled(graph['height'], 1)
    graph['detection'].trigger_deactivate()
    rig.camera.frame(1)
    rig.settled(graph['segmentation'], 2)
    assert graph['height'].counters.snapshot().received == 1
    graph['detection'].trigger_activate()
    rig.camera.frame(2)
    assert rig.settled(graph['height'], 2).published == 2


def test_an_inactive_height_node_costs_nothing(rig, graph):
    graph['detection'].start()
    graph['height'].start()
    rig.until(rig.is_listening, 'subscriptions')
    graph['height'].trigger_deactivate()
    assert not graph['detection'].hub.local_detections.has_listener
    rig.camera.frame(0)
    assert rig.settled(graph['detection'], 1).published == 1
    assert graph['height'].counters.snapshot().received == 0
    graph['height'].trigger_activate()
    rig.camera.frame(1)
    assert rig.settled(graph['height'], 1).published == 1


@pytest.mark.parametrize('name', NODES)
def test_the_table_lists_the_inputs_of_each_node(rig, name):
    """The real node subscribes to the inputs of the table, and to no other."""
    spec = NODES[name]

    class Nothing:
        title, backend, labels, options, concerns = '', '', {}, None, ()

        def describe(self):
            return {}

        def warm_up(self):
            return 0.0

        def readings(self):
            return {}

        def reset(self):
            pass

        def close(self):
            pass

    found = set()
    for depth in ('aligned', 'raw'):
        node_class = type('Bare', (spec.node_class(),), {'announce': lambda _: None})
        own = {} if name == 'height' else {'load': lambda _: Nothing()}
        if name == 'denoise':
            own['infrared'] = 'require'  # auto subscribes only if there is a publisher
        node = rig.add(node_class, depth_source=depth, **own)
        node.start()
        assert node.phase == 'active', node.failure
        found |= {topic for topic in INPUTS if rig.observer.count_subscribers(f'/rs_ml/{topic}')}
        if node.hub.extrinsics is None:
            found |= {t for t in spec.inputs if t == 'extrinsics/depth_to_color'}
        if name == 'height':
            node.activation.source.want_color_while(lambda: True)
            node.activation.source.tick()
            found |= {t for t in INPUTS if rig.observer.count_subscribers(f'/rs_ml/{t}')}
        node.stop()
        rig.executor.remove_node(node)
        rig.perception.remove(node)
        node.destroy_node()
    unplaced = {'depth/camera_info'} - set(spec.inputs)
    assert found - unplaced == {*spec.inputs, *spec.inner_inputs}


class Lockstep:
    """Publishes recorded frames and keeps the results of each."""

    def __init__(self, rig):
        self.rig = rig
        self.detections = rig.collect(DetectionArray, '/rs_ml/detection/detections')
        self.heights = rig.collect(PersonHeightArray, '/rs_ml/height/heights')
        rig.camera.announce()
        rig.until(rig.is_listening, 'nodes')

    def warm_up(self, frame):
        """Send until heights arrive, as discovery between processes cannot be observed.

        The stamps lie in the future, so that the next frames start a new time line.
        """
        later = (replace(frame, stamp_ns=frame.stamp_ns + n * 10**9) for n in range(1000, 2000))
        while not self.heights:
            self._publish(next(later))
            self.rig.spin_some(50)
        self.rig.spin_some(50)
        self.heights.clear()
        self.detections.clear()

    def send(self, frame):
        count = len(self.heights) + 1
        self._publish(frame)
        self.rig.until(lambda: len(self.heights) == len(self.detections) == count, 'results')

    def _publish(self, frame):
        camera = self.rig.camera
        header = camera.header(frame.stamp_ns, frame.frame_id)
        info = camera_info(frame.camera, header)
        depth = image(np.ascontiguousarray(frame.depth.values), '16UC1', header)
        camera.publisher('color/camera_info', CameraInfo).publish(info)
        camera.publisher('aligned_depth_to_color/image_raw', Image).publish(depth)
        camera.publisher('color/image_raw', Image).publish(image(frame.rgb, 'rgb8', header))


def renumbered(detections, heights):
    """Messages as text with renumbered tracks, as the warm-up used a varying number of them."""
    boxes = [d for m in detections for d in m.detections]
    boxes += [h.detection for m in heights for h in m.heights]
    numbers = {track: n for n, track in enumerate(dict.fromkeys(d.track_id for d in boxes))}
    for box in boxes:
        box.track_id = numbers[box.track_id]
    return [str(message) for message in (*detections, *heights)]


def test_composed_and_separate_processes_agree(make_rig, start_process, data_file):
    """Real frames through a real model: the same messages, field by field."""
    with open_recording(data_file('recordings/nyu_people')) as recording:
        recorded = [frame for _, frame in zip(range(6), frames(recording), strict=False)]
    models = {'RS_ML_MODEL_PATH': str(data_file('models'))}
    common = ['-p', 'model:=centernet_mnv3_coco', '-p', 'max_age_secs:=0.0']
    ways = {
        'composed': [['perception_graph', '-p', 'nodes:=[detection, height]']],
        'separate': [['detection_node'], ['height_node']],
    }
    found = {}
    for way, processes in ways.items():
        rig = make_rig()
        for module, *rules in processes:
            words = ['-m', f'rs_ml_perception.nodes.{module}', '--ros-args', *rules, *common]
            started = start_process(*words, ROS_DOMAIN_ID=str(rig.domain), **models)
            started.wait_for('configured')
        lockstep = Lockstep(rig)
        lockstep.warm_up(recorded[0])
        for frame in recorded:
            lockstep.send(frame)
        found[way] = lockstep.detections, lockstep.heights
    assert sum(len(m.detections) for m in found['composed'][0]) > 4
    assert sum(len(m.heights) for m in found['composed'][1]) > 2
    composed, separate = (renumbered(*found[way]) for way in ways)
    assert composed == separate


def graph_of(rig, monkeypatch, fake_pipeline, **parameters):
    """The nodes that the executable makes, around fake pipelines."""
    monkeypatch.setattr(DetectionNode, 'load_pipeline', staticmethod(lambda _: fake_pipeline()))
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    nodes, owners = make_graph(context=rig.context, parameter_overrides=overrides)
    for node in (*nodes, *owners):
        rig.executor.add_node(node)
    rig.perception += nodes
    rig._plain += owners
    return nodes


def test_cameras_in_one_process_have_their_nodes_in_namespaces(rig, monkeypatch, fake_pipeline):
    given = {'namespaces': ['/rs_ml/front', '/rear'], 'nodes': ['detection'], 'max_age_secs': 0.0}
    nodes = graph_of(rig, monkeypatch, fake_pipeline, **given)
    names = [node.get_fully_qualified_name() for node in nodes]
    assert names == ['/rs_ml/front/detection', '/rear/detection']
    assert nodes[0].hub is not nodes[1].hub
    owner = rig.plain_node('cameras')
    cameras = [type(rig.camera)(owner, f'{name}/') for name in given['namespaces']]
    found = [rig.collect(DetectionArray, f'{name}/detections') for name in names]
    for node, camera in zip(nodes, cameras, strict=True):
        camera.announce(depth='')
        node.start()
        for topic in ('color/image_raw', 'color/camera_info'):
            publisher = camera.publisher(topic, None)
            rig.until(lambda p=publisher: p.get_subscription_count() == 1, topic)
        rig.until(lambda n=node: n.is_wanted('detections'), 'observer')
    sent = [camera.frame(n, depth='') for n, camera in enumerate(cameras)]
    rig.until(lambda: all(found), 'detections')
    assert [m.header for (m,) in found] == [rig.camera.header(ns) for ns in sent]


def test_a_camera_may_have_the_namespace_of_the_graph(rig, monkeypatch, fake_pipeline):
    given = {'namespaces': ['/rs_ml', '/rs_ml/rear'], 'nodes': ['detection']}
    nodes = graph_of(rig, monkeypatch, fake_pipeline, **given)
    names = [node.get_fully_qualified_name() for node in nodes]
    assert names == ['/rs_ml/detection', '/rs_ml/rear/detection']
    assert len(rig._plain) == 4, 'observer, camera, and an owner for each camera'


def test_cores_are_shared_by_networks_not_by_cameras(rig, monkeypatch, fake_pipeline):
    monkeypatch.setattr('os.sched_getaffinity', lambda _: range(8))
    given = {'namespaces': ['/a', '/b'], 'nodes': ['detection', 'height', 'segmentation']}
    nodes = graph_of(rig, monkeypatch, fake_pipeline, **given)
    assert len(nodes) == 6
    assert {node.hub.inference_threads for node in nodes} == {4}


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        ({'namespaces': ['/a', '/a']}, 'namespaces must differ, got /a, /a'),
        ({'namespaces': ['/a'], 'nodes': ['hight']}, "nodes must be some of .*got \\['hight'\\]"),
    ],
)
def test_a_wrong_graph_is_refused(rig, monkeypatch, fake_pipeline, given, message):
    with pytest.raises(ConfigError, match=message):
        graph_of(rig, monkeypatch, fake_pipeline, **given)


def test_a_graph_of_several_tasks_segments_too(rig):
    """Nodes of another kind share the stream without knowing each other."""
    owner = rig.plain_node('perception_graph')
    hub = CameraHub(owner)
    options = SegmentationNode(hub, context=rig.context).parameters.streams
    stream = hub.images('color/image_raw', options)
    assert hub.images('color/image_raw', options) is stream
    assert hub.images('color/image_raw', replace(options, max_skew_ms=5.0)) is stream
    assert hub.images('color/image_raw', replace(options, reliability='reliable')) is not stream


@pytest.mark.parametrize(
    ('chosen', 'share', 'expected'), [(0, 0, 0), (0, 2, 2), (3, 0, 3), (3, 2, 3)]
)
def test_threads_are_shared_unless_chosen(chosen, share, expected):
    parameters = DetectionParameters(threads=chosen)
    assert parameters.with_threads(share).threads == expected


def test_a_node_without_a_network_takes_no_threads():
    assert HeightParameters().with_threads(2) == HeightParameters()
