"""The part of a document that is written."""

import pytest
from rs_ml_perception.core.errors import ConfigError

from benchmarks.accuracy.report import (
    BEGIN,
    END,
    add_markers,
    check_document,
    write_part,
)


def test_only_the_part_between_the_markers_changes(tmp_path):
    path = tmp_path / 'models.md'
    path.write_text(f'# Head\n\n{BEGIN}\nold\n{END}\n\nfoot\n')
    write_part(path, 'new')
    write_part(path, 'newer')
    assert path.read_text() == f'# Head\n\n{BEGIN}\n\nnewer\n\n{END}\n\nfoot\n'


def test_a_new_file_holds_the_part_alone(tmp_path):
    write_part(tmp_path / 'new.md', 'part')
    write_part(tmp_path / 'new.md', 'part')
    assert (tmp_path / 'new.md').read_text() == f'{BEGIN}\n\npart\n\n{END}\n'


@pytest.mark.parametrize('text', ['', BEGIN, f'{END} {BEGIN}', f'{BEGIN}{BEGIN}{END}'])
def test_a_file_without_markers_is_left_alone(tmp_path, text):
    path = tmp_path / 'models.md'
    path.write_text(text)
    with pytest.raises(ConfigError, match='has not the lines'):
        write_part(path, 'part')
    assert path.read_text() == text


def test_a_folder_must_be_there(tmp_path):
    with pytest.raises(ConfigError, match='is no folder'):
        check_document(tmp_path / 'nowhere' / 'models.md')


def test_markers_are_added_once(tmp_path):
    path = tmp_path / 'README.md'
    path.write_text('# model\n')
    add_markers(path, '## Unseen')
    add_markers(path, '## Unseen')
    write_part(path, 'figures')
    assert path.read_text() == f'# model\n\n## Unseen\n\n{BEGIN}\n\nfigures\n\n{END}\n'
