"""Finding the tensors of a manifest in a file, and comparing both."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.inference.backends import NetworkFile
from rs_ml_perception.inference.manifest import TensorSpec


@dataclass(frozen=True)
class FileTensor:
    """A tensor reported by a runtime.

    Attributes:
        handle: identifies it in the runtime.
        shape: sizes; None (or anything that is not a positive number) marks a free one. None: not
            reported.
        dtype: numpy type or name; None: not reported, or any.
    """

    handle: Any
    shape: Sequence[Any] | None = None
    dtype: Any = None


def find_tensors(
    kind: str,
    network: NetworkFile,
    available: Mapping[str, FileTensor],
    *,
    needed: Collection[str] | None = None,
) -> dict[str, Any]:
    """Handles of the manifest's tensors.

    Args:
        kind: 'input' or 'output'.
        network: the file.
        available: all names in the runtime. A trailing ':0' is optional, and the name of the
            manifest is accepted as well as that of `names` of the artefact. A single tensor whose
            shape is not in the manifest may have any name.
        needed: inputs without which the network does not run; None: all that are available.

    Returns:
        Name in the manifest -> handle.

    Raises:
        ModelError: a tensor is missing or does not fit the manifest, or nothing feeds an input.
    """
    wanted = network.inputs if kind == 'input' else network.outputs
    found = {key: _find(kind, key, spec, network, available) for key, spec in wanted.items()}
    if kind == 'input':
        _check_fed(network, available, found.values(), available if needed is None else needed)
    return found


def _check_fed(
    network: NetworkFile,
    available: Mapping[str, FileTensor],
    fed: Collection[Any],
    needed: Collection[str],
) -> None:
    known = {str(handle) for handle in fed}
    unfed = {str(available[n].handle): n for n in needed if str(available[n].handle) not in known}
    if unfed:
        tensors = [available[name] for name in unfed.values()]
        rows = [
            f'{name!r}, {_described(tensor.shape, tensor.dtype)}'
            for name, tensor in zip(unfed.values(), tensors, strict=True)
        ]
        raise ModelError(
            f'{network.model}: {network.path.name} also has the input {"; ".join(rows)}, which '
            'nothing feeds: give its value under constants in the manifest'
        )


def _find(
    kind: str,
    key: str,
    spec: TensorSpec,
    network: NetworkFile,
    available: Mapping[str, FileTensor],
) -> Any:
    where = f'{network.model}: {network.path.name}'
    bare = spec.name.removesuffix(':0')
    name = next((n for n in (spec.name, bare, f'{bare}:0', key) if n in available), None)
    if name is None and spec.shape is None and _is_only_one(available):
        name = next(iter(available))
    if name is None:
        raise ModelError(
            f'{where} has no {kind} {spec.name!r}, it has {sorted(available)}: '
            'correct the manifest'
        )
    tensor = available[name]
    if not _fits(spec, tensor):
        raise ModelError(
            f'{where} has {kind} {key!r} as {_described(tensor.shape, tensor.dtype)}, '
            f'the manifest says {_described(spec.shape, spec.dtype)}: correct the manifest, '
            'or fetch the file that belongs to it'
        )
    return tensor.handle


def _is_only_one(available: Mapping[str, FileTensor]) -> bool:
    """Whether all names refer to one tensor."""
    return len({(str(t.shape), str(t.handle)) for t in available.values()}) == 1


def _fits(spec: TensorSpec, tensor: FileTensor) -> bool:
    if None not in (spec.dtype, tensor.dtype) and np.dtype(spec.dtype) != np.dtype(tensor.dtype):
        return False
    if spec.shape is None or tensor.shape is None:
        return True
    sizes = _sizes(tensor.shape)
    return len(sizes) == len(spec.shape) and all(
        there in (None, wanted) for wanted, there in zip(spec.shape, sizes, strict=True)
    )


def _sizes(shape: Sequence[Any]) -> list[int | None]:
    """Positive numbers, and None for the marks of free sizes in various runtimes."""
    return [int(n) if isinstance(n, int | np.integer) and n > 0 else None for n in shape]


def known_sizes(shape: Sequence[Any] | None) -> tuple[int | None, ...] | None:
    """A shape with None for free sizes; None if it is not reported."""
    return None if shape is None else tuple(_sizes(shape))


def _described(shape: Sequence[Any] | None, dtype: Any) -> str:
    words = [] if dtype is None else [np.dtype(dtype).name]
    if shape is not None:
        words.append(str(['any' if n is None else n for n in _sizes(shape)]).replace("'", ''))
    return ' '.join(words) or 'anything'
