"""Manifests: accepted values, and a message for every mistake."""

import os

import pytest
import yaml
from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.inference.manifest import TensorSpec, Tolerance
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_perception.inference.shelf import shelf

SHA = 'a' * 64
SMALLEST = {
    'name': 'm',
    'task': 'detection',
    'decoder': 'yolo_head',
    'artifacts': [{'format': 'onnx', 'path': 'm.onnx', 'sha256': SHA}],
    'input': {'name': 'x'},
    'license': 'Apache-2.0',
}


def write(folder, **changes):
    values = {k: v for k, v in (SMALLEST | changes).items() if v is not None}
    (folder / 'manifest.yaml').write_text(yaml.safe_dump(values))
    return folder


def test_defaults_of_the_smallest_manifest(tmp_path):
    manifest = read_manifest(write(tmp_path))
    assert (manifest.title, manifest.input.size, manifest.input.layout) == ('m 1', None, 'NHWC')
    assert (manifest.input.scale, manifest.input.offset) == (1.0, 0.0)
    assert (dict(manifest.labels.names), manifest.golden, manifest.training_camera) == (
        {},
        None,
        None,
    )


def test_everything_is_read(tmp_path):
    manifest = read_manifest(
        write(
            tmp_path,
            version=2,
            input={
                'name': 'x',
                'size': [64, 48],
                'layout': 'NCHW',
                'dtype': 'float32',
                'color': 'BGR',
                'resize': 'crop',
                'crop': [0.1, 0, 0.5, 1],
                'scale': [1, 2, 3],
                'offset': -0.5,
            },
            labels={7: 'seven', 3: 'three'},
            depth={'unit': 'mm', 'scale': 2, 'range_m': [0.3, 8]},
            training_intrinsics={
                'width': 640,
                'height': 480,
                'fx': 500,
                'fy': 510,
                'cx': 320,
                'cy': 240,
            },
            outputs={'head': {'tensor': 'out0', 'shape': [1, 6, 30], 'dtype': 'float32'}},
            golden={
                'file': 'g.npz',
                'sha256': SHA,
                'picture': 'a room',
                'tolerance': {'head': {'measure': 'absolute', 'float32': 0.001}},
            },
            thresholds={'score': 0.25},
        )
    )
    assert manifest.title == 'm 2'
    assert manifest.input.shape((64, 48)) == (1, 3, 48, 64)
    assert manifest.input.scale == (1.0, 2.0, 3.0)
    assert list(manifest.labels.names.items()) == [(3, 'three'), (7, 'seven')]
    assert manifest.depth.metres_per_unit == pytest.approx(0.002)
    assert manifest.training_camera.fy == 510
    assert manifest.outputs == {'head': TensorSpec('out0', (1, 6, 30), 'float32')}
    assert manifest.golden.tolerance == {'head': Tolerance('absolute', {'float32': 0.001})}
    assert (manifest.thresholds.score, manifest.thresholds.iou) == (0.25, 0.5)


