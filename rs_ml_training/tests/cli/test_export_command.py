"""`rs-ml-export`."""

import numpy as np
import pytest
import yaml
from rs_ml_training.cli.export import main
from rs_ml_training.trained import BEST_WEIGHTS, ModelSpec, build, write_spec

SIZE = (32, 32)


@pytest.fixture(scope='module')
def run_folder(tmp_path_factory):
    """A run folder as a training leaves it."""
    keras = pytest.importorskip('keras')
    if keras.backend.backend() != 'tensorflow':
        pytest.skip('export starts from TensorFlow')
    folder = tmp_path_factory.mktemp('run')
    keras.utils.set_random_seed(5)
    spec = ModelSpec('depth', 'fastdepth-pruned', SIZE, metrics={'d1': 0.25}, data='noise')
    model = build(spec)
    head = model.get_layer('decoder_pw_6')
    head.set_weights([w * np.float32(40) for w in head.get_weights()])
    model.save_weights(folder / BEST_WEIGHTS)
    write_spec(spec, folder)
    return folder


def test_a_run_becomes_a_model(run_folder, tmp_path, capsys):
    out = tmp_path / 'depth'
    arguments = [str(run_folder), '--out', str(out), '--formats', 'onnx', '--name', 'mine']
    assert main([*arguments, '--input-size', '64x32', '--version', '3']) == 0
    manifest = yaml.safe_load((out / 'manifest.yaml').read_text())
    assert (manifest['name'], manifest['version']) == ('mine', '3')
    assert manifest['input'][0]['size'] == [64, 32]
    printed = capsys.readouterr().out
    assert '| onnx | model.onnx |' in printed
    assert 'rs-ml-export' in (out / 'README.md').read_text()
    assert main(arguments) == 2
    assert '--force' in capsys.readouterr().err
    assert manifest == yaml.safe_load((out / 'manifest.yaml').read_text())


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (['--formats', 'onnx,caffe'], "no format 'caffe'"),
        (['--formats', ''], 'no format is given'),
        (['--precision', 'int8'], 'give --representative'),
        (['--formats', 'saved_model', '--precision', 'float16'], 'holds float32 alone'),
        (['--representative', 'camvid:/no/such'], '/no/such does not exist'),
        (['--data', 'camvid:/', '--data-option', 'train'], "'train' is not NAME=VALUE"),
        (['--representative', 'camvid:/', '--representative-option', 'a=1'], "no option 'a'"),
        (['--input-size', '33x32'], 'multiples of 32'),
        (['--weights', 'epoch9.h5'], 'holds none of epoch9.h5'),
        (['--calibration-samples', '0'], '--calibration-samples must be at least 1'),
    ],
)
def test_wrong_arguments(run_folder, tmp_path, capsys, arguments, sentence):
    out = tmp_path / 'model'
    assert main([str(run_folder), '--out', str(out), *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_no_run(tmp_path, capsys):
    pytest.importorskip('keras')
    assert main([str(tmp_path), '--out', str(tmp_path / 'model')]) == 2
    assert 'give the run folder of a training' in capsys.readouterr().err


def test_another_backend(run_folder, tmp_path, capsys, monkeypatch):
    import keras

    monkeypatch.setattr(keras.backend, 'backend', lambda: 'jax')
    assert main([str(run_folder), '--out', str(tmp_path / 'model')]) == 2
    assert 'KERAS_BACKEND=tensorflow' in capsys.readouterr().err
