"""Reading a ROS parameter file without a node, for the offline run."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.options import build, walk
from rs_ml_perception.nodes.parameter_blocks import base_name, matches, read_blocks

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
        if base_name(key) == name:
            _check_names(given, known, f'{path}: {key}')
    values = given_values(name, path)
    return build(parameters_type, {k: v for k, v in values.items() if k in known})


def given_values(name: str, path: str) -> dict[str, Any]:
    """The parameters of a node in a file, dotted names; later blocks win, as in ROS.

    Args:
        name: of the node.
        path: of the file; '' says nothing. Blocks count whose key is the node's name, in any
            namespace, or a pattern (`/**`, `/*/name`) that its full name matches.

    Raises:
        ConfigError: the file cannot be read.
    """
    return {k: v for _, given in _given(name, path) for k, v in given.items()}


def _given(name: str, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(key, flat parameters) of every block that is meant for the node."""
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