def test_several_inputs(tmp_path):
    manifest = read_manifest(
        write(tmp_path, input=[{'name': 'depth', 'dtype': 'uint16'}, {'name': 'infra'}])
    )
    assert [spec.name for spec in manifest.inputs] == ['depth', 'infra']


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'name': None}, 'name is missing'),
        ({'name': '../../home/.local/bin'}, "name must be a plain name .*got '../../home"),
        ({'name': '/etc'}, 'name must be a plain name'),
        ({'name': '..'}, 'name must be a plain name'),
        ({'name': '.hidden'}, 'name must be a plain name'),
        ({'name': ''}, 'name must be a plain name'),
        ({'name': 'n' * 101}, 'at most 100 characters'),
        ({'artifacts': [{'format': 'onnx', 'path': '../m'}]}, r"inside of the model .*'\.\./m'"),
        ({'artifacts': [{'format': 'onnx', 'path': '/dev/zero'}]}, "inside of .*'/dev/zero'"),
        ({'artifacts': [{'format': 'onnx', 'path': ''}]}, 'inside of the model directory'),
        ({'artifacts': [{'format': 'onnx', 'path': 'a' * 300}]}, 'inside of the model directory'),
        ({'golden': {'file': '../g', 'tolerance': {}}}, 'inside of the model directory'),
        ({'labels': '../../etc/passwd'}, 'labels: a path must lead to a file inside'),
        ({'labels': ['a' * 201]}, 'class 0: a label must be of at most 200 printable'),
        ({'labels': ['a\tb']}, r"printable characters, got 3: 'a\\tb'"),
        ({'labels': {1 << 31: 'a'}}, 'labels must map ids to names, got 2147483648'),
        ({'license': 'free\x1b[2J'}, r"'free\\x1b\[2J' holds control characters"),
        ({'input': {'name': 'x', 'size': [100000, 100000]}}, 'is more than 67108864 pixels'),
        ({'thresholds': {'score': float('nan')}}, 'score must be a number, got NaN'),
        ({'depth': {'range_m': [float('nan'), 1]}}, 'range_m must be a number, got NaN'),
        ({'task': 'sing'}, "task must be one of .*got 'sing'"),
        ({'license': None}, 'license is missing'),
        ({'colour': 'RGB'}, r"unknown key \['colour'\], known are"),
        ({'artifacts': []}, 'artifacts is empty'),
        ({'artifacts': [{'format': 'exe', 'path': 'm'}]}, r'artifacts\[0\].*one of'),
        ({'artifacts': [{'format': 'onnx', 'path': 'm', 'sha': 'x'}]}, r"unknown key \['sha'\]"),
        ({'artifacts': [{'format': 'onnx', 'path': 'm', 'sha256': 'XYZ'}]}, '64 lower-case hex'),
        ({'input': {'name': 'x', 'size': [64]}}, 'size must be a list of 2 numbers'),
        ({'input': {'name': 'x', 'size': [0, 5]}}, r'size must be \[width, height\]'),
        ({'input': {'name': 'x', 'color': 'CMYK'}}, "color must be one of .*'CMYK'"),
        ({'input': {'name': 'x', 'scale': [1, 2]}}, 'scale needs 3 numbers for RGB'),
        ({'input': {'name': 'x', 'crop': [0, 0, 2, 1], 'resize': 'crop'}}, 'crop must be'),
        ({'input': {'name': 'x', 'crop': [0, 0, 1, 1]}}, 'with resize stretch'),
        ({'input': []}, 'input is empty'),
        ({'outputs': {'a': 1}}, 'outputs must map names'),
        ({'outputs': {'a': {'shape': [0]}}}, 'outputs: a: shape must hold whole sizes'),
        ({'outputs': {'a': {'dtype': 'word'}}}, "dtype must be one of .*'word'"),
        ({'labels': 'nowhere.txt'}, 'nowhere.txt cannot be read'),
        ({'labels': {'a': 'b'}}, 'labels must map ids to names'),
        ({'thresholds': {'score': True}}, 'score must be int or float'),
        ({'depth': {'unit': 'ft'}}, 'unit must be one of'),
        ({'depth': {'range_m': [5, 1]}}, r'range_m must be \[nearest, farthest\]'),
        ({'training_intrinsics': {'width': 640}}, 'height is missing'),
        ({'golden': {'file': 'g', 'tolerance': {'f32': 1}}}, r"must name \[\], got \['f32'\]"),
    ],
)
def test_mistakes_are_named(tmp_path, changes, said):
    with pytest.raises(ModelError, match=said) as caught:
        read_manifest(write(tmp_path, **changes))
    assert 'manifest.yaml' in str(caught.value)


@pytest.mark.parametrize(
    ('text', 'said'),
    [('a: [', 'cannot be read as YAML'), ('just words', 'must be a mapping'), ('', 'mapping')],
)
def test_other_values_than_mappings(tmp_path, text, said):
    (tmp_path / 'manifest.yaml').write_text(text)
    with pytest.raises(ModelError, match=said) as caught:
        read_manifest(tmp_path)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('name', ['m', 'YOLO v8 (nano)', 'a_b-c.d+1', 'modèle', '8x'])
