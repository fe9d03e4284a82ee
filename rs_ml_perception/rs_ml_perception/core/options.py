"""Options, each declared once: a field of a typed dataclass with its text, unit and range.

Command line flags (core/flags.py), ROS parameters, parameter files and tables of the docs are made
from the declaration. A parameter is an option as ROS has it: without None, for which a value of
the same type stands.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from rs_ml_perception.core.errors import ConfigError


class DataclassInstance(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]


T = TypeVar('T', bound=DataclassInstance)

# Default of an option that must be given; its dataclass is keyword-only.
REQUIRED: Any = dataclasses.MISSING
_METADATA, _OVERRIDE = 'option', 'override'


@dataclass(frozen=True)
class OptionInfo:
    """Facts about one option other than its name, type and default.

    Attributes:
        doc: one line, without unit and default.
        unit: of a number, '' for none.
        low, high: inclusive range of a number (or of each number of a list); None: open.
        choices: the values allowed; empty: any.
        static: needed to build the node; may only change while it is unconfigured.
        none: parameter value that stands for None, such as -1.0.
        none_doc: the meaning of None, such as 'set by the model'.
        flag: name of the flag; '': that of the field, None: the option has no flag.
        metavar: placeholder of the value in `--help`; '': made from the name or the choices.
        group: heading in `--help` under which the flag stands; '': that of the whole dataclass.
        parse: makes the value from the text of a flag; None: the option's type does.
        is_switch: a bool whose flag has no --no- form.
        bare: value of the flag when given without one; None: it needs a value.
    """

    doc: str
    unit: str = ''
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    static: bool = False
    none: bool | int | float | str | None = None
    none_doc: str = ''
    flag: str | None = ''
    metavar: str = ''
    group: str = ''
    parse: Callable[[str], Any] | None = None
    is_switch: bool = False
    bare: Any = None


@dataclass(frozen=True)
class Option:
    """One leaf of an options tree.

    Attributes:
        name: of the field; dotted in a nested dataclass.
        hint: type as declared.
        default: as declared.
        info: the rest of the declaration.
    """

    name: str
    hint: Any
    default: Any
    info: OptionInfo

    @property
    def takes_none(self) -> bool:
        return type(None) in typing.get_args(self.hint)

    @property
    def type(self) -> Any:
        """The declared type without None: bool, int, float, str, Path or a tuple of them."""
        if typing.get_origin(self.hint) in (typing.Union, types.UnionType):
            return next(h for h in typing.get_args(self.hint) if h is not type(None))
        return self.hint

    @property
    def item_type(self) -> Any:
        """Type of the items of a list (`tuple[T, ...]`), None for anything else."""
        arguments = typing.get_args(self.type)
        return arguments[0] if len(arguments) == 2 and arguments[1] is Ellipsis else None

    @property
    def parameter_default(self) -> Any:
        return self.info.none if self.default is None else self.default

    @property
    def parameter_range(self) -> tuple[float | None, float | None]:
        """The inclusive range of the parameter, with the value that stands for None."""
        low, high, none = self.info.low, self.info.high, self.info.none
        if isinstance(none, (int, float)):
            low = none if low is not None and none < low else low
            is_above = low is not None and none > low and (high is None or none > high)
            high = none if is_above else high
        return low, high

    @property
    def parameter_text(self) -> str:
        """The line that describes the parameter."""
        info = self.info
        none = '' if info.none is None else f'; {_shown(info.none)}: {info.none_doc}'
        return f'{info.doc}{none}{f" [{info.unit}]" if info.unit else ""}'


@dataclass(frozen=True)
class _Nested:
    """A field that holds further options."""

    name: str
    type: Any


def option(
    default: Any,
    doc: str,
    *,
    unit: str = '',
    low: float | None = None,
    high: float | None = None,
    choices: Iterable[Any] = (),
    static: bool = False,
    none: bool | int | float | str | None = None,
    none_doc: str = '',
    flag: str | None = '',
    metavar: str = '',
    group: str = '',
    parse: Callable[[str], Any] | None = None,
    is_switch: bool = False,
    bare: Any = None,
) -> Any:
    """A dataclass field that is an option; see OptionInfo for the arguments.

    Raises:
        TypeError: the default is mutable.
    """
    if isinstance(default, (list, dict, set)):
        raise TypeError('defaults of options are immutable: use a tuple')
    info = OptionInfo(
        doc,
        unit=unit,
        low=low,
        high=high,
        choices=tuple(choices),
        static=static,
        none=none,
        none_doc=none_doc,
        flag=flag,
        metavar=metavar,
        group=group,
        parse=parse,
        is_switch=is_switch,
        bare=bare,
    )
    return dataclasses.field(default=default, metadata={_METADATA: info})


def override(default: Any, **changes: Any) -> Any:
    """A field of a class derived from Options that changes an option of its base.

    Args:
        default: in place of the base's.
        changes: attributes of OptionInfo that differ, such as doc or choices.
    """
    return dataclasses.field(default=default, metadata={_OVERRIDE: changes})


@functools.cache
def _fields(options_type: type) -> tuple[Option | _Nested, ...]:
    """Options and nested dataclasses, in order of declaration; other fields are left out."""
    hints = typing.get_type_hints(options_type)
    found: list[Option | _Nested] = []
    for field in dataclasses.fields(options_type):
        if _METADATA in field.metadata:
            info = field.metadata[_METADATA]
            found.append(Option(field.name, hints[field.name], field.default, info))
        elif dataclasses.is_dataclass(hints[field.name]):
            found.append(_Nested(field.name, hints[field.name]))
    return tuple(found)


class Options:
    """Base of options dataclasses that check their values however they are built."""

    def __init_subclass__(cls) -> None:
        """Complete fields made by override().

        Raises:
            TypeError: no base has the option, or no option the attribute.
        """
        super().__init_subclass__()
        inherited: dict[str, dataclasses.Field[Any]] = {}
        for base in reversed(cls.__mro__[1:]):
            inherited |= vars(base).get('__dataclass_fields__', {})
        for name, field in tuple(vars(cls).items()):
            if isinstance(field, dataclasses.Field) and _OVERRIDE in field.metadata:
                if name not in inherited or _METADATA not in inherited[name].metadata:
                    raise TypeError(f'{cls.__name__}.{name} overrides no option: use option()')
                declared = inherited[name].metadata[_METADATA]
                info = dataclasses.replace(declared, **field.metadata[_OVERRIDE])
                metadata = {_METADATA: info}
                setattr(cls, name, dataclasses.field(default=field.default, metadata=metadata))

    def __post_init__(self) -> None:
        """Check every option; a list becomes a tuple, an int a float.

        Raises:
            ConfigError: a value is of another type, outside its range, or none of the choices.
        """
        for leaf in options_of(type(self)):
            value = getattr(self, leaf.name)
            checked = check(leaf, value)
            if checked is not value:
                object.__setattr__(self, leaf.name, checked)


def options_of(options_type: type) -> tuple[Option, ...]:
    """The options among the dataclass's own fields, in order of declaration."""
    return tuple(field for field in _fields(options_type) if isinstance(field, Option))


