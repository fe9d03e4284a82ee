"""Flags from dataclasses, argument files, and what a wrong one is answered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_training.cli.flags import FlagParser, add_flags, flag, from_flags, parsed
from rs_ml_training.cli.train import main, options_of, parser


@dataclass(frozen=True)
class _Options:
    rate: float = flag(0.5, 'a number', low=0)
    kind: str = flag('a', 'a choice', choices=('a', 'b'))
    fast: bool = flag(False, 'a switch')
    size: tuple[int, int] | None = flag(None, 'a size')
    names: tuple[str, ...] = flag((), 'a list')
    file: Path | None = flag(None, 'a file', name='from')


def _read(*words: str) -> _Options:
    parser = FlagParser()
    add_flags(parser, _Options)
    return from_flags(_Options, parser.parse_args(words))


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        ((), _Options()),
        (('--rate', '2'), _Options(rate=2.0)),
        (('--kind', 'b', '--fast'), _Options(kind='b', fast=True)),
        (('--no-fast',), _Options()),
        (('--size', '640x480'), _Options(size=(640, 480))),
        (('--names', 'x', 'y'), _Options(names=('x', 'y'))),
        (('--from', 'a.txt'), _Options(file=Path('a.txt'))),
    ],
)
def test_flags(words, expected):
    assert _read(*words) == expected


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (('--rate', '-1'), '--rate must be at least 0, got -1.0'),
        (('--kind', 'c'), "--kind must be one of a, b: 'c'"),
    ],
)
def test_wrong_values(words, message):
    with pytest.raises(ConfigError, match=message):
        _read(*words)


@pytest.mark.parametrize(
    'words', [('--rate', 'x'), ('--size', '640'), ('--none',), ('--rat', '1')]
)
def test_what_argparse_refuses(words, capsys):
    with pytest.raises(SystemExit):
        _read(*words)
    assert 'error' in capsys.readouterr().err


def test_argument_file_and_what_follows_it(tmp_path):
    file = tmp_path / 'args.txt'
    file.write_text('--rate 0.25  # slow\n# nothing\n\n--names x y\n--fast\n')
    assert _read(f'@{file}', '--rate', '3') == _Options(rate=3, names=('x', 'y'), fast=True)


@pytest.mark.parametrize(
    ('text', 'kind', 'value'),
    [('true', bool, True), ('No', bool, False), ('1e-3', float, 1e-3), ('4', int, 4)],
)
def test_parsed(text, kind, value):
    assert parsed(text, kind) == value


@pytest.mark.parametrize(('text', 'kind'), [('maybe', bool), ('x', float), ('1.5', int)])
def test_not_parsed(text, kind):
    with pytest.raises(ConfigError, match=text):
        parsed(text, kind)


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        (('depth',), {'model': 'fastdepth', 'loss': 'l1', 'optimizer': 'adamw'}),
        (('depth', '--model', 'bts'), {'loss': 'silog', 'batch_size': 4, 'augment': 'bts-nyu'}),
        (('depth', '--model', 'bts', '--loss', 'l2'), {'loss': 'l2', 'learning_rate': 1e-4}),
        (('denoise',), {'model': 'unet-light', 'monitor': 'rmse_m'}),
        (('segmentation', '--ema', '0'), {'ema': 0.0, 'monitor': 'miou'}),
        (('detection', '--classes', 'person'), {'classes': ('person',)}),
    ],
)
def test_defaults_of_task_and_network(words, expected):
    options = options_of(parser().parse_args(words))
    assert {name: getattr(options, name) for name in expected} == expected


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (('depth',), '--data is missing'),
        (('depth', '--data', 'nyu'), 'is not FORMAT:PATH'),
        (('depth', '--data', 'camvid:/none'), '/none does not exist'),
        (('depth', '--epochs', '0'), '--epochs must be at least 1'),
        (('depth', '--trials', '2'), '--search is missing'),
    ],
)
def test_errors_are_one_sentence(words, message, capsys, tmp_path):
    pytest.importorskip('keras')
    assert main([*words, '--runs', str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith('error: ')
    assert message in error
    assert error.count('\n') == 1
