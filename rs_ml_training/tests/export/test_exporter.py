"""Whole model directories."""

import numpy as np
import pytest
import yaml
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.files import sha256_of
from rs_ml_training.errors import ExportError
from rs_ml_training.export import formats
from rs_ml_training.export.exporter import ExportOptions, export
from rs_ml_training.export.report import summary


def test_a_model_directory(toy, noise, tmp_path):
    trained = toy('depth', license='CC-BY-NC-4.0', command='rs-ml-train depth')
    out = tmp_path / 'depth_toy'
    options = ExportOptions(('tflite',), representative=noise, command='rs-ml-export run')
    report = export(trained, out, options)
    assert sorted(p.name for p in out.iterdir()) == [
        'LICENSE',
        'README.md',
        'golden.npz',
        'manifest.yaml',
        'model.tflite',
    ]
    manifest = yaml.safe_load((out / 'manifest.yaml').read_text())
    assert manifest['name'] == 'depth_toy'
    assert manifest['artifacts'][0]['sha256'] == sha256_of(out / 'model.tflite')
    assert manifest['golden']['sha256'] == sha256_of(out / 'golden.npz')
    assert manifest['golden']['picture'] == 'first frame of recordings/synthetic_room'
    (tolerance,) = manifest['golden']['tolerance'].values()
    assert 0.03 <= tolerance.pop('bfloat16') <= 0.1
    assert tolerance == {'measure': 'relative', 'float32': 1e-3}
    assert manifest['outputs'] == {
        'depth': {'tensor': 'depth', 'shape': [1, 48, 64, 1], 'dtype': 'float32'}
    }
    card = (out / 'README.md').read_text()
    for text in ('# depth_toy', 'abs_rel | 0.5', 'rs-ml-train depth', 'rs-ml-export run', 'noise'):
        assert text in card
    assert 'CC-BY-NC-4.0' in (out / 'LICENSE').read_text()
    assert report.compared == 5
    assert report.worst <= 1e-3
    assert str(out) in summary(report)


def test_the_golden_input_can_be_a_sample(toy, noise, tmp_path):
    options = ExportOptions(('tflite',), golden=noise)
    export(toy('depth', size=(80, 60)), tmp_path / 'model', options)
    with np.load(tmp_path / 'model' / 'golden.npz') as archive:
        np.testing.assert_array_equal(archive['input/image'][0], noise.read(0).image)


def test_int8_reports_its_loss_of_accuracy(toy, noise, tmp_path):
    options = ExportOptions(('onnx',), 'int8', representative=noise, data_samples=4)
    report = export(toy('depth'), tmp_path / 'model', options)
    assert report.samples == 4
    (file,) = report.files
    assert set(file.metrics) == set(report.metrics) == {'abs_rel', 'rms', 'd1'}
    assert file.metrics != report.metrics
    card = (tmp_path / 'model' / 'README.md').read_text()
    assert f'| onnx int8 | {file.metrics["abs_rel"]:.4f} |' in card
    assert '| difference |' in card
    golden = yaml.safe_load((tmp_path / 'model' / 'manifest.yaml').read_text())['golden']
    assert golden['tolerance']['depth'] == {
        'measure': 'relative',
        'float32': 0.02,
        'bfloat16': 0.03,
    }


def test_a_detector_is_judged_in_the_classes_that_it_learned(toy, noise, tmp_path):
    noise.labels = ('cat', 'dog')
    options = ExportOptions(('saved_model',), data=noise, data_samples=2)
    report = export(toy('detection', labels=('dog', 'cow')), tmp_path / 'model', options)
    assert report.samples == 2
    noise.labels = ('cat', 'bird')
    with pytest.raises(ConfigError, match='no class in common'):
        export(toy('detection', labels=('dog', 'cow')), tmp_path / 'other', options)


def test_a_file_of_other_weights_is_refused(toy, tmp_path, monkeypatch):
    """Nothing is left of an export one of whose files is wrong."""
    write = formats.write

    def damaging(name, serving, *arguments):
        if name != 'frozen_graph':
            return write(name, serving, *arguments)
        weights = serving.model.get_weights()
        serving.model.set_weights([w * np.float32(1.01) for w in weights])
        try:
            return write(name, serving, *arguments)
        finally:
            serving.model.set_weights(weights)

    monkeypatch.setattr(formats, 'write', damaging)
    options = ExportOptions(('tflite', 'frozen_graph'))
    with pytest.raises(ExportError, match=r'frozen_graph\.pb does not reproduce'):
        export(toy('depth'), tmp_path / 'model', options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('options', 'sentence'),
    [
        ({'precision': 'int8'}, 'give --representative'),
        ({'formats': ()}, 'no format is given'),
        ({'formats': ('tflite',), 'precision': 'bf16'}, "no precision 'bf16'"),
    ],
)
def test_wrong_options_are_refused_first(tmp_path, options, sentence):
    pytest.importorskip('tf2onnx')
    with pytest.raises(ConfigError, match=sentence):
        export(None, tmp_path / 'model', ExportOptions(**options))
    assert not list(tmp_path.iterdir())
