"""Weights of METER from its published state dict (a PyTorch file), without PyTorch."""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from rs_ml_training.errors import CheckpointError

_CENTIMETRES = 0.01
_DTYPES = {'FloatStorage': np.float32, 'LongStorage': np.int64, 'HalfStorage': np.float16}
_CREDITS = {
    '327cddf3bfc85f4a13b8d18d2f13d8e40cdeb022ea397995c409ef1569bcbb53': (
        'METER-xxs, Copyright 2022 lorenzopapa5 (github.com/lorenzopapa5/METER, MIT), trained on '
        'NYU Depth v2 (research use only)'
    ),
}
"""sha256 of published files -> their source and licence."""
_NORM = ('weight', 'bias', 'running_mean', 'running_var')


def credit_of(path: Path) -> str:
    """Source and licence of the weights in a file, for the model card."""
    known = None
    if path.is_file():
        known = _CREDITS.get(hashlib.sha256(path.read_bytes()).hexdigest())
    return known or f'{path.name}, licence not stated'


class _StateDict(pickle.Unpickler):
    """Reads tensors and dictionaries and refuses all else, because a pickle can run code."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(archive.open(f'{root}data.pkl'))
        self._archive, self._root = archive, root

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ('torch._utils', '_rebuild_tensor_v2'):
            return self._tensor
        if (module, name) == ('collections', 'OrderedDict'):
            return OrderedDict
        if module == 'torch' and name in _DTYPES:
            return _DTYPES[name]
        raise pickle.UnpicklingError(f'{module}.{name} is no part of a state dict')

    def persistent_load(self, pid: Any) -> np.ndarray:
        _, dtype, key, _, count = pid
        return np.frombuffer(self._archive.read(f'{self._root}data/{key}'), dtype, count)

    @staticmethod
    def _tensor(stored: np.ndarray, offset: int, size: Any, stride: Any, *_: Any) -> np.ndarray:
        strides = tuple(s * stored.itemsize for s in stride)
        return np.lib.stride_tricks.as_strided(stored[offset:], size, strides).copy()


def read_state_dict(path: Path) -> dict[str, np.ndarray]:
    """Arrays of a file that torch.save made of a state dict.

    Raises:
        CheckpointError: it is missing, damaged, or holds more than arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            member = next(n for n in archive.namelist() if n.endswith('/data.pkl'))
            state = _StateDict(archive, member.removesuffix('data.pkl')).load()
    except (OSError, zipfile.BadZipFile, StopIteration, pickle.UnpicklingError) as error:
        raise CheckpointError(
            f'{path} cannot be read as a PyTorch state dict: {error!r}'
        ) from error
    return {k: v for k, v in state.items() if isinstance(v, np.ndarray)}


def load(model: keras.Model, path: Path) -> None:
    """Load the published weights of its variant into a METER network.

    Raises:
        CheckpointError: the file is damaged or of another network.
    """
    state = read_state_dict(path)
    try:
        weights = _of_layers(state)
        for name, arrays in weights.items():
            model.get_layer(name).set_weights(arrays)
    except (KeyError, ValueError) as error:
        raise CheckpointError(f'{path} is not of this variant of METER: {error}') from error


def _of_layers(state: dict[str, np.ndarray]) -> dict[str, list[np.ndarray]]:
    found: dict[str, list[np.ndarray]] = {}

    def conv(name: str, key: str, norm: str | None) -> None:
        found[name] = [_kernel(state, key)]
        if norm is not None:
            found[f'{name}_bn'] = [state[f'{norm}.{part}'] for part in _NORM]

    conv('stem', 'encoder.conv1.0', 'encoder.conv1.1')
    for i in range(7):
        key = f'encoder.mv2.{i}.conv'
        for part, at in (('expand', 0), ('dw', 3), ('project', 6)):
            conv(f'block_{i}_{part}', f'{key}.{at}', f'{key}.{at + 1}')
        found[f'block_{i}_dw'] = [state[f'encoder.mv2.{i}.conv.3.weight'].transpose(2, 3, 0, 1)]
    for i in range(3):
        key = f'encoder.mvit.{i}'
        for n, part in enumerate(('local', 'tokens', 'back', 'fuse'), 1):
            conv(f'vit_{i}_{part}', f'{key}.conv{n}.0', f'{key}.conv{n}.1')
        found |= _transformer(state, f'{key}.transformer.layers.0', f'vit_{i}')
    conv('deepest', 'encoder.conv2.0', 'encoder.conv2.1')
    conv('decoder_in', 'decoder.conv2d_in', None)
    for i in range(3):
        key = f'decoder.ups_block_{i + 1}'
        up = state[f'{key}.conv2d_transpose.weight']
        found[f'decoder_up_{i}'] = [up.transpose(2, 3, 1, 0)]
        conv(f'decoder_{i}', f'{key}.end_up_layer.0', None)
    found['head_depth'] = [_kernel(state, 'decoder.conv2d_out') * _CENTIMETRES]
    return found


def _kernel(state: dict[str, np.ndarray], key: str) -> np.ndarray:
    """(h, w, in, out); of a full and a pointwise convolution their product."""
    if f'{key}.weight' in state:
        return state[f'{key}.weight'].transpose(2, 3, 1, 0)
    full, point = state[f'{key}.depthwise.weight'], state[f'{key}.pointwise.weight']
    return np.einsum('mihw,om->hwio', full, point[:, :, 0, 0])


def _transformer(state: dict[str, np.ndarray], key: str, name: str) -> dict[str, list[np.ndarray]]:
    def dense(at: str) -> list[np.ndarray]:
        bias = [state[f'{at}.bias']] if f'{at}.bias' in state else []
        return [state[f'{at}.weight'].T, *bias]

    norms = {
        f'{name}_norm{n + 1}': [state[f'{key}.{n}.norm.{p}'] for p in ('weight', 'bias')]
        for n in (0, 1)
    }
    return norms | {
        f'{name}_qkv': dense(f'{key}.0.fn.to_qkv'),
        f'{name}_out': dense(f'{key}.0.fn.to_out.0'),
        f'{name}_mlp1': dense(f'{key}.1.fn.net.0'),
        f'{name}_mlp2': dense(f'{key}.1.fn.net.3'),
    }
