"""Command line flags from options dataclasses (core/options.py)."""

from __future__ import annotations

import argparse
import difflib
import itertools
import shlex
import sys
import textwrap
import typing
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.options import (
    REQUIRED,
    DataclassInstance,
    Option,
    OptionInfo,
    check,
    options_of,
)

T = TypeVar('T', bound=DataclassInstance)


class _HelpFormatter(argparse.HelpFormatter):
    """Wraps paragraphs; lines that begin with blanks stay as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines: list[str] = []
        parts = itertools.groupby(text.splitlines(), lambda line: line[:1] in ('', ' '))
        for is_raw, part in parts:
            found = list(part)
            lines += found if is_raw else textwrap.wrap(' '.join(found), width)
        return '\n'.join(f'{indent}{line}' for line in lines)


class FlagParser(argparse.ArgumentParser):
    """argparse with groups by heading, an example, and argument files.

    A dataclass of options declares the flags; only positional arguments are added by hand.

    `@file` reads arguments from a file, of which a line may be '--flag value'; # begins a comment.
    """

    def __init__(self, *args: Any, example: str = '', **keywords: Any) -> None:
        """Prepare the parser.

        Args:
            args: of ArgumentParser.
            example: a command, or several on lines of their own, shown at the end of `--help`.
            keywords: of ArgumentParser.
        """
        keywords.setdefault('fromfile_prefix_chars', '@')
        keywords.setdefault('formatter_class', _HelpFormatter)
        keywords.setdefault('allow_abbrev', False)
        if example:
            shown = textwrap.indent(textwrap.dedent(example).strip(), '  ')
            keywords['epilog'] = f'{keywords.get("epilog") or ""}\n\nexample:\n{shown}'.strip()
        super().__init__(*args, **keywords)
        self._by_heading: dict[str, argparse._ArgumentGroup] = {}

    def group(self, heading: str) -> argparse._ActionsContainer:
        """Where arguments under a heading are added; the parser itself for ''."""
        if not heading:
            return self
        if heading not in self._by_heading:
            self._by_heading[heading] = self.add_argument_group(heading)
        return self._by_heading[heading]

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Refuse what is unknown here, with the usage of the subcommand."""
        words = list(sys.argv[1:] if args is None else args)
        if self._subparsers is None and '-' in self.prefix_chars:
            # First, since a misspelt flag that is required would only be reported as missing.
            flags = itertools.takewhile(lambda word: word != '--', words)
            self._refuse([word for word in flags if self._is_unknown_flag(word)])
        found, rest = super().parse_known_args(words, namespace)
        self._refuse(rest)
        return found, rest

    def _is_unknown_flag(self, word: str) -> bool:
        name = word.partition('=')[0]
        if not name.startswith('--') or ' ' in name:
            return False
        known = self._option_string_actions
        return name not in known and not (
            self.allow_abbrev and any(flag.startswith(name) for flag in known)
        )

    def _refuse(self, words: Sequence[str]) -> None:
        if not words:
            return
        flag = words[0].partition('=')[0]
        known = [name[2:] for name in self._option_string_actions if name.startswith('--')]
        close = difflib.get_close_matches(flag[2:], known, n=1, cutoff=0.65)
        hint = f': did you mean --{close[0]}?' if close and flag.startswith('--') else ''
        self.error(f'unrecognized arguments: {" ".join(words)}{hint}')

    def convert_arg_line_to_args(self, line: str) -> list[str]:
        return shlex.split(line, comments=True)


