"""ROS parameter files: the parameters of each node in them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.options import DataclassInstance, build, walk
from rs_ml_perception.inference.foreign_yaml import read_yaml

PARAMETERS = 'ros__parameters'


T = TypeVar('T', bound=DataclassInstance)
OF_ROS = ('use_sim_time', 'qos_overrides')
"""Parameters of every ROS node, ignored offline."""


class _PlainDumper(yaml.SafeDumper):
    """Writes no references, which rcl refuses."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


@dataclass(frozen=True)
class ParameterBlocks:
    """The blocks of a parameter file, in its order.

    Attributes:
        values: node name, possibly with wildcards, beginning with '/' -> parameter -> value; names
            of nested parameters are joined by dots.
    """

    values: Mapping[str, Mapping[str, Any]]

    def of(self, node: str) -> dict[str, Any]:
        """The parameters of a node by its full name. As in rcl, later blocks win."""
        found: dict[str, Any] = {}
        for key, block in self.values.items():
            if matches(key, node):
                found |= block
        return found

    def missed(self, nodes: Iterable[str]) -> list[str]:
        """Blocks with the name of one of the nodes that match none of them.

        Args:
            nodes: full names.
        """
        nodes = list(nodes)
        names = {base_name(node) for node in nodes}
        return [
            key
            for key in self.values
            if base_name(key) in names and not any(matches(key, node) for node in nodes)
        ]

    def follow_up(self, values: Mapping[str, Mapping[str, Any]]) -> str:
        """A parameter file that overrides this one if it is passed after it.

        rcl merges blocks of the same name, however far apart, and lets the block win whose name
        it read last. So the names here are ones that this file does not have.

        Args:
            values: full node name -> parameter -> value.
        """
        blocks = {
            self._unused_name(node): {PARAMETERS: dict(given)}
            for node, given in values.items()
            if given
        }
        return yaml.dump(blocks, Dumper=_PlainDumper, sort_keys=False)

    def _unused_name(self, node: str) -> str:
        while node in self.values:
            node = f'/**{node}'
        return node


NO_BLOCKS = ParameterBlocks({})


def read_blocks(path: str | Path) -> ParameterBlocks:
    """Read a parameter file.

    Raises:
        ConfigError: it cannot be read, or is no parameter file.
    """
    content = read_content(path, 'parameter file') or {}
    try:
        return ParameterBlocks(dict(_blocks(content, '')))
    except TypeError:
        raise ConfigError(
            f'parameter file {path} must map node names to {PARAMETERS}, such as '
            f'"/**/detection: {{{PARAMETERS}: {{score_threshold: 0.5}}}}"'
        ) from None


def read_content(path: str | Path, name: str) -> Any:
    """The content of a YAML file of the user, called `name` in errors.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return read_yaml(Path(path))
    except InputError as error:
        raise ConfigError(f'{name} {error}') from error


def _blocks(content: Any, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each block with its name; namespaces may be nested."""
    if not isinstance(content, dict):
        raise TypeError
    for name, inner in content.items():
        if name == PARAMETERS:
            yield prefix or '/', dict(_parameters(inner or {}, ''))
        else:
            yield from _blocks(inner or {}, f'{prefix}/{str(name).strip("/")}')


def _parameters(content: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(content, dict):
        raise TypeError
    for name, value in content.items():
        if isinstance(value, dict):
            yield from _parameters(value, f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', value


def matches(key: str, node: str) -> bool:
    """Whether a block's name stands for a node: * is one part of the name, ** any number."""
    parts = [part for part in key.split('/') if part]
    wildcards = {'*': r'/[^/]+', '**': r'(/[^/]+)*'}
    pattern = ''.join(wildcards.get(part, re.escape(f'/{part}')) for part in parts)
    return re.fullmatch(pattern, node) is not None


def base_name(name: str) -> str:
    """A node's name without its namespace."""
    return name.rpartition('/')[2]


def read_parameters(parameters_type: type[T], name: str, path: str) -> T:
    """The parameters that a node of this name would get.

    Args:
        parameters_type: options dataclass of the node.
        name: of the node.
        path: of the file; '' gives the defaults.

    Raises:
        ConfigError: the file cannot be read, a value is wrong, or a block of this node names a
            parameter that it does not have.
    """
    known = {leaf.name for leaf in walk(parameters_type)}
    for key, given in _given(name, path):
        if base_name(key) == name:
            _check_names(given, known, f'{path}: {key}')
    values = given_values(name, path)
    return build(parameters_type, {k: v for k, v in values.items() if k in known})


def given_values(name: str, path: str) -> dict[str, Any]:
    """The parameters of a node in a file, dotted names; later blocks win, as in ROS.

    Args:
        name: of the node.
        path: of the file, or ''. A block counts if its key is the node's name, in any
            namespace, or a pattern (`/**`, `/*/name`) that its full name matches.

    Raises:
        ConfigError: the file cannot be read.
    """
    return {k: v for _, given in _given(name, path) for k, v in given.items()}


def _given(name: str, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(key, flat parameters) of every block for the node."""
    blocks = read_blocks(path).values if path else {}
    for key, given in blocks.items():
        if base_name(key) == name or matches(key, f'/rs_ml/{name}'):
            yield key, given


def _check_names(given: Mapping[str, Any], known: set[str], where: str) -> None:
    strange = [key for key in given if key not in known and not key.startswith(OF_ROS)]
    if strange:
        near = difflib.get_close_matches(strange[0], known, n=1)
        hint = f', did you mean {near[0]}?' if near else ''
        raise ConfigError(f'{where} has no parameter {strange[0]!r}{hint}')
