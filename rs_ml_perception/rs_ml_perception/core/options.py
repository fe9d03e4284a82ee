"""Options as typed dataclasses whose fields carry what a parameter server or a CLI shows."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from rs_ml_perception.core.errors import ConfigError

T = TypeVar('T')


@dataclass(frozen=True)
class OptionInfo:
    """Facts about one option other than its type and default.

    Attributes:
        doc: one line, unit in brackets.
        low, high: inclusive range of a number (or of each number of a list); None: open.
        choices: the strings allowed; empty: any.
        static: needed to build the node; may only change while it is unconfigured.
    """

    doc: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    static: bool = False


@dataclass(frozen=True)
class Option:
    """One leaf of an options tree."""

    name: str
    type: Any
    default: Any
    info: OptionInfo


def option(
    default: Any,
    doc: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    static: bool = False,
) -> Any:
    """A dataclass field with its OptionInfo."""
    info = OptionInfo(doc, low, high, choices, static)
    return dataclasses.field(default=default, metadata={'option': info})


def walk(options_type: type, prefix: str = '') -> Iterator[Option]:
    """Yield every leaf, names dotted, in order of declaration."""
    types = typing.get_type_hints(options_type)
    for field in dataclasses.fields(options_type):
        name = f'{prefix}{field.name}'
        if dataclasses.is_dataclass(types[field.name]):
            yield from walk(types[field.name], f'{name}.')
        else:
            yield Option(name, types[field.name], field.default, field.metadata['option'])


def build(options_type: type[T], values: Mapping[str, Any], prefix: str = '') -> T:
    """Make the dataclass tree from dotted names; what is not named keeps its default.

    Raises:
        ConfigError: a value is outside its range or choices.
    """
    types = typing.get_type_hints(options_type)
    arguments: dict[str, Any] = {}
    for field in dataclasses.fields(options_type):  # type: ignore[arg-type]
        name = f'{prefix}{field.name}'
        if dataclasses.is_dataclass(types[field.name]):
            arguments[field.name] = build(types[field.name], values, f'{name}.')
        elif name in values:
            leaf = Option(name, types[field.name], field.default, field.metadata['option'])
            arguments[field.name] = check(leaf, values[name])
    return options_type(**arguments)


def check(leaf: Option, value: Any) -> Any:
    """Return the value as the option's type (a list becomes a tuple, an int a float).

    Raises:
        ConfigError: wrong type, range or choice.
    """
    if typing.get_origin(leaf.type) is tuple:
        (item_type, _) = typing.get_args(leaf.type)
        if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
            raise ConfigError(f'{leaf.name} must be a list, got {value!r}')
        # [''] is how ROS tools write a list of strings without any.
        return tuple(_check_scalar(leaf, item_type, item) for item in value if item != '')
    return _check_scalar(leaf, leaf.type, value)


def _check_scalar(leaf: Option, wanted: type, value: Any) -> Any:
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, wanted) or (wanted is not bool and isinstance(value, bool)):
        raise ConfigError(
            f'{leaf.name} must be of type {wanted.__name__}, '
            f'got {value!r} ({type(value).__name__})'
        )
    info = leaf.info
    if info.choices and value not in info.choices:
        raise ConfigError(f'{leaf.name} must be one of {", ".join(info.choices)}, got {value!r}')
    if wanted in (int, float):
        _check_range(leaf, value)
    return value


def _check_range(leaf: Option, value: float) -> None:
    low = -math.inf if leaf.info.low is None else leaf.info.low
    high = math.inf if leaf.info.high is None else leaf.info.high
    if not low <= value <= high:
        raise ConfigError(f'{leaf.name} must lie in [{low:g}, {high:g}], got {value!r}')
