"""Depth as primary stream: the same header, size, unit and intrinsics out as in."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

import numpy as np
from rs_ml_perception.core.images.compressed import (
    encode_compressed_color,
    encode_compressed_depth,
)
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.nodes.denoise_node import DenoiseNode
from rs_ml_perception.tasks.denoise import DenoisePipeline, Denoiser
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

pytestmark = pytest.mark.ros

WIDTH, HEIGHT = 64, 48
START_NS, PERIOD_NS = 1_700_000_000_000_000_000, 33_333_333
DEPTH, INFRA = '/rs_ml/depth/image_rect_raw', '/rs_ml/infra1/image_rect_raw'


@pytest.fixture
def model(filling_model):
    return filling_model()


@pytest.fixture
def denoise(rig, model):
    """A node around a network of a line; call with parameters."""

    def load(parameters):
        return DenoisePipeline(Denoiser(model), parameters)

    return lambda *hub, **parameters: rig.add(
        DenoiseNode, *hub, load=load, **{'max_age_secs': 0.0, **parameters}
    )


def started(rig, node, *, infrared=True):
    """Active, and heard by a camera with depth and maybe infrared."""
    camera, topics = rig.camera, ['depth/image_rect_raw', 'depth/camera_info']
    camera.publisher(topics[0], Image)
    camera.publisher(topics[1], CameraInfo)
    if infrared:
        camera.publisher('infra1/image_rect_raw', Image)
        topics.append('infra1/image_rect_raw')
    node.start()
    assert node.phase == 'active', node.failure
    publishers = camera._publishers
    rig.until(lambda: all(publishers[t].get_subscription_count() for t in topics), 'the node')
    return node


def outputs(rig, node):
    """(depth, camera_info, confidence) messages as they come, once all are matched."""
    kinds = {'depth/image_rect_raw': Image, 'depth/camera_info': CameraInfo}
    kinds['depth/confidence'] = Image
    lists = [rig.collect(kind, f'/rs_ml/denoise/{topic}') for topic, kind in kinds.items()]
    rig.until(lambda: all(map(node.is_wanted, kinds)), 'observers')
    return lists


def encoded(encoding):
    """Two metres with a hole in the first pixel, as fields of an image."""
    if encoding == '16UC1':
        values = np.full((HEIGHT, WIDTH), 2000, np.uint16)
        values[0, 0] = 0
    else:
        values = np.full((HEIGHT, WIDTH), 2.0, np.float32)
        values[0, 0] = np.nan
    msg = Image(encoding=encoding, step=WIDTH * values.itemsize)
    msg.data.frombytes(values.tobytes())
    return {'encoding': encoding, 'step': msg.step, 'data': msg.data}


def send(camera, number, *, infrared=True, **changes):
    """One moment, depth last but one; returns its stamp in nanoseconds."""
    ns = START_NS + number * PERIOD_NS
    camera.info(ns, 'depth/camera_info')
    camera.depth(ns, 'raw', **changes)
    if infrared:
        camera.infrared(ns)
    return ns


@pytest.mark.parametrize(
    ('given', 'asked', 'published'),
    [
        ('16UC1', 'input', '16UC1'),
        ('32FC1', 'input', '32FC1'),
        ('16UC1', '32FC1', '32FC1'),
        ('32FC1', '16UC1', '16UC1'),
    ],
)
def test_header_unit_size_and_intrinsics_are_those_of_the_input(
    rig, denoise, given, asked, published
):
    node = started(rig, denoise(output_encoding=asked, confidence_threshold=0.5))
    depths, infos, confidences = outputs(rig, node)
    ns = send(rig.camera, 0, **encoded(given))
    rig.until(lambda: depths and infos and confidences, 'outputs')
    header = rig.camera.header(ns, 'camera_depth_optical_frame')
    for msg in (depths[0], infos[0], confidences[0]):
        assert msg.header == header
        assert (msg.width, msg.height) == (WIDTH, HEIGHT)
    assert depths[0].encoding == published
    dtype = np.uint16 if published == '16UC1' else np.float32
    values = np.frombuffer(depths[0].data, dtype)
    assert values[0] == 0 if published == '16UC1' else np.isnan(values[0])
    assert (values[1:] == (2000 if published == '16UC1' else 2.0)).all()
    assert list(infos[0].k) == [60.0, 0.0, 31.5, 0.0, 60.0, 23.5, 0.0, 0.0, 1.0]
    assert confidences[0].encoding == 'mono8'
    assert np.frombuffer(confidences[0].data, np.uint8)[:2].tolist() == [51, 230]


@pytest.mark.parametrize(
    ('encoding', 'depth_first'),
    [('mono8', True), ('8UC1', False), ('mono16', True), ('16UC1', False)],
)
def test_infrared_of_the_same_stamp_reaches_the_network(
    rig, denoise, model, encoding, depth_first
):
    node = started(rig, denoise())
    changes = {'encoding': encoding}
    if '16' in encoding:
        values = np.full((HEIGHT, WIDTH), 100 << 8, np.uint16)
        msg = Image()
        msg.data.frombytes(values.tobytes())
        changes |= {'step': 2 * WIDTH, 'data': msg.data}
    ns = START_NS
    rig.camera.info(ns, 'depth/camera_info')
    if depth_first:
        rig.camera.depth(ns, 'raw')
        rig.spin_some(3)
    rig.camera.infrared(ns, **changes)
    if not depth_first:
        rig.spin_some(3)
        rig.camera.depth(ns, 'raw')
    assert rig.settled(node, 1).published == 1
    assert (model.seen[0]['infrared'] == 100).all()
    assert node.input_state().notes == ()


def test_auto_works_without_infrared_and_notes_it(rig, denoise, model):
    node = started(rig, denoise(), infrared=False)
    for number in range(2):
        send(rig.camera, number, infrared=False)
        assert rig.settled(node, number + 1).published == number + 1
    assert not model.seen[1]['infrared'].any()
    (note,) = node.input_state().notes
    assert INFRA in note
    assert 'enable_infra1' in note
    rig.camera.publisher('infra1/image_rect_raw', Image)
    rig.until(lambda: rig.observer.count_subscribers(INFRA), 'infrared')
    rig.spin_some()
    send(rig.camera, 2)
    rig.settled(node, 3)
    assert model.seen[2]['infrared'].all()
    assert node.input_state().notes == ()
    rig.camera.remove('infra1/image_rect_raw')
    rig.until(lambda: not rig.observer.count_subscribers(INFRA), 'the end of the subscription')


@pytest.mark.parametrize(
    ('mode', 'published', 'dropped'), [('auto', 2, {}), ('require', 1, {'unsynchronised': 1})]
)
def test_a_lost_infrared_image(rig, denoise, mode, published, dropped):
    node = started(rig, denoise(infrared=mode))
    send(rig.camera, 0, infrared=False)
    assert rig.settled(node, 1).received == 1
    send(rig.camera, 1)
    counts = rig.settled(node, 2)
    assert (counts.published, counts.dropped) == (published, dropped)
    assert node.activation.source.partner_counts().without == 1
    assert node.input_state().partner == 'infrared'


def test_none_does_not_subscribe(rig, denoise, model):
    node = started(rig, denoise(infrared='none'), infrared=False)
    rig.camera.publisher('infra1/image_rect_raw', Image)
    send(rig.camera, 0)
    rig.settled(node, 1)
    assert rig.observer.count_subscribers(INFRA) == 0
    assert not model.seen[0]['infrared'].any()
    assert node.input_state().notes == ()


def test_a_network_that_ignores_infrared_waits_for_none(rig, filling_model):
    model = filling_model()
    model.manifest = replace(model.manifest, inputs=model.manifest.inputs[:1])

    def load(parameters):
        return DenoisePipeline(Denoiser(model), parameters)

    rig.camera.publisher('infra1/image_rect_raw', Image)
    node = started(rig, rig.add(DenoiseNode, load=load, max_age_secs=0.0), infrared=False)
    send(rig.camera, 0, infrared=False)
    assert rig.settled(node, 1).published == 1
    assert rig.observer.count_subscribers(INFRA) == 0
    assert (node.activation.source.partner_counts().without, node.input_state().notes) == (0, ())


@pytest.mark.parametrize('mode', ['auto', 'require'])
@pytest.mark.parametrize(
    ('info', 'infrared', 'said'),
    [
        ({'width': 32}, None, 'depth/camera_info says 32x48'),
        ({'k': [float('nan')] * 9}, None, 'must be finite'),
        ({}, 'wrong_infrared', 'infrared image is 32x96, the depth image 64x48'),
        ({}, 'colour_infrared', "infrared encoding 'bgr8' is not supported"),
    ],
)
def test_a_faulty_partner_is_left_out(rig, denoise, mode, info, infrared, said):
    """Infrared that is required is no option."""
    node = started(rig, denoise(infrared=mode))
    rig.camera.info(START_NS, 'depth/camera_info', **info)
    rig.camera.depth(START_NS, 'raw')
    send_infrared = {'wrong_infrared': wrong_infrared, 'colour_infrared': colour_infrared}
    send_infrared.get(infrared, type(rig.camera).infrared)(rig.camera, START_NS)
    counts = rig.settled(node, 1)
    if mode == 'require' and infrared:
        assert counts.dropped == {'rejected': 1}
        assert said in node.activation.worker.rejected
    else:
        assert (counts.published, counts.dropped) == (1, {})
        assert said in ' '.join(node.input_state().notes)
    send(rig.camera, 1)
    assert rig.settled(node, 2).published == counts.published + 1
    assert node.input_state().notes == ()


def wrong_infrared(camera, ns):
    camera.infrared(ns, width=32, step=32, height=96)


def colour_infrared(camera, ns):
    camera.infrared(ns, encoding='bgr8', step=3 * WIDTH)


@pytest.mark.parametrize(
    ('depth', 'said'),
    [
        ({'encoding': 'rgb8', 'step': 3 * WIDTH}, 'colorizer.enable'),
        ({'encoding': '8UC1'}, 'not supported'),
        ({'height': 47}, 'must have'),
    ],
)
def test_unusable_depth_is_rejected_and_the_next_frame_is_processed(rig, denoise, depth, said):
    node = started(rig, denoise())
    rig.camera.info(START_NS, 'depth/camera_info')
    rig.camera.depth(START_NS, 'raw', **depth)
    rig.camera.infrared(START_NS)
    assert rig.settled(node, 1).dropped == {'rejected': 1}
    assert said in node.activation.worker.rejected
    send(rig.camera, 1)
    assert rig.settled(node, 2).published == 1


def test_a_zero_stamp_is_rejected(rig, denoise):
    node = started(rig, denoise(), infrared=False)
    rig.camera.depth(0, 'raw')
    assert rig.settled(node, 1).dropped == {'rejected': 1}
    assert 'zero stamp' in node.activation.worker.rejected


def test_thresholds_change_while_it_runs(rig, denoise):
    node = started(rig, denoise(), infrared=False)
    depths, _, _ = outputs(rig, node)
    hole = encoded('16UC1')
    changes = [None, ('confidence_threshold', 0.5), ('range_min_m', 2.5), ('range_max_m', 2.9)]
    for number, change in enumerate(changes):
        if change:
            assert rig.set_parameter(node, *change).successful
        send(rig.camera, number, infrared=False, **hole)
        rig.until(lambda n=number: len(depths) > n, 'depth')
    values = [np.frombuffer(msg.data, np.uint16)[:2].tolist() for msg in depths]
    assert values == [[1500, 2000], [0, 2000], [0, 0], [0, 0]]
    # The value that /diagnostics shows.
    assert node.configuration.facts['confidence_threshold'] == '0.5'


@pytest.mark.parametrize(
    ('name', 'value', 'words'),
    [
        ('confidence_threshold', 1.5, 'confidence_threshold'),
        ('confidence_threshold', -0.5, 'in [0, 1], got -0.5'),
        ('output_encoding', 'mono8', 'one of input, 16UC1, 32FC1'),
        ('infrared', 'none', 'static'),
        ('depth_source', 'aligned', 'static'),
        ('range_max_m', -1.0, 'range_max_m'),
    ],
)
def test_refused_with_the_reason(rig, denoise, name, value, words):
    node = denoise()
    node.start()
    result = rig.set_parameter(node, name, value)
    assert not result.successful
    assert words in result.reason


def test_confidence_is_made_only_while_subscribed(rig, denoise, monkeypatch):
    from rs_ml_perception.nodes import denoise_node

    made = []
    real = denoise_node.image
    monkeypatch.setattr(denoise_node, 'image', lambda *a: made.append(1) or real(*a))
    node = started(rig, denoise())
    send(rig.camera, 0)
    rig.settled(node, 1)
    assert made == []
    outputs(rig, node)
    send(rig.camera, 1)
    rig.settled(node, 2)
    assert made == [1]


def test_depth_is_subscribed_to_once_by_denoise_and_detection(rig, denoise):
    """Detection with raw depth and denoise around one hub."""
    detection = rig.detection(depth_source='raw')
    node = denoise(detection.hub)
    detection.start()
    started(rig, node)
    rig.camera.announce(depth='raw')
    rig.until(lambda: rig.is_listening('raw'), 'colour')
    assert rig.observer.count_subscribers(DEPTH) == 1
    for number in range(3):
        rig.camera.infrared(START_NS + number * PERIOD_NS)
        rig.camera.frame(number, depth='raw')
        assert rig.settled(node, number + 1).published == number + 1
        assert rig.settled(detection, number + 1).published == number + 1
    node.trigger_deactivate()
    rig.spin_some()
    assert rig.observer.count_subscribers(DEPTH) == 1


def test_aligned_depth_is_used_if_it_is_the_only_one(rig, denoise, model):
    """Its intrinsics are those of colour; infrared shows something else."""
    rig.camera.announce(depth='aligned')
    rig.camera.publisher('infra1/image_rect_raw', Image)
    node = denoise()
    node.start()
    rig.until(
        lambda: node.activation.source.primary_topic.endswith('to_color/image_raw'), 'aligned'
    )
    rig.until(lambda: rig.observer.count_subscribers('/rs_ml/color/camera_info'), 'intrinsics')
    _, infos, _ = outputs(rig, node)
    rig.camera.info(START_NS)
    rig.camera.depth(START_NS, 'aligned')
    rig.camera.infrared(START_NS)
    rig.until(lambda: infos, 'camera_info')
    assert infos[0].header == rig.camera.header(START_NS)
    assert not model.seen[0]['infrared'].any()
    assert rig.observer.count_subscribers(INFRA) == 0
    (note,) = node.input_state().notes
    assert 'aligned depth is denoised without infrared' in note


def test_stamps_that_go_back_reset_the_pipeline(rig, denoise, model):
    node = started(rig, denoise())
    for count, number in enumerate((50, 51, 0, 1), start=1):
        send(rig.camera, number)
        assert rig.settled(node, count).published == count
    assert all(inputs['infrared'].all() for inputs in model.seen)


def test_compressed_depth_and_infrared(rig, denoise, model):
    kinds = {'depth/image_rect_raw/compressedDepth': CompressedImage}
    kinds |= {'infra1/image_rect_raw/compressed': CompressedImage, 'depth/camera_info': CameraInfo}
    publishers = [rig.camera.publisher(topic, kind) for topic, kind in kinds.items()]
    node = denoise(image_transport='compressed')
    node.start()
    rig.until(lambda: all(p.get_subscription_count() for p in publishers), 'match')
    depth = encode_compressed_depth(DepthImage(np.full((HEIGHT, WIDTH), 2000, np.uint16), 0.001))
    infrared = encode_compressed_color(np.full((HEIGHT, WIDTH, 3), 100, np.uint8))
    for publisher, packed in zip(publishers, (depth, infrared), strict=False):
        msg = CompressedImage(header=rig.camera.header(START_NS), format=packed.format)
        msg.data.frombytes(packed.data)
        publisher.publish(msg)
    rig.camera.info(START_NS, 'depth/camera_info')
    assert rig.settled(node, 1).published == 1
    assert np.allclose(model.seen[0]['raw_depth'], 2.0)
    assert np.allclose(model.seen[0]['infrared'], 100, atol=2)


@pytest.mark.parametrize(
    ('shift', 'mode', 'published', 'uses_infrared'),
    [('0', 'auto', 1, True), ('0.015', 'auto', 1, False), ('0.015', 'require', 0, False)],
)
def test_infrared_of_another_view(rig, denoise, model, shift, mode, published, uses_infrared):
    """As when depth/image_rect_raw is fed with depth aligned to colour."""
    pose = f'camera_depth_optical_frame camera_infra1_optical_frame {shift} 0 0 0 0 0 1'
    node = started(rig, denoise(infrared=mode, static_transforms=[pose]))
    send(rig.camera, 0)
    counts = rig.settled(node, 1)
    assert (counts.published, counts.dropped.get('rejected', 0)) == (published, 1 - published)
    assert bool(model.seen) == bool(published)
    if published:
        assert model.seen[0]['infrared'].any() == uses_infrared
        notes = ' '.join(node.input_state().notes)
        assert ('seen from elsewhere' in notes) != uses_infrared
    else:
        assert 'seen from elsewhere' in node.activation.worker.rejected
