"""The extensions in examples/ work through the commands, as docs/extending.md says."""

import importlib
import json
import os
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / 'examples'
PATIENCE_SECS = 30
VOC = """<annotation>
  <object><name>person</name><difficult>0</difficult>
    <bndbox><xmin>1</xmin><ymin>1</ymin><xmax>32</xmax><ymax>48</ymax></bndbox></object>
  <object><name>chair</name><difficult>1</difficult>
    <bndbox><xmin>33</xmin><ymin>9</ymin><xmax>64</xmax><ymax>40</ymax></bndbox></object>
</annotation>"""


def run(*words: object) -> subprocess.CompletedProcess[str]:
    """`python examples/run.py ...`, which must succeed."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / 'run.py', *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, 'RS_ML_DEBUG': '1'},
    )
    assert done.returncode == 0, done.stderr
    return done


def write_image(path: Path, width: int = 64, height: int = 48) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    cv2.imwrite(str(path), cv2.resize(blocks, (width, height)))
    return path


@pytest.fixture
def extension(monkeypatch):
    """(table, module) -> the module, imported; the table is as before when the test ends."""
    monkeypatch.syspath_prepend(str(EXAMPLES))

    def load(table: dict, name: str):
        before = dict(table)
        module = importlib.import_module(name)
        undo.append((table, before, name))
        return module

    undo: list[tuple[dict, dict, str]] = []
    yield load
    for table, before, name in undo:
        table.clear()
        table.update(before)
        sys.modules.pop(name)


def test_a_format_is_read(tmp_path):
    write_image(tmp_path / 'voc' / 'JPEGImages' / 'a.jpg')
    (tmp_path / 'voc' / 'Annotations').mkdir()
    (tmp_path / 'voc' / 'Annotations' / 'a.xml').write_text(VOC)
    out = tmp_path / 'stats.json'
    run('voc_format', 'rs-ml-data', 'stats', '--data', f'voc:{tmp_path / "voc"}', '--json', out)
    assert json.loads(out.read_text())['boxes'] == {'person': 1}, 'a difficult one is a crowd'


def test_boxes_of_a_format_are_half_open_pixels(tmp_path, extension):
    formats = importlib.import_module('rs_ml_training.data.formats')
    extension(formats.FORMATS, 'voc_format')
    write_image(tmp_path / 'JPEGImages' / 'a.jpg')
    (tmp_path / 'Annotations').mkdir()
    (tmp_path / 'Annotations' / 'a.xml').write_text(VOC)
    reader = formats.open_data(f'voc:{tmp_path}')
    sample = reader.read(0)
    assert reader.labels == ('chair', 'person')
    assert sample.boxes.xyxy.tolist() == [[0, 0, 32, 48], [32, 8, 64, 40]]
    assert sample.boxes.class_ids.tolist() == [1, 0]
    assert sample.boxes.is_crowd.tolist() == [False, True]
    assert open_chairs(formats, tmp_path).boxes.class_ids.tolist() == [0]
    (tmp_path / 'Annotations' / 'a.xml').write_text('<annotation><object/></annotation>')
    with pytest.raises(formats.InputError, match=r'a\.xml is no annotation'):
        formats.open_data(f'voc:{tmp_path}')


def open_chairs(formats, path: Path):
    return formats.open_data(f'voc:{path}', classes=('chair',)).read(0)


def detr_model(folder: Path) -> Path:
    """A model directory whose network sees a person on the left, and a query of no object."""
    onnx = pytest.importorskip('onnx')
    from onnx import TensorProto, helper, numpy_helper

    logits = np.array([[[4, 0, 0], [0, 0, 9]]], np.float32)
    boxes = np.array([[[0.25, 0.5, 0.5, 1], [0.5, 0.5, 1, 1]]], np.float32)
    graph = helper.make_graph(
        [helper.make_node('Identity', [f'{n}_value'], [n]) for n in ('logits', 'boxes')],
        'detr',
        [helper.make_tensor_value_info('image', TensorProto.FLOAT, (1, 3, 32, 32))],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape)
            for name, value in (('logits', logits), ('boxes', boxes))
        ],
        [
            numpy_helper.from_array(logits, 'logits_value'),
            numpy_helper.from_array(boxes, 'boxes_value'),
        ],
    )
    folder.mkdir()
    file = folder / 'model.onnx'
    onnx.save(helper.make_model(graph), file)
    digest = sha256(file.read_bytes()).hexdigest()
    manifest = {
        'name': 'tiny_detr',
        'version': '1',
        'task': 'detection',
        'decoder': 'own_detr',
        'artifacts': [{'format': 'onnx', 'path': 'model.onnx', 'sha256': digest}],
        'input': {
            'name': 'image',
            'size': [32, 32],
            'layout': 'NCHW',
            'dtype': 'float32',
            'color': 'RGB',
            'resize': 'stretch',
        },
        'outputs': {'logits': 'logits', 'boxes': 'boxes'},
        'labels': ['person', 'chair'],
        'thresholds': {'score': 0.5, 'iou': 0.6},
        'license': 'Apache-2.0',
        'source': 'made by a test',
    }
    (folder / 'manifest.yaml').write_text(yaml.safe_dump(manifest))
    return folder


def test_a_decoder_and_a_backend_detect(tmp_path):
    model = detr_model(tmp_path / 'model')
    image = write_image(tmp_path / 'photo.jpg')
    words = '--backend', 'onnx_reference', '--out', tmp_path / 'out', '--no-pictures'
    run('detr_decoder,onnx_reference_backend', 'rs-ml', 'detect', image, '--model', model, *words)
    [line] = (tmp_path / 'out' / 'results.jsonl').read_text().splitlines()
    [found] = json.loads(line)['detections']
    assert found['label'] == 'person'
    assert found['score'] == pytest.approx(np.exp(4) / (np.exp(4) + 2), abs=1e-3)
    assert found['box'] == pytest.approx([0, 0, 32, 48])


def test_a_backend_reproduces_the_golden_output_of_a_shipped_model():
    pytest.importorskip('onnx')
    words = 'models', 'check', 'detection', '--backend', 'onnx_reference'
    assert 'scores off by' in run('onnx_reference_backend', 'rs-ml', *words).stdout


def test_a_network_is_built_by_its_name(extension):
    pytest.importorskip('keras')
    registry = importlib.import_module('rs_ml_training.networks.registry')
    extension(registry.NETWORKS, 'tiny_network')
    network = registry.build('tiny-depth', (64, 48), filters=4, max_depth_m=5.0)
    depth_m = network({'image': np.zeros((1, 48, 64, 3), np.float32)})['depth_m']
    assert depth_m.shape == (1, 48, 64, 1)
    assert 0 < float(np.max(depth_m)) < 5
    with pytest.raises(registry.ConfigError, match='multiples of 4'):
        registry.build('tiny-depth', (64, 50))


def depth_folder(path: Path) -> str:
    """Four images with depth, near on the left and far on the right."""
    for n in range(4):
        write_image(path / 'rgb' / f'{n}.png')
        depth_mm = np.full((48, 64), 1000 + n, np.uint16)
        depth_mm[:, 32:] += 1000
        (path / 'depth').mkdir(exist_ok=True)
        cv2.imwrite(str(path / 'depth' / f'{n}.png'), depth_mm)
    return f'folder:{path}'


@pytest.mark.slow
def test_a_network_is_trained_and_exported(tmp_path):
    pytest.importorskip('tensorflow')
    data = depth_folder(tmp_path / 'data')
    words = '--model', 'tiny-depth', '--epochs', 1, '--runs', tmp_path, '--name', 'run'
    run('tiny_network', 'rs-ml-train', 'depth', '--data', data, *words)
    words = '--out', tmp_path / 'model', '--formats', 'tflite'
    run('tiny_network', 'rs-ml-export', tmp_path / 'run', *words)
    assert (tmp_path / 'model' / 'model.tflite').is_file()


@pytest.mark.parametrize(
    ('depth_m', 'expected'),
    [
        (np.zeros((0, 3)), np.zeros((0, 3))),
        (np.array([[1, 1, 1]]), [[0, 0, 0]]),
        (np.array([[1, 1.05, 2]]), [[0, 0, 1]]),
    ],
)
def test_edges_of_depth(extension, depth_m, expected):
    registry = importlib.import_module('rs_ml_training.tasks.registry')
    module = extension(registry.TASKS, 'edge_task')
    assert np.array_equal(module.edges(depth_m), expected)


@pytest.mark.slow
def test_a_task_is_trained_evaluated_and_exported(tmp_path):
    pytest.importorskip('tensorflow')
    data = depth_folder(tmp_path / 'data')
    words = '--epochs', 1, '--runs', tmp_path, '--name', 'run'
    run('edge_task', 'rs-ml-train', 'edges', '--data', data, *words)
    words = '--model', tmp_path / 'run', '--json', tmp_path / 'result.json'
    run('edge_task', 'rs-ml-evaluate', 'edges', '--data', data, *words)
    assert 'miou' in (tmp_path / 'result.json').read_text()
    words = '--out', tmp_path / 'model', '--formats', 'tflite', '--data', data
    run('edge_task', 'rs-ml-export', tmp_path / 'run', *words)
    manifest = yaml.safe_load((tmp_path / 'model' / 'manifest.yaml').read_text())
    assert (manifest['task'], manifest['decoder']) == ('segmentation', 'class_map')


@pytest.mark.ros
def test_a_node_takes_part_in_the_offline_run(tmp_path):
    pytest.importorskip('rclpy')
    room = ROOT / 'rs_ml_perception' / 'recordings' / 'synthetic_room'
    words = '--nodes', 'sharpness,mono_depth', '--out', tmp_path / 'results'
    done = run('sharpness_node', 'rs-ml', 'process', room, *words)
    assert 'sharpness: 14 published' in done.stdout + done.stderr


@pytest.fixture
def sharpness_node(domain):
    process = subprocess.Popen(
        [sys.executable, EXAMPLES / 'sharpness_node.py'],
        env={**os.environ, 'ROS_DOMAIN_ID': str(domain)},
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.terminate()
    assert process.wait(timeout=30) == 0


@pytest.mark.ros
def test_a_node_publishes_its_measurement(domain, sharpness_node):
    rclpy = pytest.importorskip('rclpy')
    from sensor_msgs.msg import Image
    from std_msgs.msg import Float32

    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain)
    node = rclpy.create_node('camera', context=context)
    executor = rclpy.executors.SingleThreadedExecutor(context=context)
    executor.add_node(node)
    values: list[float] = []
    node.create_subscription(
        Float32, '/rs_ml/sharpness/sharpness', lambda m: values.append(m.data), 10
    )
    publisher = node.create_publisher(Image, '/rs_ml/color/image_raw', 10)
    stripes = np.tile(np.array([0, 0, 0, 255, 255, 255], np.uint8), (48, 32))
    image = Image(height=48, width=64, encoding='rgb8', step=192, data=stripes.tobytes())
    image.header.frame_id = 'camera_color_optical_frame'
    deadline = time.monotonic() + PATIENCE_SECS
    while not values:
        assert time.monotonic() < deadline, 'no result came'
        image.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(image)
        executor.spin_once(timeout_sec=0.1)
    node.destroy_node()
    rclpy.try_shutdown(context=context)
    assert values[0] > 0
