"""Label files of other projects."""

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
    [('none.txt', 'none.txt cannot be read'), ('empty.txt', 'names no class'), ({-1: 'a'}, '-1')],
)
def test_mistakes(tmp_path, value, said):
    (tmp_path / 'empty.txt').write_text('\n')
    with pytest.raises(ModelError, match=said):
        read_labels(value, tmp_path, where='m')
