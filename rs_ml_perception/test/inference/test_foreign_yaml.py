"""Untrusted YAML: small, flat and without aliases."""

import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.inference.foreign_yaml import MAX_BYTES, MAX_DEPTH, read_yaml

# Ten lines, 490 bytes: a thousand million words.
ALIASES = 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n' + ''.join(
    f'a{i}: &a{i} [{",".join([f"*a{i - 1}"] * 10)}]\n' for i in range(1, 9)
)


def nested(depth):
    return [nested(depth - 1)] if depth > 1 else []


def written(tmp_path, text):
    (tmp_path / 'a.yaml').write_text(text, encoding='utf-8')
    return tmp_path / 'a.yaml'


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('', None),
        ('a: 1', {'a': 1}),
        ('a: [1, 2.5, true, null, word]', {'a': [1, 2.5, True, None, 'word']}),
        ('a: |\n  two\n  lines\n', {'a': 'two\nlines\n'}),
        ('a: &anchor 1', {'a': 1}),
        ('[' * MAX_DEPTH + ']' * MAX_DEPTH, nested(MAX_DEPTH)),
        (f'a: {(1 << 63) - 1}', {'a': (1 << 63) - 1}),
    ],
)
def test_plain_content(tmp_path, text, expected):
    assert read_yaml(written(tmp_path, text)) == expected


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        (ALIASES + 'name: *a8', r'\*a0 is an alias'),
        ('a: &a [*a]', r'\*a is an alias'),
        ('a: &a {b: 1}\nc: {<<: *a}', r'\*a is an alias'),
        ('[' * (MAX_DEPTH + 1) + ']' * (MAX_DEPTH + 1), 'nested deeper than 16'),
        ('- ' * 500, 'nested deeper than 16'),
        ('a: "\\e[2J"', 'holds control characters'),
        ('a: "\\u202e"', 'holds control characters'),
        ('"\\a": 1', 'holds control characters'),
        ('a: ' + '1' * 5000, 'cannot be read as YAML'),
        ('a: 0x' + 'f' * 5000, 'more than 64 bits'),
        (f'a: {1 << 63}', 'more than 64 bits'),
        ('a: 2024-99-99', 'month must be in'),
        ('!!python/object:os.system {}', 'could not determine a constructor'),
        ('a: [', 'cannot be read as YAML'),
    ],
)
def test_refused_yaml(tmp_path, text, said):
    with pytest.raises(InputError, match=said) as caught:
        read_yaml(written(tmp_path, text))
    assert len(str(caught.value)) < 2100


def test_large_files_are_not_read(tmp_path):
    with pytest.raises(InputError, match='too large'):
        read_yaml(written(tmp_path, '#' * (MAX_BYTES + 1)))


def test_an_unknown_file(tmp_path):
    with pytest.raises(InputError, match='No such file'):
        read_yaml(tmp_path / 'a.yaml')
