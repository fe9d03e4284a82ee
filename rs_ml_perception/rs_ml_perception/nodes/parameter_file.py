"""Reading a ROS parameter file without a node, for the offline run."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, TypeVar

import yaml

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.options import build, walk

T = TypeVar('T')

OF_ROS = ('use_sim_time', 'qos_overrides')
"""Parameters that every node has, of no meaning offline."""


def read_parameters(parameters_type: type[T], name: str, path: str) -> T:
    """The parameters a node of that name would get.

    Args:
        parameters_type: options dataclass of the node.
        name: of the node; blocks '/**', 'name', '/**/name' and '/any/namespace/name' count, later
            ones win.
        path: of the file; '' gives the defaults.

    Raises:
        ConfigError: the file cannot be read, a value is wrong, or a block of this node names a
            parameter that it does not have.
    """
    values: dict[str, Any] = {}
    known = {leaf.name for leaf in walk(parameters_type)}
    for key, block in _blocks(path).items():
        is_own = key.rpartition('/')[2] == name
        if key == '/**' or is_own:
            given = _flatten((block or {}).get('ros__parameters') or {})
            if is_own:
                _check_names(given, known, f'{path}: {key}')
            values |= given
    return build(parameters_type, {k: v for k, v in values.items() if k in known})


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
        blocks = yaml.safe_load(Path(path).read_text(encoding='utf-8')) or {}
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f'parameter file {path} cannot be read: {error}') from error
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
