"""ONNX for a model directory that has TFLite alone."""

import shutil

import numpy as np
import pytest
import yaml
from rs_ml_perception.inference.golden import verify_golden
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_training.cli.export import main
from rs_ml_training.export.exporter import ExportOptions, export


@pytest.fixture(scope='module')
def exported(toy, tmp_path_factory):
    """A denoiser of two inputs and two outputs."""
    pytest.importorskip('tf2onnx')
    pytest.importorskip('onnxruntime')
    folder = tmp_path_factory.mktemp('exported') / 'model'
    export(toy('denoise'), folder, ExportOptions(('tflite',), 'float16'))
    return folder


@pytest.fixture
def folder(exported, tmp_path):
    """A copy of it."""
    return shutil.copytree(exported, tmp_path / 'model')


@pytest.fixture(scope='module')
def added(exported, tmp_path_factory):
    """The ONNX model added to another copy."""
    onnx = pytest.importorskip('onnx')
    folder = shutil.copytree(exported, tmp_path_factory.mktemp('added') / 'model')
    assert main([str(folder)]) == 0
    return onnx.load(folder / 'model.onnx')


def test_the_new_file_computes_the_same_under_our_names(folder, capsys):
    before = read_manifest(folder)
    for _ in range(2):  # what is there already is made again
        assert main([str(folder)]) == 0
        assert 'depth off by 0' in capsys.readouterr().out
    manifest = read_manifest(folder)
    assert [a.format for a in manifest.artifacts] == ['tflite', 'onnx']
    assert manifest.artifacts[1].names == {}
    assert (manifest.golden, manifest.outputs) == (before.golden, before.outputs)
    with load_model(folder, backend='onnxruntime') as model:
        assert verify_golden(model).is_reproduced
    assert sorted(path.name for path in folder.iterdir()) == [
        'README.md',
        'golden.npz',
        'manifest.yaml',
        'model.onnx',
        'model.tflite',
    ]


def test_weights_stay_float16(added):
    import onnx

    large = [c for c in added.graph.initializer if np.prod(c.dims) >= 256]
    assert large
    assert {c.data_type for c in large} == {onnx.TensorProto.FLOAT16}


def test_no_runtime_has_to_guess_nearest_neighbours(added):
    assert 'tf_half_pixel_for_nn' not in str(added.graph)


def test_no_other_flag_is_ignored(folder, capsys):
    assert main([str(folder), '--precision', 'int8']) == 2
    assert 'leave out the other flags' in capsys.readouterr().err
    assert not (folder / 'model.onnx').exists()


def change(folder, key, value):
    path = folder / 'manifest.yaml'
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {key: value}))


@pytest.mark.parametrize('kind', ['other outputs', 'no TFLite', 'no model'])
def test_a_refused_model_directory_is_unchanged(folder, capsys, kind):
    if kind == 'other outputs':
        with np.load(folder / 'golden.npz') as archive:
            arrays = {name: archive[name] for name in archive.files}
        arrays['output/depth'] = arrays['output/depth'][:, ::-1]
        np.savez(folder / 'golden.npz', **arrays)
        golden = yaml.safe_load((folder / 'manifest.yaml').read_text())['golden']
        from rs_ml_perception.core.files import sha256_of

        change(folder, 'golden', {**golden, 'sha256': sha256_of(folder / 'golden.npz')})
    if kind == 'no TFLite':
        change(folder, 'artifacts', [{'format': 'onnx', 'path': 'x.onnx', 'sha256': 'a' * 64}])
    if kind == 'no model':
        (folder / 'manifest.yaml').unlink()
    names = sorted(path.name for path in folder.iterdir())
    assert main([str(folder)]) == 2
    said = {
        'other outputs': 'does not reproduce the golden outputs',
        'no TFLite': 'no TFLite file',
        'no model': 'give --out DIR',
    }
    assert said[kind] in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == names
