"""Label files of other projects."""

import os

import pytest
from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.inference.labels_file import read_labels

LABEL_MAP = """
item { name: "/m/01g317" id: 1 display_name: "person" }
item {
  id: 18
  name: 'dog'
}
"""


@pytest.mark.parametrize(
    ('value', 'file_text', 'expected'),
    [
        ([], '', {}),
        (['a', 'b'], '', {0: 'a', 1: 'b'}),
        (['a', 'n/a', 'c'], '', {0: 'a', 2: 'c'}),
        ({4: 'd', 1: 'a'}, '', {1: 'a', 4: 'd'}),
        ('l.txt', 'a\nn/a\n\nd\n', {0: 'a', 3: 'd'}),
        ('l.pbtxt', LABEL_MAP, {1: 'person', 18: 'dog'}),
    ],
)
def test_formats(tmp_path, value, file_text, expected):
    if isinstance(value, str):
        (tmp_path / value).write_text(file_text)
    assert read_labels(value, tmp_path, where='m').names == expected


@pytest.mark.parametrize(
    ('value', 'said'),
    [
        ('none.txt', 'none.txt cannot be read'),
        ('empty.txt', 'names no class'),
        ({-1: 'a'}, '-1'),
        ('/etc/passwd', 'inside of the model directory'),
        ('pipe.txt', 'not a regular file'),
    ],
)
def test_mistakes(tmp_path, value, said):
    (tmp_path / 'empty.txt').write_text('\n')
    os.mkfifo(tmp_path / 'pipe.txt')
    with pytest.raises(ModelError, match=said):
        read_labels(value, tmp_path, where='m')


# Of lengths at which steps that grow with the square would take hours.
STRANGE = {
    'items without end': ('l.pbtxt', 'item {' * 150_000, 'names no class'),
    'a word': ('l.pbtxt', 'item {' + 'a' * 1_000_000 + '}', "lacks .*'name'"),
    'spaces': ('l.pbtxt', 'item { id: 1' + ' ' * 1_000_000 + 'name }', "lacks .*'name'"),
    'no number': ('l.pbtxt', 'item { id: word name: "a" }', "lacks .*'id'"),
    'digits': ('l.pbtxt', f'item {{ id: {"9" * 5000} name: "a" }}', 'lacks a proper id'),
    'long name': ('l.txt', 'a' * 201, 'at most 200 printable characters, got 201'),
    'escape code': ('l.txt', 'red\x1b[31m', 'printable characters, got 8'),
    'many names': ('l.txt', 'a\n' * 600_000, 'too large: 1200000 bytes'),
}


@pytest.mark.parametrize('name', STRANGE)
def test_untrusted_files(tmp_path, name):
    file, text, said = STRANGE[name]
    (tmp_path / file).write_text(text)
    with pytest.raises(ModelError, match=said):
        read_labels(file, tmp_path, where='m')


def test_nested_items_do_not_count(tmp_path):
    (tmp_path / 'l.pbtxt').write_text('item { id: 1 name: "person" keypoints { id: 7 } }')
    assert read_labels('l.pbtxt', tmp_path, where='m').names == {1: 'person'}
