"""Folders that appear whole or not at all."""

from pathlib import Path

import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.files import sha256_of
from rs_ml_training.errors import ExportError
from rs_ml_training.export.exporter import staged


def write(out, text, *, force=False):
    with staged(out, force=force) as folder:
        (folder / 'manifest.yaml').write_text(text)


def write_half(out, error):
    with staged(out, force=True) as folder:
        (folder / 'manifest.yaml').write_text('half')
        raise error


def test_it_appears_at_the_end(tmp_path):
    out = tmp_path / 'deep' / 'model'
    with staged(out) as folder:
        (folder / 'manifest.yaml').write_text('new')
        assert not out.exists()
    assert (out / 'manifest.yaml').read_text() == 'new'
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize('raised', [ExportError('no'), OSError(28, 'No space left on device')])
def test_failure_leaves_the_old_folder(tmp_path, raised):
    out = tmp_path / 'model'
    write(out, 'old')
    with pytest.raises(ExportError):
        write_half(out, raised)
    assert list(tmp_path.iterdir()) == [out]
    assert (out / 'manifest.yaml').read_text() == 'old'


def test_a_model_that_cannot_be_replaced_comes_back(tmp_path, monkeypatch):
    out = tmp_path / 'model'
    write(out, 'old')
    rename = Path.rename

    def failing(self, target):
        if self.name.startswith('.model-') and Path(target) == out:
            raise OSError(5, 'Input/output error')
        return rename(self, target)

    monkeypatch.setattr(Path, 'rename', failing)
    with pytest.raises(ExportError, match='cannot be written'):
        write(out, 'new', force=True)
    assert list(tmp_path.iterdir()) == [out]
    assert (out / 'manifest.yaml').read_text() == 'old'


def test_force_replaces_a_model(tmp_path):
    out = tmp_path / 'model'
    write(out, 'old')
    (out / 'stale.tflite').touch()
    write(out, 'new', force=True)
    assert [p.name for p in out.iterdir()] == ['manifest.yaml']
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ('make', 'force', 'sentence'),
    [
        (lambda out: write(out, 'old'), False, '--force'),
        (lambda out: (out.mkdir(), (out / 'thesis.tex').touch()), True, 'holds no manifest.yaml'),
        (lambda out: out.touch(), True, 'is a file'),
    ],
)
def test_folders_that_are_not_replaced(tmp_path, make, force, sentence):
    out = tmp_path / 'model'
    make(out)
    with pytest.raises(ConfigError, match=sentence):
        write(out, 'new', force=force)
    assert list(tmp_path.iterdir()) == [out]


def test_an_empty_folder_may_be_filled(tmp_path):
    write(tmp_path, 'new')
    assert (tmp_path / 'manifest.yaml').read_text() == 'new'


def test_checksums(tmp_path):
    (tmp_path / 'b').mkdir()
    (tmp_path / 'b' / 'c').write_bytes(b'abc')
    (tmp_path / 'a').write_bytes(b'')
    abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    assert sha256_of(tmp_path / 'b' / 'c') == abc
    before = sha256_of(tmp_path)
    (tmp_path / 'a').write_bytes(b'1')
    assert sha256_of(tmp_path) != before
