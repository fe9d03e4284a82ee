"""Files of strangers: what never answers or never ends is not opened."""

import os
from pathlib import Path

import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.regular_file import read_regular, read_regular_text
from rs_ml_perception.recordings.pictures import read_color


@pytest.fixture
def strange(tmp_path):
    """A path by what it is."""
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
def test_what_is_no_regular_file(strange, name):
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
