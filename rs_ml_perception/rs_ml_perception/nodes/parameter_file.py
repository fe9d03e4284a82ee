"""ROS parameter files without a node: for the offline run and the demo."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.options import build, walk
from rs_ml_perception.inference.foreign_yaml import read_yaml

T = TypeVar('T')

OF_ROS = ('use_sim_time', 'qos_overrides')
"""Parameters that every node has, of no meaning offline."""


def read_parameters(parameters_type: type[T], name: str, path: str) -> T:
    """The parameters a node of that name would get.

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
        if key.rpartition('/')[2] == name:
            _check_names(given, known, f'{path}: {key}')
    values = given_values(name, path)
    return build(parameters_type, {k: v for k, v in values.items() if k in known})


def given_values(name: str, path: str) -> dict[str, Any]:
    """What a file says for a node, dotted names; later blocks win, as in ROS.

    Args:
        name: of the node.
        path: of the file; '' says nothing. Blocks count whose key is the node's name, in any
            namespace, or a pattern (`/**`, `/*/name`) that its full name matches.

    Raises:
        ConfigError: the file cannot be read.
    """
    return {k: v for _, given in _given(name, path) for k, v in given.items()}


def write_values(path: Path, values: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a parameter file: node -> its parameters, in whatever namespace of one level.

    Keys are spelled `/*/node`: ROS applies blocks in the order in which their keys appear first,
    so a file that is passed last wins as long as no other spells them so.
    """
    blocks = {f'/*/{name}': {'ros__parameters': dict(given)} for name, given in values.items()}
    path.write_text(yaml.safe_dump(blocks, sort_keys=False), encoding='utf-8')


def _given(name: str, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(key, flat parameters) of every block that is meant for the node."""
    for key, block in _blocks(path).items():
        if _is_meant_for(key.split('/'), name):
            yield key, _flatten((block or {}).get('ros__parameters') or {})


def _is_meant_for(tokens: list[str], name: str) -> bool:
    if tokens[-1] == name:
        return True
    return _matches([token for token in tokens if token], ['rs_ml', name])


def _matches(pattern: list[str], names: list[str]) -> bool:
    """`*` is one name, `**` any number of them."""
    if not pattern:
        return not names
    first, *rest = pattern
    if first == '**':
        return any(_matches(rest, names[i:]) for i in range(len(names) + 1))
    return bool(names) and first in ('*', names[0]) and _matches(rest, names[1:])


def _check_names(given: dict[str, Any], known: set[str], where: str) -> None:
    strange = [key for key in given if key not in known and not key.startswith(OF_ROS)]
    if strange:
        near = difflib.get_close_matches(strange[0], known, n=1)
        hint = f', did you mean {near[0]}?' if near else ''
        raise ConfigError(f'{where} has no parameter {strange[0]!r}{hint}')


def _blocks(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        blocks = read_yaml(Path(path)) or {}
    except InputError as error:
        raise ConfigError(f'parameter file {error}') from error
    if not isinstance(blocks, dict):
        raise ConfigError(f'parameter file {path} must map node names to ros__parameters')
    return blocks


def _flatten(block: dict[str, Any], prefix: str = '') -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in block.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f'{prefix}{key}.')
        else:
            flat[f'{prefix}{key}'] = value
    return flat
