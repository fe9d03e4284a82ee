"""Finding model directories and their files."""

import os

import pytest
import yaml
from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.core.files import file_sha256
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_perception.inference.shelf import find_model, locate, shelf


def make_model(folder, content=b'weights', sha256=True):
    folder.mkdir(exist_ok=True)
    (folder / 'source').write_bytes(content)
    digest = file_sha256(folder / 'source')
    artifact = {'format': 'onnx', 'path': 'net.onnx'} | ({'sha256': digest} if sha256 else {})
    values = {
        'name': 'm',
        'task': 'detection',
        'decoder': 'yolo_head',
        'artifacts': [artifact],
        'input': {'name': 'x'},
        'license': 'none',
    }
    (folder / 'manifest.yaml').write_text(yaml.safe_dump(values))
    return read_manifest(folder)


def locate_net(manifest):
    return locate(manifest, manifest.artifacts[0].file)


def test_by_name_by_directory_and_by_manifest(tmp_path):
    make_model(tmp_path / 'm')
    assert find_model('yolov8n') == shelf()['yolov8n']
    assert find_model(tmp_path / 'm') == tmp_path / 'm'
    assert find_model(str(tmp_path / 'm' / 'manifest.yaml')) == tmp_path / 'm'


def test_by_name_under_the_model_path(tmp_path, monkeypatch):
    """The first folder wins, so a shipped name keeps its model."""
    for place in ('first/mine', 'second/mine', 'second/other', 'second/detection'):
        (tmp_path / place).mkdir(parents=True)
        make_model(tmp_path / place)
    shipped = find_model('detection')
    folders = ('nowhere', 'first', 'second')
    monkeypatch.setenv('RS_ML_MODEL_PATH', ':'.join(str(tmp_path / f) for f in folders))
    assert find_model('mine') == tmp_path / 'first' / 'mine'
    assert find_model('other') == tmp_path / 'second' / 'other'
    assert find_model('detection') == shipped
    with pytest.raises(ModelError, match=r"no model 'othr', did you mean other\?"):
        find_model('othr')


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(ModelError, match=r"no model 'yolov9000'.*centernet_mnv3_coco.*yolov8n"):
        find_model('yolov9000')


def test_a_directory_without_manifest(tmp_path):
    with pytest.raises(ModelError, match=r'has no manifest\.yaml'):
        find_model(tmp_path)


def test_a_missing_file_names_the_way_out(tmp_path, monkeypatch):
    monkeypatch.delenv('RS_ML_MODEL_PATH', raising=False)
    with pytest.raises(ModelError, match='set RS_ML_MODEL_PATH to the folder that holds it'):
        locate_net(make_model(tmp_path / 'm'))


def test_next_to_the_manifest(tmp_path):
    manifest = make_model(tmp_path / 'm')
    (tmp_path / 'm' / 'net.onnx').write_bytes(b'weights')
    assert locate_net(manifest) == tmp_path / 'm' / 'net.onnx'


def test_a_damaged_file_names_both_digests(tmp_path, monkeypatch):
    manifest = make_model(tmp_path / 'm')
    damaged = tmp_path / 'm' / 'net.onnx'
    damaged.write_bytes(b'other')
    with pytest.raises(ModelError) as caught:
        locate_net(manifest)
    for part in (str(damaged), file_sha256(damaged), manifest.artifacts[0].file.sha256):
        assert part in str(caught.value)


def test_the_checksum_decides_among_files_of_one_name(tmp_path, monkeypatch):
    manifest = make_model(tmp_path / 'm')
    for folder, content in (('a', b'another'), ('b', b'weights')):
        (tmp_path / 'pool' / folder).mkdir(parents=True)
        (tmp_path / 'pool' / folder / 'net.onnx').write_bytes(content)
    monkeypatch.setenv('RS_ML_MODEL_PATH', f'{tmp_path / "nowhere"}:{tmp_path / "pool"}')
    assert locate_net(manifest) == tmp_path / 'pool' / 'b' / 'net.onnx'


def test_without_a_checksum_only_a_file_next_to_the_manifest_counts(tmp_path, monkeypatch):
    manifest = make_model(tmp_path / 'm', sha256=False)
    (tmp_path / 'pool').mkdir()
    (tmp_path / 'pool' / 'net.onnx').write_bytes(b'weights')
    monkeypatch.setenv('RS_ML_MODEL_PATH', str(tmp_path / 'pool'))
    with pytest.raises(ModelError, match='is neither in'):
        locate_net(manifest)
    (tmp_path / 'm' / 'net.onnx').write_bytes(b'weights')
    with pytest.raises(ModelError, match=f'add sha256: {file_sha256(tmp_path / "m" / "source")}'):
        locate_net(manifest)
    note = tmp_path / 'm' / 'net.onnx.sha256'
    note.write_text(f'{file_sha256(tmp_path / "m" / "source")}  net.onnx\n')
    assert locate_net(manifest) == tmp_path / 'm' / 'net.onnx'


@pytest.mark.parametrize(
    ('make', 'said'),
    [
        (lambda path: path.symlink_to('/dev/zero'), 'leads to /dev/zero, outside'),
        (os.mkfifo, 'not a regular file: a model consists of regular files'),
        (lambda path: path.symlink_to('/etc/hostname'), 'outside of the model directory'),
    ],
)
def test_only_regular_files_inside_count(tmp_path, make, said):
    manifest = make_model(tmp_path / 'm')
    make(tmp_path / 'm' / 'net.onnx')
    with pytest.raises(ModelError, match=said):
        locate_net(manifest)


def test_a_folder_of_a_model_holds_regular_files_only(tmp_path):
    manifest = make_model(tmp_path / 'm')
    (tmp_path / 'm' / 'net.onnx').mkdir()
    os.mkfifo(tmp_path / 'm' / 'net.onnx' / 'saved_model.pb')
    with pytest.raises(ModelError, match=r'saved_model\.pb .*not a regular file'):
        locate_net(manifest)


def test_a_name_is_no_pattern(tmp_path, monkeypatch):
    values = yaml.safe_load((make_model(tmp_path / 'm').directory / 'manifest.yaml').read_text())
    values['artifacts'][0]['path'] = '*'
    (tmp_path / 'm' / 'manifest.yaml').write_text(yaml.safe_dump(values))
    (tmp_path / 'pool').mkdir()
    (tmp_path / 'pool' / 'other').write_bytes(b'weights')
    monkeypatch.setenv('RS_ML_MODEL_PATH', str(tmp_path / 'pool'))
    with pytest.raises(ModelError, match='is neither in'):
        locate_net(read_manifest(tmp_path / 'm'))
