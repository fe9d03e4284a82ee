"""The commands in the documentation parse: known tools, flags, data formats, networks."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from rs_ml_perception.core.errors import RsMlError
from rs_ml_perception.launching.arguments import ARGUMENTS
from rs_ml_perception.nodes.table import EXECUTABLES

ROOT = Path(__file__).resolve().parent.parent
FEATURES = ROOT / 'docs' / 'features.md'
PARSERS = {
    'rs-ml': ('rs_ml_perception.cli.main', 'build_parser'),
    'rs-ml-plane-rms': ('rs_ml_perception.cli.plane_rms', 'build_parser'),
    **{
        f'rs-ml-{name}': (f'rs_ml_training.cli.{name}', 'parser')
        for name in ('data', 'evaluate', 'export', 'predict', 'train')
    },
}
PLACEHOLDERS = re.compile(r'\.\.\.|\||\[|<|VERB|COMMAND|\$[A-Z]|&&')


def commands_of_tables(text: str) -> Iterator[str]:
    """Commands in the second column of the tables."""
    for line in text.splitlines():
        cells = line.strip().split(' | ')
        if line.startswith('|') and len(cells) == 2:
            yield from re.findall(r'`([a-z][\w-]+ [^`]+)`', cells[1])


def commands_of_blocks(text: str) -> Iterator[str]:
    """Lines of code blocks that begin with one of our tools and name real values."""
    joined = text.replace('\\\n', ' ')
    for line in re.findall(r'^    +(rs-ml\S* .*)$', joined, re.MULTILINE):
        command = re.sub(r'\s+# .*', '', line)
        if not PLACEHOLDERS.search(command):
            yield command


def check(command: str) -> None:
    """Raise or fail unless the tool of a command accepts its words."""
    tool, *words = shlex.split(command)
    if tool in PARSERS:
        check_tool(tool, words)
    elif tool == 'make':
        assert re.search(rf'^{words[0]}:', (ROOT / 'Makefile').read_text(), re.MULTILINE)
    elif tool == 'ros2':
        check_ros2(words)
    else:
        pytest.fail(f'no rule for {tool}')


def check_tool(tool: str, words: list[str]) -> None:
    module, function = PARSERS[tool]
    is_training = module.startswith('rs_ml_training')
    if is_training:
        pytest.importorskip('rs_ml_training')
    words = [f'@{ROOT / word[1:]}' if word[0] == '@' else word for word in words]
    found = getattr(importlib.import_module(module), function)().parse_args(words)
    if is_training:
        check_names(tool, found)


def check_names(tool: str, found: argparse.Namespace) -> None:
    """Names that the parser leaves to the tool."""
    from rs_ml_training.data.formats import FORMATS
    from rs_ml_training.networks.registry import NETWORKS

    data = getattr(found, 'data', ())
    for source in [data] if isinstance(data, str) else data:
        assert source.partition(':')[0] in FORMATS, source
    if tool == 'rs-ml-train' and hasattr(found, 'model'):
        assert found.model in NETWORKS


def check_ros2(words: list[str]) -> None:
    verb, *rest = words
    if verb == 'launch':
        assert rest[:2] == ['rs_ml_perception', 'perception.launch.py']
        assert {word.partition(':=')[0] for word in rest[2:]} <= set(ARGUMENTS)
    elif verb == 'run':
        assert rest[0] == 'rs_ml_perception'
        assert rest[1] in EXECUTABLES
        pages = ''.join(p.read_text() for p in (ROOT / 'docs' / 'nodes').glob('*.md'))
        for parameter in (word.partition(':=')[0] for word in rest if ':=' in word):
            assert f'| `{parameter}` |' in pages, parameter
    else:
        assert words == ['topic', 'echo', '/diagnostics']


@pytest.mark.parametrize('command', commands_of_tables(FEATURES.read_text()))
def test_commands_of_features(command):
    check(command)


PAGES = sorted({*ROOT.glob('*.md'), *(ROOT / 'docs').rglob('*.md'), *ROOT.glob('*/README.md')})


@pytest.mark.parametrize(
    ('page', 'command'),
    [
        pytest.param(page, command, id=f'{page.relative_to(ROOT)}: {command[:60]}')
        for page in PAGES
        for command in commands_of_blocks(page.read_text())
    ],
)
def test_commands_of_pages(page, command):
    check(command)


@pytest.mark.parametrize('row', re.findall(r'^\| (?!feature|---).*$', FEATURES.read_text(), re.M))
def test_every_feature_has_a_command_or_is_said_to_be_absent(row):
    assert '`' in row or 'not there' in row or 'not tried' in row


@pytest.mark.parametrize(
    'command',
    [
        'rs-ml detect a.jpg --no-such-flag',
        'rs-ml-data stats --data novel:x',
        'rs-ml-train depth --model novel --data folder:x',
        'make nothing',
        'ros2 launch rs_ml_perception perception.launch.py novel:=1',
        'ros2 run rs_ml_perception novel_node',
        'ros2 run rs_ml_perception height_node --ros-args -p novel:=1',
    ],
)
def test_the_check_bites(command):
    with pytest.raises((AssertionError, SystemExit, RsMlError)):
        check(command)
