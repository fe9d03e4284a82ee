"""MobileNetV2 from a file whose batch normalisation is folded into the convolutions (TFLite).

Inference is that of the file. The normalisations are restored from the outputs of each convolution
on training images, so that training, which normalises by the batch, starts from the same features.
One pass is enough, because the features do not depend on the split between a convolution and its
normalisation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.errors import CheckpointError
from rs_ml_training.networks.tflite_weights import (
    Convolution,
    FoldedNetwork,
    InputRange,
    read_tflite,
)

Arrays = Mapping[str, np.ndarray]
SUFFIX = '.tflite'
_BLOCKS = 16
_PROJECT, _PROJECT_WHOLE = 'context_project', 'context_project_whole'
# Layers of DeepLabV3 after the blocks (mobilenetv2.encoder), without normalisation.
_CONTEXT = ('context_local', 'context_whole', _PROJECT, _PROJECT_WHOLE, 'context_scores')
_DEEPLAB = 'MobileNetV2 of DeepLabV3 on Pascal VOC 2012 (TensorFlow models, Apache-2.0)'
# sha256 of published files -> their source and licence.
_CREDITS = {
    '350af47fd346ea6d74b58833a351f583ba860e9806ec5bd292ff8d8f1f249398': _DEEPLAB,
    '0470d2a782aa54eeeb99d32e7b6b3fb7722905c7c4f5d26bd957ec861366d48b': f'{_DEEPLAB}, half width',
}
_PARTS = ('expand', 'depthwise', 'project')


def credit_of(path: Path) -> str:
    """Source and licence of the weights in a file, for the model card."""
    known = None
    if path.is_file():
        known = _CREDITS.get(hashlib.sha256(path.read_bytes()).hexdigest())
    return known or f'{path.name}, licence not stated'


def load_folded(model: keras.Model, path: Path, pictures: Iterable[Arrays]) -> list[str]:
    """Load a TFLite file into the MobileNetV2 of a network.

    Args:
        model: its first layers are those of MobileNetV2 with the names of keras.applications.
        path: of a quantised network that begins with MobileNetV2 of the same width, at any size
            and stride.
        pictures: batches of the network's inputs as in training; a few dozen images.

    Returns:
        Names of the layers that got weights.

    Raises:
        CheckpointError: the file is missing, damaged or of another network.
        ConfigError: the network has no such encoder, or there are no images.
    """
    source = read_tflite(path)
    names = _convolutions_of(model)
    if _PROJECT in names:
        source = replace(source, convolutions=_projected_apart(source.convolutions, path))
    _require_fit(model, names, source.convolutions, path)
    for name, convolution in zip(names, _first_sees(model, source), strict=False):
        _set_folded(model, name, convolution)
    normed = [name for name in names if name not in _CONTEXT]
    _normalise(model, normed, pictures)
    normalised = [name for pair in ((n, _norm(n)) for n in normed) for name in pair]
    return normalised + names[len(normed) :]


def _projected_apart(convolutions: Sequence[Convolution], path: Path) -> tuple[Convolution, ...]:
    """The projection split into those of global and local features, the latter with the bias."""
    if len(convolutions) < 2 or convolutions[-2].kernel.shape[2] % 2:
        raise CheckpointError(
            f'{path} does not end with the context of DeepLabV3: leave out --model-option context'
        )
    *before, joined, scores = convolutions
    whole, local = np.split(joined.kernel, 2, axis=2)
    apart = (replace(joined, kernel=local), Convolution(whole, joined.bias[:0], False))
    return (*before, *apart, scores)


def _convolutions_of(model: keras.Model) -> list[str]:
    """Names of the network's MobileNetV2 convolutions, in order."""
    blocks = [f'block_{i}_{part}' for i in range(1, _BLOCKS + 1) for part in _PARTS]
    stem = ('Conv1', 'expanded_conv_depthwise', 'expanded_conv_project')
    order = [*stem, *blocks, *_CONTEXT]
    present = {layer.name for layer in model.layers}
    names = [name for name in order if name in present]
    if names[:1] != ['Conv1'] or names != order[: len(names)]:
        raise ConfigError(
            f'the encoder of {model.name} is no MobileNetV2 named as in keras.applications: '
            f'weights of a {SUFFIX} file do not fit it'
        )
    return names