def add_flags(
    parser: FlagParser,
    options_type: type,
    *,
    group: str = '',
    only: Collection[str] | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> None:
    """Add a flag for every option of a dataclass.

    Args:
        parser: of the command.
        options_type: options dataclass.
        group: heading in `--help` of options that name none.
        only: names of the fields that become flags; None: all but those declared without.
        defaults: name -> default, where it is not the declared one.
    """
    for leaf in options_of(options_type):
        if leaf.info.flag is not None and (only is None or leaf.name in only):
            _add_flag(parser.group(leaf.info.group or group), leaf, defaults or {})


def from_flags(options_type: type[T], arguments: argparse.Namespace, **preset: Any) -> T:
    """The dataclass of the flags given; others take the preset, else the default.

    Raises:
        ConfigError: a value is outside its range or none of the choices.
    """
    values = dict(preset)
    for leaf in options_of(options_type):
        given = getattr(arguments, leaf.name, None)
        if given is not None and leaf.info.flag is not None:
            values[leaf.name] = tuple(given) if isinstance(given, list) else given
    return checked(options_type, values)


def checked(options_type: type[T], values: Mapping[str, Any]) -> T:
    """Build the dataclass from values by field name.

    Raises:
        ConfigError: there is no such option, or see from_flags.
    """
    leaves = {leaf.name: leaf for leaf in options_of(options_type)}
    for name in values:
        if name not in leaves:
            raise ConfigError(f'there is no option {name!r}; there are {", ".join(leaves)}')
    good = {name: check(leaves[name], v, flag_of(leaves[name])) for name, v in values.items()}
    return options_type(**good)


def flag_of(leaf: Option) -> str:
    """The flag, such as '--batch-size'."""
    return '--' + (leaf.info.flag or leaf.name).replace('_', '-')


def parsed(text: str, wanted: Any) -> Any:
    """A value of the wanted type from text, as in an argument file or a search space.

    Raises:
        ConfigError: it is not one.
    """
    kind = _converter(Option('', wanted, None, OptionInfo('')).type)
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


def comma_separated(text: str) -> tuple[str, ...]:
    """The names in 'a,b'."""
    return tuple(name.strip() for name in text.split(',') if name.strip())


def _add_flag(
    group: argparse._ActionsContainer, leaf: Option, defaults: Mapping[str, Any]
) -> None:
    info = leaf.info
    common: dict[str, Any] = {
        'dest': leaf.name,
        'default': defaults.get(leaf.name, argparse.SUPPRESS),
        'help': _help(leaf, defaults.get(leaf.name, leaf.default)).replace('%', '%%'),
    }
    if leaf.default is REQUIRED:
        common['required'] = True
    if leaf.type is bool:
        action = 'store_true' if info.is_switch else argparse.BooleanOptionalAction
        group.add_argument(flag_of(leaf), action=action, **common)
        return
    if info.metavar:
        common['metavar'] = info.metavar
    elif info.choices:
        common['metavar'] = '{' + ','.join(map(str, info.choices)) + '}'
    if info.parse is not None:
        group.add_argument(flag_of(leaf), type=info.parse, **common)
        return
    if info.bare is not None:
        common |= {'nargs': '?', 'const': info.bare}
    if leaf.item_type is not None:
        # An empty list differs from None.
        common['nargs'] = '*' if leaf.takes_none else '+'
    group.add_argument(flag_of(leaf), type=_converter(leaf.type), **common)


def _help(leaf: Option, default: Any) -> str:
    text = leaf.info.doc + (f' [{leaf.info.unit}]' if leaf.info.unit else '')
    if default in (None, (), ''):
        return f'{text} (default: {leaf.info.none_doc})' if leaf.info.none_doc else text
    if leaf.info.is_switch or default is REQUIRED:
        return text
    return f'{text} (default: {_shown(default)})'


def _converter(wanted: Any) -> Any:
    """Makes one value of the type, or one item of the list, from text."""
    if wanted == tuple[int, int]:
        return size
    if typing.get_origin(wanted) is tuple:
        return typing.get_args(wanted)[0]
    return wanted


def _shown(default: Any) -> str:
    if isinstance(default, tuple):
        is_size = all(isinstance(item, int) for item in default)
        return ('x' if is_size else ' ').join(map(str, default))
    return f'{default:g}' if isinstance(default, float) else str(default)


def _boolean(text: str) -> bool:
    if text.lower() not in ('true', 'false', '1', '0', 'yes', 'no'):
        raise ValueError(text)
    return text.lower() in ('true', '1', 'yes')
