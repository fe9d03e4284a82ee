"""Where files that come with the package are found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.files import (
    file_sha256,
    read_regular,
    read_regular_text,
    sha256_of,
    shared_folders,
    tree_sha256,
)
from rs_ml_perception.recordings.pictures import read_color

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('no-such-folder', []),
        ('config/models', [PROJECT / 'config' / 'models']),
        ('launch', [PROJECT / 'launch']),
    ],
)
def test_the_checkout_comes_first(name, expected, monkeypatch):
    monkeypatch.delenv('AMENT_PREFIX_PATH', raising=False)
    monkeypatch.setattr(sys, 'prefix', '/nowhere')
    assert shared_folders(name) == expected


def test_prefixes_follow_in_order(tmp_path, monkeypatch):
    folders = []
    for prefix in ('sys', 'first', 'second'):
        folders.append(tmp_path / prefix / 'share' / 'rs_ml_perception' / 'things')
        folders[-1].mkdir(parents=True)
    monkeypatch.setattr(sys, 'prefix', str(tmp_path / 'sys'))
    paths = f'{tmp_path / "first"}::{tmp_path / "second"}:{tmp_path / "first"}'
    monkeypatch.setenv('AMENT_PREFIX_PATH', paths)
    assert shared_folders('things') == folders


@pytest.fixture
def strange(tmp_path):
    """A path of the given kind."""
    os.mkfifo(tmp_path / 'pipe')
    (tmp_path / 'endless').symlink_to('/dev/zero')
    (tmp_path / 'loop').symlink_to(tmp_path / 'loop')
    (tmp_path / 'large').write_bytes(bytes(11))
    (tmp_path / 'folder').mkdir()
    return tmp_path


STRANGE = {
    'pipe': 'not a regular file',
    'endless': 'a device, not a regular file',
    'folder': 'it is a folder',
    'loop': 'cannot be read',
    'nowhere': 'No such file',
    'nul\0': 'null',
}


@pytest.mark.parametrize('name', STRANGE)
def test_irregular_files_are_rejected(strange, name):
    with pytest.raises(InputError, match=STRANGE[name]):
        read_regular(strange / name, max_bytes=10)
    with pytest.raises(InputError, match=STRANGE[name]):
        read_color(strange / name)


def test_sizes_are_bounded(strange):
    with pytest.raises(InputError, match='too large: 11 bytes, at most 10'):
        read_regular(strange / 'large', max_bytes=10)
    assert read_regular(strange / 'large', max_bytes=11) == bytes(11)


def test_links_to_files_are_files(tmp_path: Path):
    (tmp_path / 'file').write_text('words', encoding='utf-8')
    (tmp_path / 'link').symlink_to('file')
    assert read_regular_text(tmp_path / 'link', max_bytes=10) == 'words'


def test_text_is_utf8(tmp_path: Path):
    (tmp_path / 'file').write_bytes(b'\xff\xfe')
    with pytest.raises(InputError, match='no UTF-8'):
        read_regular_text(tmp_path / 'file', max_bytes=10)


EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
RECIPE = "find -type f | sed 's|^./||' | LC_ALL=C sort | xargs sha256sum | sha256sum"


def test_empty_file_and_empty_folder(tmp_path):
    (tmp_path / 'f').touch()
    (tmp_path / 'd').mkdir()
    assert file_sha256(tmp_path / 'f') == sha256_of(tmp_path / 'd') == EMPTY


def test_folder_is_digested_as_documented(tmp_path):
    for name in ('saved_model.pb', 'variables/variables.index', 'A', 'variables-2'):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    shell = subprocess.run(RECIPE, shell=True, cwd=tmp_path, capture_output=True, check=True)
    assert tree_sha256(tmp_path) == shell.stdout.decode().split()[0]


def test_a_moved_file_changes_the_digest(tmp_path):
    (tmp_path / 'a').write_text('x')
    before = tree_sha256(tmp_path)
    (tmp_path / 'a').rename(tmp_path / 'b')
    assert tree_sha256(tmp_path) != before