def _norm(name: str) -> str:
    return 'bn_Conv1' if name == 'Conv1' else f'{name}_BN'


def _require_fit(
    model: keras.Model, names: list[str], convolutions: Sequence[Convolution], path: Path
) -> None:
    for i, name in enumerate(names):
        expected = tuple(model.get_layer(name).kernel.shape)
        found = convolutions[i].kernel.shape if i < len(convolutions) else None
        if found != expected:
            raise CheckpointError(
                f'{path} does not begin with the MobileNetV2 of {model.name}: '
                f'{name} has {expected}, convolution {i} of the file {found}'
            )


def _first_sees(model: keras.Model, source: FoldedNetwork) -> list[Convolution]:
    """The convolutions, the first adapted to the input range of the network."""
    first, *others = source.convolutions
    scale, offset = _range_change(model, source.pixels)
    kernel = first.kernel * scale[:, None]
    bias = first.bias + (first.kernel * offset[:, None]).sum((0, 1, 2))
    return [Convolution(kernel, bias, first.depthwise), *others]


def _range_change(model: keras.Model, pixels: InputRange) -> tuple[np.ndarray, np.ndarray]:
    """(scale, offset) by channel from the network's input of Conv1 to the file's."""
    ours = next(x for x in model.layers if isinstance(x, keras.layers.Rescaling))
    scale, offset = (np.broadcast_to(np.float32(v), 3) for v in (ours.scale, ours.offset))
    return pixels.scale / scale, -pixels.scale * (offset / scale + pixels.zero_point)


def _set_folded(model: keras.Model, name: str, convolution: Convolution) -> None:
    """The convolution with its bias, or followed by a normalisation that only adds it."""
    if name in _CONTEXT:
        bias = [convolution.bias] if len(convolution.bias) else []
        model.get_layer(name).set_weights([convolution.kernel, *bias])
        return
    model.get_layer(name).set_weights([convolution.kernel])
    norm = model.get_layer(_norm(name))
    one, zero = np.ones_like(convolution.bias), np.zeros_like(convolution.bias)
    norm.set_weights([one, convolution.bias, zero, one - norm.epsilon])


def _normalise(model: keras.Model, names: list[str], pictures: Iterable[Arrays]) -> None:
    """Split each bias into batch statistics and the scale and offset that undo them."""
    for name, (mean, variance) in _statistics(model, names, pictures).items():
        norm = model.get_layer(_norm(name))
        bias = keras.ops.convert_to_numpy(norm.beta)
        norm.set_weights([np.sqrt(variance + norm.epsilon), bias + mean, mean, variance])


def _statistics(
    model: keras.Model, names: list[str], pictures: Iterable[Arrays]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Mean and variance of each output channel of each convolution."""
    moments = keras.Model(model.input, {name: _moments(model, name) for name in names})
    batches = [moments(dict(arrays), training=False) for arrays in pictures]
    if not batches:
        raise ConfigError('weights of folded convolutions need images to measure them on')
    means = {n: np.mean([ops.convert_to_numpy(b[n]) for b in batches], axis=0) for n in names}
    return {n: (mean, np.maximum(square - mean**2, 0)) for n, (mean, square) in means.items()}


def _moments(model: keras.Model, name: str) -> Any:
    """(2, C): mean and mean square."""
    x = ops.cast(model.get_layer(name).output, 'float32')
    return ops.stack([ops.mean(v, axis=(0, 1, 2)) for v in (x, ops.square(x))])
