"""`rs-ml parameters`: every parameter of every node, as YAML, Markdown or in their pages."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rs_ml_perception.cli.task_options import OUTPUT
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.flags import add_flags, from_flags
from rs_ml_perception.core.options import Option, Options, option, walk

SET_BY_DEFAULT = 'max_age_secs'
"""A node's block in a parameter file must not be empty: this one stands uncommented."""

BEGIN, END = '<!-- parameters: begin -->', '<!-- parameters: end -->'
"""What stands between them in a page is made by this command."""
COMMON_PAGE, TOOLS_PAGE = 'README.md', 'replay_and_record.md'

HEADER = """\
# Parameters of the perception nodes, with their defaults. Remove the '# ' of what you change.
# Made by: rs-ml parameters --format yaml
# [static]: only while the node is unconfigured; all others also by `ros2 param set`."""


@dataclass(frozen=True)
class ParametersOptions(Options):
    """Flags of the command."""

    format: str = option('yaml', 'parameter file, or table', choices=('yaml', 'markdown'))
    node: str = option('', 'one node', none_doc='all')
    pages: Path | None = option(
        None,
        'write the tables into the pages NODE.md of this folder, in place of printing',
        metavar='DIR',
    )


def add_parameters(subparsers: Any) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        'parameters',
        help='list the parameters of the nodes',
        description='List the parameters of the nodes with their defaults.',
        example='rs-ml parameters --node detection --format markdown',
    )
    add_flags(parser, ParametersOptions, group=OUTPUT)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print them, or write them into pages."""
    from rs_ml_perception.nodes.table import NODES, parse_nodes

    options = from_flags(ParametersOptions, args)
    if options.pages is not None:
        for path, text in updated_pages(options.pages).items():
            path.write_text(text, encoding='utf-8')
        return 0
    form = to_yaml if options.format == 'yaml' else to_markdown
    blocks = [
        form(name, NODES[name].node_class().parameters_type) for name in parse_nodes(options.node)
    ]
    print('\n\n'.join([HEADER, *blocks] if options.format == 'yaml' else blocks))
    return 0


def updated_pages(folder: Path) -> dict[Path, str]:
    """The pages with the tables of today, by their path; what all nodes share stands once.

    Raises:
        ConfigError: a page is missing, or has no place for a table.
    """
    from rs_ml_perception.nodes.record_node import RecordOptions
    from rs_ml_perception.nodes.replay_options import ReplayOptions
    from rs_ml_perception.nodes.table import NODES

    rows = {name: _rows(spec.node_class().parameters_type) for name, spec in NODES.items()}
    common = [row for row in next(iter(rows.values())) if all(row in own for own in rows.values())]
    tables = {
        f'{name}.md': _table(name, [row for row in own if row not in common])
        for name, own in rows.items()
    }
    tables[COMMON_PAGE] = _table('every node', common)
    tools = {'replay': ReplayOptions, 'record': RecordOptions}
    tables[TOOLS_PAGE] = '\n\n'.join(to_markdown(name, kind) for name, kind in tools.items())
    return {folder / page: _with_table(folder / page, table) for page, table in tables.items()}


def _with_table(path: Path, table: str) -> str:
    try:
        text = path.read_text(encoding='utf-8')
    except OSError as error:
        raise ConfigError(f'{path} cannot be read: {error.strerror}') from error
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigError(f'{path} has no place for a table: add the lines {BEGIN} and {END}')
    return f'{before}{BEGIN}\n\n{table}\n\n{END}{after}'


def to_yaml(name: str, parameters_type: type) -> str:
    """The block of one node in a ROS parameter file."""
    return '\n'.join([f'/**/{name}:', '  ros__parameters:', *_yaml_lines(parameters_type)])


def _yaml_lines(parameters_type: type) -> Iterator[str]:
    for leaf in walk(parameters_type):
        mark = '' if leaf.name == SET_BY_DEFAULT else '# '
        yield f'    {mark}{leaf.name}: {_value(leaf)}  # {_text(leaf)}'


def to_markdown(name: str, parameters_type: type) -> str:
    """A table of one node's parameters."""
    return _table(name, _rows(parameters_type))


def _rows(parameters_type: type) -> list[str]:
    return [
        f'| `{leaf.name}` | `{_value(leaf)}` | {_cell(leaf)} |' for leaf in walk(parameters_type)
    ]


def _table(name: str, rows: list[str]) -> str:
    return '\n'.join([f'| {name}: parameter | default | meaning |', '|---|---|---|', *rows])


def _cell(leaf: Option) -> str:
    return _text(leaf).replace('|', '\\|')


def _value(leaf: Option) -> str:
    default = leaf.parameter_default
    if default == () and leaf.item_type is str:
        return "['']"
    return json.dumps(list(default) if isinstance(default, tuple) else default)


def _text(leaf: Option) -> str:
    choices = f' ({", ".join(leaf.info.choices)})' if leaf.info.choices else ''
    return f'{leaf.parameter_text}{choices}{" [static]" if leaf.info.static else ""}'
