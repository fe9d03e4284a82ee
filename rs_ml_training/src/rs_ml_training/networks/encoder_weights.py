"""Pretrained weights of an encoder: from a file, or ImageNet's by keras.applications.

Layers are matched by name and shape, those of a TFLite file by order and shape; builders name
the layers of an encoder as keras.applications does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.errors import CheckpointError
from rs_ml_training.networks.folded_encoder import SUFFIX, Arrays, load_folded
from rs_ml_training.networks.freezing import encoder_layers
from rs_ml_training.networks.weights_file import LayerWeights, read_weights

IMAGENET = 'imagenet'
_UNIT = 'normalised'
_WIDTHS = (0.25, 0.5, 0.75, 1.0)
# Application, a layer that it has, and one that only its larger relatives have.
_APPLICATIONS = (
    ('MobileNet', 'conv_pw_13', None),
    ('MobileNetV2', 'block_16_project', None),
    ('DenseNet121', 'conv4_block24_2_conv', 'conv4_block25_2_conv'),
    ('DenseNet169', 'conv4_block32_2_conv', 'conv4_block33_2_conv'),
    ('DenseNet201', 'conv4_block48_2_conv', None),
    ('ResNet50V2', 'conv4_block6_preact_bn', 'conv4_block7_preact_bn'),
    ('ResNet101V2', 'conv4_block23_preact_bn', 'conv4_block24_preact_bn'),
    ('ResNet152V2', 'conv4_block36_preact_bn', None),
    ('EfficientNetV2S', 'block6o_project_conv', None),
)


@dataclass(frozen=True)
class EncoderMatch:
    """The layers that fit.

    Attributes:
        source: file, or keras.applications with the name of the network.
        loaded: names of the layers that got weights.
        left: names of encoder layers that kept their weights.
    """

    source: str
    loaded: tuple[str, ...]
    left: tuple[str, ...]

    def __str__(self) -> str:
        """One line for the user."""
        total = len(self.loaded) + len(self.left)
        return f'encoder: {len(self.loaded)} of {total} layers from {self.source}'


def load_encoder_weights(
    model: keras.Model, source: str | Path, pictures: Iterable[Arrays] = ()
) -> EncoderMatch:
    """Load pretrained weights into the encoder of a network.

    A source without a layer called 'normalised' (RGB / 255) was trained on the range of
    keras.applications; for MobileNet, whose range is -1..1, the difference is folded into the
    first convolution and its normalisation.

    Args:
        model: a network; see freezing.encoder_layers for which layers are its encoder.
        source: a file (.weights.h5, .keras, .h5), of which layers of the same name and shapes are
            taken; a .tflite file that begins with MobileNetV2, see `folded_encoder`; or
            'imagenet', which keras.applications downloads and must fit as a whole.
        pictures: batches of the network's inputs, which a .tflite file needs.

    Raises:
        CheckpointError: the file is missing, damaged, or no layer of it fits.
        ConfigError: ImageNet weights do not exist for this encoder or cannot be downloaded.
    """
    if str(source).endswith(SUFFIX):
        loaded = tuple(load_folded(model, Path(source), pictures))
        left = tuple(x.name for x in encoder_layers(model) if x.name not in loaded)
        return EncoderMatch(str(source), loaded, left)
    if str(source) != IMAGENET:
        return _load(model, read_weights(Path(source)), str(source))
    application, weights = _imagenet(model)
    for layer in encoder_layers(model):
        if not _fits(layer, weights):
            raise ConfigError(
                f'{application} on ImageNet has no weights for {layer.name} of {model.name}: '
                'use the published channels or give a file'
            )
    return _load(model, weights, f'keras.applications.{application}')


def _load(model: keras.Model, weights: LayerWeights, source: str) -> EncoderMatch:
    layers = encoder_layers(model)
    fitting = [layer for layer in layers if _fits(layer, weights)]
    if not fitting:
        raise CheckpointError(
            f'no layer of {source} fits the encoder of {model.name} by name and shape; '
            f'it begins with {", ".join(layer.name for layer in layers[:3])}'
        )
    chosen = _same_range(model, {layer.name: weights[layer.name] for layer in fitting}, weights)
    for layer in fitting:
        layer.set_weights(chosen[layer.name])
    loaded = tuple(layer.name for layer in fitting)
    left = tuple(layer.name for layer in layers if layer.name not in chosen)
    return EncoderMatch(source, loaded, left)


def _fits(layer: keras.Layer, weights: LayerWeights) -> bool:
    arrays = weights.get(layer.name, [])
    return [a.shape for a in arrays] == [tuple(w.shape) for w in layer.weights]


def _same_range(
    model: keras.Model, chosen: dict[str, list[np.ndarray]], weights: LayerWeights
) -> dict[str, list[np.ndarray]]:
    """Adapt MobileNet's first layers to RGB in 0..1 instead of -1..1, or the reverse."""
    has_unit = _UNIT in {layer.name for layer in model.layers}
    if has_unit == (_UNIT in weights) or not {'conv1', 'conv1_bn', 'conv_dw_1'} <= set(chosen):
        return chosen
    # Range of the source = scale * range of the model + offset.
    scale, offset = (2.0, -1.0) if has_unit else (0.5, 0.5)
    (kernel,) = chosen['conv1']
    gamma, beta, mean, variance = chosen['conv1_bn']
    mean = mean - offset * kernel.sum(axis=(0, 1, 2))
    return {**chosen, 'conv1': [scale * kernel], 'conv1_bn': [gamma, beta, mean, variance]}


def _imagenet(model: keras.Model) -> tuple[str, LayerWeights]:
    """The application that the encoder is, and its weights."""
    name = _application_of(model)
    options = {'alpha': _mobilenet_width(model)} if name == 'MobileNet' else {}
    try:
        original = _application(name, **options)
    except Exception as error:  # keras raises a bare Exception when a download fails
        raise ConfigError(
            f'ImageNet weights of {name} cannot be had ({error}); '
            'download them elsewhere and give the file'
        ) from error
    return name, {layer.name: layer.get_weights() for layer in original.layers}


def _application(name: str, **options: Any) -> keras.Model:
    build = getattr(keras.applications, name)
    return build(include_top=False, weights=IMAGENET, input_shape=(224, 224, 3), **options)


def _application_of(model: keras.Model) -> str:
    names = {layer.name for layer in model.layers}
    for application, has, has_not in _APPLICATIONS:
        if has in names and has_not not in names:
            return application
    known = ', '.join(application for application, _, _ in _APPLICATIONS)
    raise ConfigError(
        f'the encoder of {model.name} is none of keras.applications ({known}): '
        'give a file with its weights'
    )


def _mobilenet_width(model: keras.Model) -> float:
    width = model.get_layer('conv_pw_13').kernel.shape[-1] / 1024
    if width not in _WIDTHS:
        raise ConfigError(
            f'ImageNet weights of MobileNet exist for widths {_WIDTHS}, not for {width:.3f}: '
            'give a file'
        )
    return width
