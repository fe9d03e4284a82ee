"""Options: accepted values and parameters of a declaration."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.options import Options, build, option, options_of, override, walk


@dataclass(frozen=True)
class _Inner(Options):
    limit_ms: float = option(200.0, 'limit', unit='ms', low=0.1, high=1e6)


@dataclass(frozen=True)
class _Options(Options):
    count: int = option(3, 'a count', low=1, high=10)
    inner: _Inner = field(default_factory=_Inner)
    score: float | None = option(
        None, 'a score', low=0, high=1, none=-1.0, none_doc='set by the model'
    )
    far_m: float | None = option(None, 'far', unit='m', low=0, none=1000.0, none_doc='no limit')
    kind: str = option('a', 'a choice', choices=('a', 'b'))
    names: tuple[str, ...] = option((), 'a list')
    size: tuple[int, int] = option((4, 3), 'a size', low=1)
    file: Path | None = option(None, 'a file')
    steady: bool = True


def test_only_declared_fields_are_options_in_their_order():
    names = [leaf.name for leaf in walk(_Options)]
    assert names[:3] == ['count', 'inner.limit_ms', 'score']
    assert 'steady' not in names
    assert 'inner' not in [leaf.name for leaf in options_of(_Options)]


@pytest.mark.parametrize(
    ('given', 'kept'),
    [
        ({}, {'score': None, 'far_m': None, 'names': ()}),
        ({'score': 1}, {'score': 1.0}),
        ({'far_m': math.inf}, {'far_m': math.inf}),
        ({'names': ['x']}, {'names': ('x',)}),
        ({'names': []}, {'names': ()}),
        ({'size': [640, 480]}, {'size': (640, 480)}),
        ({'file': 'a.txt'}, {'file': Path('a.txt')}),
    ],
)
def test_values(given, kept):
    options = _Options(**given)
    assert {name: getattr(options, name) for name in kept} == kept
    assert all(type(getattr(options, name)) is type(value) for name, value in kept.items())


@pytest.mark.parametrize(
    ('given', 'words'),
    [
        ({'count': 0}, r'count must lie in \[1, 10\], got 0'),
        ({'count': 2.5}, r'count must be of type int, got 2.5 \(float\)'),
        ({'count': True}, 'count must be of type int'),
        ({'count': None}, 'count must be of type int'),
        ({'score': -1.0}, r'score must lie in \[0, 1\], got -1.0'),
        ({'score': math.nan}, 'score must lie in'),
        ({'far_m': -1.0}, 'far_m must be at least 0, got -1.0'),
        ({'kind': 'c'}, "kind must be one of a, b, got 'c'"),
        ({'names': 'x'}, "names must be a list, got 'x'"),
        ({'names': [1]}, 'names must be of type str'),
        ({'size': (1, 2, 3)}, 'size must have 2 items'),
        ({'size': (0, 2)}, 'size must be at least 1, got 0'),
    ],
)
def test_refused_values(given, words):
    with pytest.raises(ConfigError, match=words):
        _Options(**given)


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        ({}, _Options()),
        ({'score': -1.0}, _Options()),
        ({'score': -1}, _Options()),
        ({'score': 0}, _Options(score=0.0)),
        ({'far_m': 1000.0}, _Options()),
        ({'far_m': 999.0}, _Options(far_m=999.0)),
        ({'names': ['', 'x']}, _Options(names=('x',))),
        ({'inner.limit_ms': 5}, _Options(inner=_Inner(5.0))),
    ],
)
def test_parameters(given, expected):
    assert build(_Options, given) == expected


@pytest.mark.parametrize(
    ('given', 'words'),
    [
        ({'score': -0.5}, r'score must lie in \[0, 1\], got -0.5'),
        ({'far_m': 1001.0}, r'far_m must lie in \[0, 1000\]'),
        ({'score': 'high'}, 'score must be of type float'),
        ({'score': True}, 'score must be of type float'),
        ({'inner.limit_ms': 0.0}, r'inner.limit_ms must lie in'),
    ],
)
def test_refused_parameters(given, words):
    with pytest.raises(ConfigError, match=words):
        build(_Options, given)


@pytest.mark.parametrize(
    ('name', 'default', 'limits', 'text'),
    [
        ('count', 3, (1, 10), 'a count'),
        ('score', -1.0, (-1.0, 1), 'a score; -1: set by the model'),
        ('far_m', 1000.0, (0, 1000.0), 'far; 1000: no limit [m]'),
        ('inner.limit_ms', 200.0, (0.1, 1e6), 'limit [ms]'),
    ],
)
def test_the_parameter_of_an_option(name, default, limits, text):
    (leaf,) = (leaf for leaf in walk(_Options) if leaf.name == name)
    assert leaf.parameter_default == default
    assert leaf.parameter_range == limits
    assert leaf.parameter_text == text


def test_mutable_defaults_are_refused():
    with pytest.raises(TypeError, match='tuple'):
        option([], 'a list')


@dataclass(frozen=True)
class _Other(Options):
    other: bool = option(False, 'of another base')


@dataclass(frozen=True)
class _Derived(_Other, _Options):
    count: int = override(5)
    kind: str = override('c', choices=('b', 'c'), doc='another choice')


def test_overrides_keep_place_and_the_rest_of_the_declaration():
    base = {leaf.name: leaf for leaf in options_of(_Options)}
    derived = {leaf.name: leaf for leaf in options_of(_Derived)}
    assert list(derived) == [*base, 'other']
    assert (derived['count'].default, derived['count'].info) == (5, base['count'].info)
    assert derived['kind'].info == replace(
        base['kind'].info, choices=('b', 'c'), doc='another choice'
    )
    assert (_Options().count, _Derived().count) == (3, 5)
    with pytest.raises(ConfigError, match='count must lie in'):
        _Derived(count=0)


@pytest.mark.parametrize(
    ('name', 'field', 'words'),
    [
        ('novel', override(1), 'novel overrides no option'),
        ('steady', override(False), 'steady overrides no option'),
        ('count', override(1, text='a count'), 'text'),
    ],
)
def test_overrides_without_a_base_are_refused(name, field, words):
    with pytest.raises(TypeError, match=words):
        type('_Wrong', (_Options,), {'__annotations__': {name: int}, name: field})
