"""Command line flags from dataclasses, argument files, and errors."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.flags import (
    FlagParser,
    add_flags,
    checked,
    comma_separated,
    from_flags,
    parsed,
)
from rs_ml_perception.core.options import REQUIRED, Options, option


@dataclass(frozen=True)
class _Options:
    rate: float = option(0.5, 'a number', unit='Hz', low=0)
    kind: str = option('a', 'a choice', choices=('a', 'b'))
    fast: bool = option(False, 'with 100 %')
    quiet: bool = option(False, 'a switch', is_switch=True, group='output')
    size: tuple[int, int] | None = option(None, 'a size', none_doc='as trained')
    names: tuple[str, ...] = option((), 'a list')
    classes: tuple[str, ...] = option((), 'a list', metavar='NAME,...', parse=comma_separated)
    file: Path | None = option(None, 'a file', flag='from')
    hidden: int = option(1, 'no flag', flag=None)
    inner: int = 2


def _parser() -> FlagParser:
    parser = FlagParser(prog='tool', example='tool --rate 2')
    add_flags(parser, _Options, group='task')
    return parser


def _read(*words: str) -> _Options:
    return from_flags(_Options, _parser().parse_args(words))


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        ((), _Options()),
        (('--rate', '2'), _Options(rate=2.0)),
        (('--kind', 'b', '--fast'), _Options(kind='b', fast=True)),
        (('--no-fast', '--quiet'), _Options(quiet=True)),
        (('--size', '640x480'), _Options(size=(640, 480))),
        (('--names', 'x', 'y'), _Options(names=('x', 'y'))),
        (('--classes', 'x, y'), _Options(classes=('x', 'y'))),
        (('--from', 'a.txt'), _Options(file=Path('a.txt'))),
    ],
)
def test_flags(words, expected):
    assert _read(*words) == expected


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (('--rate', '-1'), '--rate must be at least 0, got -1.0'),
        (('--kind', 'c'), "--kind must be one of a, b, got 'c'"),
    ],
)
def test_refused_values(words, message):
    with pytest.raises(ConfigError, match=message):
        _read(*words)


@pytest.mark.parametrize(
    'words',
    [
        ('--rate', 'x'),
        ('--size', '640'),
        ('--none',),
        ('--rat', '1'),
        ('--no-quiet',),
        ('--hidden', '2'),
    ],
)
def test_refused_by_argparse(words, capsys):
    with pytest.raises(SystemExit):
        _read(*words)
    assert 'error' in capsys.readouterr().err


def _program() -> FlagParser:
    program = FlagParser(prog='tool')
    verbs = program.add_subparsers(dest='verb', required=True)
    add_flags(verbs.add_parser('run'), _Required)
    add_flags(verbs.add_parser('show'), _Options)
    verbs.choices['show'].add_argument('files', nargs='*')
    verbs.add_parser('old', prefix_chars='+').add_argument('rest', nargs=argparse.REMAINDER)
    return program


@pytest.mark.parametrize(
    ('words', 'usage', 'error'),
    [
        ('show a --rat 2', 'tool show', 'tool show: error: unrecognized arguments: --rat: did'),
        ('show --rat=2', 'tool show', '--rat=2: did you mean --rate?'),
        ('show --colour', 'tool show', 'unrecognized arguments: --colour\n'),
        ('show --quite', 'tool show', '--quite: did you mean --quiet?'),
        ('show -z', 'tool show', 'unrecognized arguments: -z\n'),
        ('run --our x', 'tool run', '--our: did you mean --out?'),
        ('run --out x y', 'tool run', 'unrecognized arguments: y\n'),
        ('--out run --out x', 'tool', 'tool: error: unrecognized arguments: --out\n'),
    ],
)
def test_unknown_arguments_show_the_usage_of_their_command(words, usage, error, capsys):
    with pytest.raises(SystemExit):
        _program().parse_args(words.split())
    printed = capsys.readouterr().err
    assert printed.startswith(f'usage: {usage} ')
    assert error in printed


@pytest.mark.parametrize(
    ('words', 'name', 'value'),
    [
        (['show', '--', '--rat'], 'files', ['--rat']),
        (['show', '--kind', '--no such flag'], 'kind', '--no such flag'),
        (['old', '--rat', '2'], 'rest', ['--rat', '2']),
    ],
)
def test_values_that_look_like_flags(words, name, value):
    assert getattr(_program().parse_args(words), name) == value


def test_abbreviated_flags_are_known_where_allowed():
    parser = FlagParser(allow_abbrev=True)
    add_flags(parser, _Options)
    assert parser.parse_args(['--rat', '2']).rate == 2.0


@dataclass(frozen=True)
class _Bare(Options):
    record: str | None = option(None, 'a flag with or without value', bare='')
    marked: tuple[str, ...] | None = option(None, 'a list or none')


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        ((), _Bare()),
        (('--record',), _Bare(record='')),
        (('--record', 'x'), _Bare(record='x')),
        (('--marked',), _Bare(marked=())),
        (('--marked', 'x', 'y'), _Bare(marked=('x', 'y'))),
    ],
)
def test_flags_without_a_value(words, expected):
    parser = FlagParser()
    add_flags(parser, _Bare)
    assert from_flags(_Bare, parser.parse_args(words)) == expected


def test_help_has_groups_defaults_choices_and_an_example():
    lines = _parser().format_help().splitlines()
    shown = ' '.join(' '.join(lines).split())
    assert 'task:' in lines
    assert 'output:' in lines
    for text in (
        'a number [Hz] (default: 0.5)',
        '{a,b} a choice (default: a)',
        'a size (default: as trained)',
        'with 100 %',
        '--classes NAME,... a list',
        'example: tool --rate 2',
    ):
        assert text in shown
    assert 'hidden' not in shown


def test_help_wraps_paragraphs_and_keeps_indented_lines():
    parser = FlagParser(description='one\ntwo\n\nthree\n  raw  line', example='tool a\ntool b')
    text = parser.format_help()
    assert 'one two\n\nthree\n  raw  line\n' in text
    assert 'example:\n  tool a\n  tool b\n' in text


def test_only_some_options_with_another_default():
    parser = FlagParser()
    add_flags(parser, _Options, only=('kind', 'rate'), defaults={'kind': 'b'})
    assert 'a choice (default: b)' in parser.format_help()
    assert '--fast' not in parser.format_help()
    assert from_flags(_Options, parser.parse_args([]), kind='b') == _Options(kind='b')


@dataclass(frozen=True, kw_only=True)
class _Required(Options):
    out: Path = option(REQUIRED, 'a new folder')


def test_required_options(capsys):
    parser = FlagParser()
    add_flags(parser, _Required)
    assert from_flags(_Required, parser.parse_args(['--out', 'x'])) == _Required(out=Path('x'))
    assert 'default' not in parser.format_help()
    with pytest.raises(SystemExit):
        parser.parse_args([])
    assert 'required: --out' in capsys.readouterr().err


def test_an_argument_file_gives_way_to_later_flags(tmp_path):
    file = tmp_path / 'args.txt'
    file.write_text('--rate 0.25  # slow\n# nothing\n\n--names x y\n--fast\n')
    assert _read(f'@{file}', '--rate', '3') == _Options(rate=3, names=('x', 'y'), fast=True)


def test_unknown_names_are_refused():
    with pytest.raises(ConfigError, match="no option 'inner'; there are rate, kind"):
        checked(_Options, {'inner': 3})


@pytest.mark.parametrize(
    ('text', 'kind', 'value'),
    [
        ('true', bool, True),
        ('No', bool, False),
        ('1e-3', float, 1e-3),
        ('4', int | None, 4),
        ('4x3', tuple[int, int] | None, (4, 3)),
        ('x', tuple[str, ...], 'x'),
    ],
)
def test_parsed(text, kind, value):
    assert parsed(text, kind) == value


@pytest.mark.parametrize(('text', 'kind'), [('maybe', bool), ('x', float), ('1.5', int)])
def test_not_parsed(text, kind):
    with pytest.raises(ConfigError, match=text):
        parsed(text, kind)