def walk(options_type: type, prefix: str = '') -> Iterator[Option]:
    """Yield every option in order of declaration, nested ones with dotted names."""
    for field in _fields(options_type):
        if isinstance(field, Option):
            yield dataclasses.replace(field, name=f'{prefix}{field.name}')
        else:
            yield from walk(field.type, f'{prefix}{field.name}.')


def build(options_type: type[T], values: Mapping[str, Any], prefix: str = '') -> T:
    """Make the dataclass tree from parameters by dotted name; a missing one keeps its default.

    Raises:
        ConfigError: a value is of another type, outside its range, or none of the choices.
    """
    arguments: dict[str, Any] = {}
    for field in _fields(options_type):
        name = f'{prefix}{field.name}'
        if not isinstance(field, Option):
            arguments[field.name] = build(field.type, values, f'{name}.')
        elif name in values:
            leaf = dataclasses.replace(field, name=name)
            arguments[field.name] = from_parameter(leaf, values[name])
    return options_type(**arguments)


def from_parameter(leaf: Option, value: Any) -> Any:
    """The option's value that a parameter stands for.

    Raises:
        ConfigError: a value is of another type, outside its range, or none of the choices.
    """
    if leaf.item_type is not None and _is_list(value):
        # [''] is how ROS tools write a list of strings without any.
        return check(leaf, [item for item in value if item != ''])
    if leaf.info.none is not None and value == leaf.info.none and value is not True:
        return None
    value = check(leaf, value)
    if leaf.info.none is not None and isinstance(value, float):
        _check_range(leaf.name, value, *leaf.parameter_range)
    return value


def check(leaf: Option, value: Any, name: str = '') -> Any:
    """Return the value as the option's type: a list becomes a tuple, an int a float.

    Args:
        leaf: the option.
        value: of it.
        name: of the option in messages, where it is not that of the field.

    Raises:
        ConfigError: it is of another type, outside its range, or none of the choices.
    """
    name = name or leaf.name
    if value is None and (leaf.takes_none or leaf.default is None):
        return None
    if typing.get_origin(leaf.type) is not tuple:
        return _check_item(leaf, name, leaf.type, value)
    if not _is_list(value):
        raise ConfigError(f'{name} must be a list, got {value!r}')
    items = tuple(value)
    kinds = typing.get_args(leaf.type)
    if leaf.item_type is not None:
        kinds = (leaf.item_type,) * len(items)
    if len(kinds) != len(items):
        raise ConfigError(f'{name} must have {len(kinds)} items, got {list(items)}')
    return tuple(
        _check_item(leaf, name, kind, item) for kind, item in zip(kinds, items, strict=True)
    )


def _is_list(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))


def _check_item(leaf: Option, name: str, wanted: type, value: Any) -> Any:
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if wanted is Path and isinstance(value, str):
        value = Path(value)
    if not isinstance(value, wanted) or (wanted is not bool and isinstance(value, bool)):
        raise ConfigError(
            f'{name} must be of type {wanted.__name__}, got {value!r} ({type(value).__name__})'
        )
    choices = leaf.info.choices
    if choices and value not in choices:
        raise ConfigError(f'{name} must be one of {", ".join(map(str, choices))}, got {value!r}')
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        _check_range(name, value, leaf.info.low, leaf.info.high)
    return value


def _check_range(name: str, value: float, low: float | None, high: float | None) -> None:
    if (-math.inf if low is None else low) <= value <= (math.inf if high is None else high):
        return
    if low is None and high is None:
        raise ConfigError(f'{name} must be a number, got {value!r}')
    if high is None:
        raise ConfigError(f'{name} must be at least {low:g}, got {value!r}')
    if low is None:
        raise ConfigError(f'{name} must be at most {high:g}, got {value!r}')
    raise ConfigError(f'{name} must lie in [{low:g}, {high:g}], got {value!r}')


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f'{value:g}'
    return 'empty' if value == '' else str(value)
