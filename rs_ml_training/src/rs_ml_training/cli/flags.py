"""Command line flags from a dataclass: its fields are the flags, their defaults the only ones."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from rs_ml_perception.core.errors import ConfigError

T = TypeVar('T')


def flag(
    default: Any, doc: str, *, low: float | None = None, choices: Any = (), name: str = ''
) -> Any:
    """A dataclass field that is a flag.

    Args:
        default: value when the flag is not given.
        doc: one line for `--help`, unit in brackets.
        low: smallest number allowed.
        choices: the values allowed; empty: any.
        name: of the flag, where it is not that of the field.
    """
    metadata = {'doc': doc, 'low': low, 'choices': tuple(choices), 'name': name}
    if isinstance(default, (list, dict)):
        raise TypeError('defaults of flags are immutable: use a tuple')
    return dataclasses.field(default=default, metadata=metadata)


class FlagParser(argparse.ArgumentParser):
    """argparse with argument files: `@file`, a line of which may be '--flag value'; # comments."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        keywords.setdefault('fromfile_prefix_chars', '@')
        keywords.setdefault('formatter_class', argparse.ArgumentDefaultsHelpFormatter)
        keywords.setdefault('allow_abbrev', False)
        super().__init__(*args, **keywords)

    def convert_arg_line_to_args(self, line: str) -> list[str]:
        return shlex.split(line, comments=True)


def add_flags(parser: argparse.ArgumentParser, options_type: type) -> None:
    """Add a flag for every field that carries one; unknown defaults show as None."""
    hints = typing.get_type_hints(options_type)
    for field in dataclasses.fields(options_type):
        if 'doc' in field.metadata:
            _add_flag(parser, field, hints[field.name])


def from_flags(options_type: type[T], arguments: argparse.Namespace, **preset: Any) -> T:
    """The dataclass of what was given; what was not takes the preset, else the default.

    Raises:
        ConfigError: a number below its limit or a value that is none of the choices.
    """
    values = dict(preset)
    for field in dataclasses.fields(options_type):  # type: ignore[arg-type]
        given = getattr(arguments, field.name, None)
        if given is not None:
            values[field.name] = tuple(given) if isinstance(given, list) else given
    return checked(options_type, values)


def checked(options_type: type[T], values: dict[str, Any]) -> T:
    """Build the dataclass; see `from_flags` for what is raised."""
    fields = {field.name: field for field in dataclasses.fields(options_type)}  # type: ignore
    for name, value in values.items():
        if name not in fields:
            raise ConfigError(f'there is no option {name!r}; there are {", ".join(fields)}')
        _check(name, value, fields[name].metadata)
    return options_type(**values)


def parsed(text: str, wanted: Any) -> Any:
    """A value of the wanted type from text, as in an argument file or a search space.

    Raises:
        ConfigError: it is not one.
    """
    kind, _ = _scalar(wanted)
    try:
        return _boolean(text) if kind is bool else kind(text)
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise ConfigError(f'{text!r} is not a {kind.__name__}') from error


def size(text: str) -> tuple[int, int]:
    """(width, height) of 'WIDTHxHEIGHT'."""
    width, separator, height = text.lower().partition('x')
    if not separator or not (width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f'{text!r} is not WIDTHxHEIGHT, as 640x480')
    return int(width), int(height)


def _add_flag(parser: argparse.ArgumentParser, field: dataclasses.Field, hint: Any) -> None:
    names = ['--' + (field.metadata['name'] or field.name).replace('_', '-')]
    doc = field.metadata['doc'].replace('%', '%%')
    if field.default not in (None, (), ''):
        doc += f' ({_shown(field.default)})'
    common: dict[str, Any] = {'dest': field.name, 'default': argparse.SUPPRESS, 'help': doc}
    kind, is_list = _scalar(hint)
    if kind is bool:
        parser.add_argument(*names, action=argparse.BooleanOptionalAction, **common)
        return
    if is_list:
        common['nargs'] = '+'
    if field.metadata['choices']:
        common['metavar'] = '{' + ','.join(map(str, field.metadata['choices'])) + '}'
    parser.add_argument(*names, type=kind, **common)


def _scalar(hint: Any) -> tuple[Any, bool]:
    """The converter of one value, and whether there may be several."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(h for h in typing.get_args(hint) if h is not type(None))
    if hint == tuple[int, int]:
        return size, False
    if typing.get_origin(hint) is tuple:
        return _scalar(typing.get_args(hint)[0])[0], True
    return hint, False


def _shown(default: Any) -> str:
    if isinstance(default, tuple) and all(isinstance(item, int) for item in default):
        return 'x'.join(map(str, default))
    return ' '.join(map(str, default)) if isinstance(default, tuple) else str(default)


def _boolean(text: str) -> bool:
    if text.lower() not in ('true', 'false', '1', '0', 'yes', 'no'):
        raise ValueError(text)
    return text.lower() in ('true', '1', 'yes')


def _check(name: str, value: Any, metadata: Any) -> None:
    choices, low = metadata.get('choices') or (), metadata.get('low')
    shown = '--' + name.replace('_', '-')
    for item in value if isinstance(value, tuple) else (value,):
        if choices and item is not None and item not in choices:
            raise ConfigError(f'{shown} must be one of {", ".join(map(str, choices))}: {item!r}')
        if low is not None and item is not None and not isinstance(item, Path) and item < low:
            raise ConfigError(f'{shown} must be at least {low:g}, got {item!r}')
