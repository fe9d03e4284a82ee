"""Checks of outputs and options that every decoder shares."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import InputError, ModelError


def check_outputs(
    name: str,
    wanted: tuple[str, ...],
    outputs: Container[str],
    strides: Collection[int] = (),
) -> None:
    """Raise ModelError unless the manifest maps every output a decoder reads.

    An output may be given in parts, one for each of the strides.
    """
    missing = [
        output
        for output in wanted
        if output not in outputs
        and not (strides and all(f'{output}_{stride}' in outputs for stride in strides))
    ]
    if missing:
        raise ModelError(
            f'{name}: the decoder needs outputs {list(wanted)}, the manifest lacks {missing}'
        )


def fill_options(
    name: str,
    defaults: Mapping[str, Any],
    given: Mapping[str, Any],
    words: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> dict[str, Any]:
    """Decoder options with their defaults.

    Raises:
        ModelError: one is unknown, of another kind than its default, or none of its words.
    """
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise ModelError(
            f'{name}: decoder_options {unknown} unknown, known are {sorted(defaults)}'
        )
    for key, value in given.items():
        if not _is_like(value, defaults[key]):
            raise ModelError(
                f'{name}: decoder_options {key} must be something like {defaults[key]!r}, '
                f'got {value!r}'
            )
        wrong = [
            v
            for v in (value if isinstance(value, list | tuple) else [value])
            if key in words and v not in words[key]
        ]
        if wrong:
            raise ModelError(
                f'{name}: decoder_options {key} must be one of {list(words[key])}, '
                f'got {wrong[0]!r}'
            )
    return {**defaults, **given}


def _is_like(value: Any, default: Any) -> bool:
    if isinstance(default, tuple):
        is_item = _is_word if default and isinstance(default[0], str) else _is_stride
        return isinstance(value, list | tuple) and bool(value) and all(map(is_item, value))
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))


def _is_word(value: Any) -> bool:
    return isinstance(value, str)


def _is_stride(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def require_numbers(values: np.ndarray, name: str) -> None:
    """Raise InputError if an output of the network contains NaN.

    Args:
        values: the output, or its maximum over the classes.
        name: of the output, for the message.
    """
    if values.size == 0 or not np.isnan(values.max()):
        return
    raise InputError(
        f'{int(np.isnan(values).sum())} of {values.size} {name} of the network are NaN: compare '
        'backends with `rs-ml models check`; if all are wrong, export the network again'
    )