def test_plain_names(tmp_path, name):
    assert read_manifest(write(tmp_path, name=name)).name == name


def test_links_to_files_outside_are_refused(tmp_path):
    (tmp_path / 'secret.txt').write_text('root\n')
    folder = tmp_path / 'm'
    folder.mkdir()
    (folder / 'labels.txt').symlink_to(tmp_path / 'secret.txt')
    with pytest.raises(ModelError, match=r'secret\.txt, outside of the model directory'):
        read_manifest(write(folder, labels='labels.txt'))


def test_an_installation_of_links_is_read(tmp_path):
    source, installed = tmp_path / 'source', tmp_path / 'installed'
    source.mkdir()
    installed.mkdir()
    (source / 'labels.txt').write_text('person\n')
    write(source, labels='labels.txt')
    for file in source.iterdir():
        (installed / file.name).symlink_to(file)
    assert dict(read_manifest(installed).labels.names) == {0: 'person'}


@pytest.mark.parametrize(
    ('make', 'said'),
    [
        (lambda path: path.mkdir(), 'it is a folder'),
        (os.mkfifo, 'not a regular file'),
        (lambda path: path.symlink_to('/dev/zero'), 'not a regular file'),
        (lambda path: path.write_text('# ' + 'x' * 70_000), 'too large: 70002 bytes'),
        (lambda path: path.write_bytes(b'\xff'), 'no UTF-8'),
    ],
)
def test_large_or_binary_files(tmp_path, make, said):
    make(tmp_path / 'manifest.yaml')
    with pytest.raises(ModelError, match=said):
        read_manifest(tmp_path)


def test_a_directory_without_manifest(tmp_path):
    with pytest.raises(ModelError, match=r'has no manifest\.yaml'):
        read_manifest(tmp_path)


@pytest.mark.parametrize('name', sorted(shelf()))
def test_every_model_of_the_shelf_reads(name):
    manifest = read_manifest(shelf()[name])
    assert manifest.name == name
    assert manifest.license
    assert (manifest.directory / 'README.md').is_file(), 'a model needs its card'


def test_the_shelf_is_found_in_the_source_tree():
    assert {'centernet_mnv3_coco', 'nyu_mobilenet_unet', 'yolov8n'} <= set(shelf())


def test_constants_are_arrays(tmp_path):
    rows = {'size': {'value': [[64, 48]], 'dtype': 'int64'}, 'factor': {'value': 0.5}}
    constants = read_manifest(write(tmp_path, constants=rows)).constants
    assert (constants['size'].dtype.name, constants['size'].tolist()) == ('int64', [[64, 48]])
    assert (constants['factor'].dtype.name, constants['factor'].shape) == ('float32', ())


@pytest.mark.parametrize(
    ('row', 'said'),
    [
        ({'value': [[1, 2], [3]]}, 'size: value must be numbers in lists of equal length'),
        ({'value': ['a']}, 'size: value must be numbers in lists'),
        ({'value': 1, 'dtype': 'text'}, 'size: dtype must be one of'),
        ({}, 'size: value is missing'),
    ],
)
def test_wrong_constants(tmp_path, row, said):
    with pytest.raises(ModelError, match=said):
        read_manifest(write(tmp_path, constants={'size': row}))


def test_only_networks_that_estimate_depth_may_give_it_inverse(tmp_path):
    depth = {'scale': 2, 'form': 'inverse'}
    manifest = read_manifest(write(tmp_path, task='mono_depth', decoder='depth', depth=depth))
    assert (manifest.depth.form, manifest.depth.metres_per_unit) == ('inverse', 2)
    with pytest.raises(ModelError, match=r"depth: form must be one of \['metric'\]"):
        read_manifest(write(tmp_path, task='denoise', decoder='depth', depth=depth))
