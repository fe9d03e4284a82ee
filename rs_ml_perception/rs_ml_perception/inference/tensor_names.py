"""Matching the manifest's tensor names with those a runtime reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from rs_ml_perception.core.errors import BackendError

T = TypeVar('T')


def match_tensor(
    wanted: str, available: Mapping[str, T], *, kind: str, is_only_one: bool = False
) -> T:
    """The tensor of a name; ':0' may be left out or be too much.

    Args:
        wanted: name from the manifest.
        available: every name the runtime knows -> tensor.
        kind: 'input' or 'output', for the message.
        is_only_one: the network has a single tensor of the kind: then any name will do.

    Raises:
        BackendError: no such tensor; the message lists those there are.
    """
    bare = wanted.removesuffix(':0')
    for name in (wanted, bare, f'{bare}:0'):
        if name in available:
            return available[name]
    if is_only_one and available:
        return next(iter(available.values()))
    raise BackendError(
        f'the network has no {kind} {wanted!r}, it has {sorted(available)}: correct the manifest'
    )
