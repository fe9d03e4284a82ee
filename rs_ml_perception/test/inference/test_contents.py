"""Tensors, metadata and labels of network files."""

import zipfile

import numpy as np
import pytest
from rs_ml_perception.core.errors import BackendError, ConfigError, InputError
from rs_ml_perception.inference.contents import inspect_file, plain
from rs_ml_perception.inference.foreign_labels import given_labels, labels_of

NAMES = "{0: 'person', 1: 'chair'}"
OUTPUTS = {'head': np.zeros((1, 3, 6), np.float32), 'ids': np.zeros((1, 2), np.int64)}


@pytest.fixture
def file(onnx_file):
    pytest.importorskip('onnxruntime')
    metadata = {'names': NAMES, 'imgsz': '[48, 64]', 'stride': '32', 'task': 'detect'}
    return onnx_file(OUTPUTS, {'image': (1, 3, 'height', 64)}, metadata=metadata)


def rows(tensors):
    return [(t.name, t.shape, t.dtype) for t in tensors]


def test_onnx(file):
    contents = inspect_file(file)
    assert (contents.format, contents.runtime) == ('onnx', 'onnxruntime')
    assert rows(contents.inputs) == [('image', (1, 3, None, 64), 'float32')]
    assert rows(contents.outputs) == [('head', (1, 3, 6), 'float32'), ('ids', (1, 2), 'int64')]
    assert str(contents.inputs[0]) == 'float32 [1, 3, any, 64]'
    assert contents.metadata['imgsz'] == [48, 64]
    assert dict(labels_of(contents).names) == {0: 'person', 1: 'chair'}


def test_openvino_with_its_sidecar(file, tmp_path):
    openvino = pytest.importorskip('openvino')
    model = openvino.Core().read_model(file)
    model.set_rt_info('cup bowl', ['model_info', 'labels'])
    openvino.save_model(model, tmp_path / 'net.xml')
    contents = inspect_file(tmp_path / 'net.xml')
    assert (contents.format, contents.runtime) == ('openvino', 'openvino')
    assert rows(contents.outputs) == [('head', (1, 3, 6), 'float32'), ('ids', (1, 2), 'int64')]
    assert list(labels_of(contents).names.values()) == ['cup', 'bowl']
    (tmp_path / 'metadata.yaml').write_text('names: {0: fork}\nlicense: MIT\n')
    contents = inspect_file(tmp_path / 'net.xml')
    assert contents.metadata['license'] == 'MIT'
    assert list(labels_of(contents).names.values()) == ['fork']


def test_tflite_with_appended_files(model_files, tmp_path):
    pytest.importorskip('ai_edge_litert')
    source = model_files / 'segmentation/deeplabv3_mnv2_dm05_pascal_quant.tflite'
    path = tmp_path / 'net.tflite'
    path.write_bytes(source.read_bytes())
    with zipfile.ZipFile(path, 'a') as archive:
        archive.writestr('labelmap.txt', 'floor\nwall\n')
        archive.writestr('metadata.json', '{"license": "MIT"}')
    contents = inspect_file(path)
    (image,) = contents.inputs
    assert (image.dtype, image.quantization) == ('uint8', (0.0078125, 128))
    assert str(image).endswith('scale 0.0078125, zero point 128')
    assert (contents.metadata, list(contents.files)) == ({'license': 'MIT'}, ['labelmap.txt'])
    assert list(labels_of(contents).names.values()) == ['floor', 'wall']


def test_damaged_files_in_a_tflite_cost_only_themselves(model_files, tmp_path):
    pytest.importorskip('ai_edge_litert')
    source = model_files / 'segmentation/deeplabv3_mnv2_dm05_pascal_quant.tflite'
    path = tmp_path / 'net.tflite'
    path.write_bytes(source.read_bytes())
    with zipfile.ZipFile(path, 'a', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('labelmap.txt', 'floor\nwall\n' * 50)
    content = bytearray(path.read_bytes())
    at = content.rindex(b'labelmap.txt', 0, content.rindex(b'PK\x01\x02')) + len(b'labelmap.txt')
    content[at : at + 4] = b'\xff' * 4
    path.write_bytes(content)
    assert dict(inspect_file(path).files) == {}


@pytest.mark.parametrize(
    ('name', 'said'),
    [
        ('weights.pt', 'export the network first'),
        ('notes.txt', r'is no network: give \.onnx'),
        ('saved_model.pb', 'is a part of a SavedModel: give its folder'),
        ('absent.onnx', 'does not exist'),
    ],
)
def test_what_is_no_network_is_refused(tmp_path, name, said):
    if 'absent' not in name:
        (tmp_path / name).write_text('no network')
    with pytest.raises(InputError, match=said):
        inspect_file(tmp_path / name)


def test_a_damaged_file_names_every_runtime(tmp_path):
    pytest.importorskip('onnxruntime')
    (tmp_path / 'net.onnx').write_bytes(b'no network')
    with pytest.raises(BackendError, match=r'no runtime reads .*net\.onnx: onnxruntime: '):
        inspect_file(tmp_path / 'net.onnx')


@pytest.mark.parametrize(
    ('text', 'value'),
    [('[1, 2]', [1, 2]), ('True', True), ('8', 8), ('detect', 'detect'), ('{', '{'), ('', '')],
)
def test_metadata_are_read_as_the_values_they_spell(text, value):
    assert plain(text) == value


@pytest.mark.parametrize(
    ('name', 'text', 'names'),
    [
        ('labels.txt', 'floor\n\nwall\n', {0: 'floor', 2: 'wall'}),
        ('data.yaml', 'names: [floor, wall]\ntrain: x', {0: 'floor', 1: 'wall'}),
        ('names.json', '{"0": "floor"}', None),
        ('map.pbtxt', 'item { id: 3 name: "floor" }', {3: 'floor'}),
    ],
)
def test_labels_of_files(tmp_path, name, text, names):
    (tmp_path / name).write_text(text)
    if names is None:
        with pytest.raises(Exception, match='labels must map ids to names'):
            given_labels(str(tmp_path / name))
        return
    assert dict(given_labels(str(tmp_path / name)).names) == names


def test_labels_of_a_model():
    assert given_labels('detection').name(0) == 'person'
    with pytest.raises(ConfigError, match='--labels nothing is neither a file nor a model'):
        given_labels('nothing')
