"""`rs-ml models inspect` and `add`: output and files."""

import json

import numpy as np
import pytest
from rs_ml_perception.cli.main import main
from rs_ml_perception.inference.manifest_file import read_manifest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

HEAD = np.zeros((1, 6, 21), np.float32)
HEAD[0, :, 0] = 32, 24, 32, 32, 0, 0.9


@pytest.fixture
def file(onnx_file):
    metadata = {'names': "{0: 'cat', 1: 'person'}", 'license': 'AGPL-3.0 License'}
    return onnx_file({'output0': HEAD}, {'images': (1, 3, 32, 64)}, metadata=metadata)


def test_inspect(file, capsys):
    assert main(['models', 'inspect', str(file)]) == 0
    words = capsys.readouterr().out.split()
    assert {'onnx,', 'images', 'output0', 'float32', 'license:'} <= set(words)
    assert main(['models', 'inspect', '--json', str(file)]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row['inputs'] == [
        {'name': 'images', 'shape': [1, 3, 32, 64], 'dtype': 'float32', 'quantization': None}
    ]


def test_add_writes_a_model_that_runs(file, tmp_path, capsys):
    out = tmp_path / 'mine'
    assert main(['models', 'add', str(file), '--name', 'mine', '--out', str(out)]) == 0
    printed = capsys.readouterr()
    assert 'detection with decoder yolov8, 2 classes, 64x32 RGB letterbox' in printed.out
    assert 'onnxruntime reproduces them' in printed.out
    assert 'picture.png shows 1 person' in printed.out
    assert f'detection_model:={out}' in printed.out
    assert 'the licence is AGPL-3.0 License: check whether your use is allowed' in printed.err
    manifest = read_manifest(out)
    assert (manifest.name, manifest.golden.picture) == ('mine', 'synthetic_room')
    assert sorted(path.name for path in out.iterdir()) == [
        'golden.npz', 'labels.txt', 'manifest.yaml', 'net.onnx', 'picture.png',
    ]  # fmt: skip
    words = '--backend', 'onnxruntime', '--pictures', str(tmp_path / 'seen')
    assert main(['models', 'check', str(out), *words]) == 0
    assert 'mine.png shows 1 person' in capsys.readouterr().out
    assert (tmp_path / 'seen/mine.png').read_bytes() == (out / 'picture.png').read_bytes()


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['--name', '../x', '--out', 'OUT'], '--name: name must be a plain name'),
        (['--out', '/proc/x'], '/proc/x cannot be made'),
        (['--labels', 'nothing'], '--labels nothing is neither a file nor a model'),
        (['--scaling', 'half', '--out', 'OUT'], '--scaling must be one of pixels'),
    ],
)
def test_mistakes_name_the_flag(file, tmp_path, capsys, words, said):
    words = [str(tmp_path / 'out') if word == 'OUT' else word for word in words]
    assert main(['models', 'add', str(file), *words]) != 0
    assert said in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()
