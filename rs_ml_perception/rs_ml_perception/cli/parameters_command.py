"""`rs-ml parameters`: every parameter of every node, as YAML or Markdown."""

from __future__ import annotations

import argparse
import json
import typing
from collections.abc import Iterator

from rs_ml_perception.core.options import Option, walk

SET_BY_DEFAULT = 'max_age_secs'
"""A node's block in a parameter file must not be empty: this one stands uncommented."""

HEADER = """\
# Parameters of the perception nodes, with their defaults. Remove the '# ' of what you change.
# Made by: rs-ml parameters --format yaml
# [static]: only while the node is unconfigured; all others also by `ros2 param set`."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the command."""
    parser = subparsers.add_parser('parameters', help='list the parameters of the nodes')
    parser.add_argument('--format', choices=('yaml', 'markdown'), default='yaml')
    parser.add_argument('--node', default='', help='one node; default: all')
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print them."""
    from rs_ml_perception.nodes.table import NODES, parse_nodes

    form = to_yaml if arguments.format == 'yaml' else to_markdown
    blocks = [
        form(name, NODES[name].node_class().parameters_type)
        for name in parse_nodes(arguments.node)
    ]
    print('\n\n'.join([HEADER, *blocks] if arguments.format == 'yaml' else blocks))
    return 0


def to_yaml(name: str, parameters_type: type) -> str:
    """The block of one node in a ROS parameter file."""
    return '\n'.join([f'/**/{name}:', '  ros__parameters:', *_yaml_lines(parameters_type)])


def _yaml_lines(parameters_type: type) -> Iterator[str]:
    for leaf in walk(parameters_type):
        mark = '' if leaf.name == SET_BY_DEFAULT else '# '
        yield f'    {mark}{leaf.name}: {_value(leaf)}  # {_text(leaf)}'


def to_markdown(name: str, parameters_type: type) -> str:
    """A table of one node's parameters."""
    rows = [
        f'| `{leaf.name}` | `{_value(leaf)}` | {_text(leaf)} |' for leaf in walk(parameters_type)
    ]
    return '\n'.join([f'| {name}: parameter | default | meaning |', '|---|---|---|', *rows])


def _value(leaf: Option) -> str:
    if leaf.default == () and str in typing.get_args(leaf.type):
        return "['']"
    if isinstance(leaf.default, tuple):
        return json.dumps(list(leaf.default))
    return json.dumps(leaf.default)


def _text(leaf: Option) -> str:
    choices = f' ({", ".join(leaf.info.choices)})' if leaf.info.choices else ''
    return f'{leaf.info.doc}{choices}{" [static]" if leaf.info.static else ""}'
