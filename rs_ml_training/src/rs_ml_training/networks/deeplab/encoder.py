"""EfficientNetV2-S whose last stage keeps its resolution."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
from keras import KerasTensor

# Where the last stage halves the resolution, and the ends of the second and the last stage.
_LAST_STRIDE = 'block6a_dwconv2'
_SKIP, _DEEP = 'block2d_add', 'block6o_add'
# Of keras.applications: the rate at which whole blocks are dropped, towards the last one.
_DROP_CONNECT = 0.2


def effnetv2s_stride16(
    input_size: tuple[int, int] | None, drop_connect: float = _DROP_CONNECT
) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
    """EfficientNetV2-S (Tan and Le, arXiv 2104.00298) at output stride 16.

    Its layers are those of keras.applications, with their names, so that weights published for
    it fit; its preprocessing to -1..1 is the first layer.

    Args:
        input_size: (width, height), or None: any.
        drop_connect: rate at which training leaves out the last block, less for earlier ones.

    Returns:
        The input `image` (B, H, W, 3) RGB 0..255, features (B, H/4, W/4, 48) and
        (B, H/16, W/16, 256).
    """
    width, height = input_size or (None, None)
    image = keras.Input((height, width, 3), name='image')
    original = keras.applications.EfficientNetV2S(
        include_top=False, weights=None, input_tensor=image
    )
    upto_deep = keras.Model(image, original.get_layer(_DEEP).output)
    cloned = partial(_cloned, drop_scale=drop_connect / _DROP_CONNECT)
    network = keras.models.clone_model(upto_deep, clone_function=cloned)
    return network.inputs[0], network.get_layer(_SKIP).output, network.get_layer(_DEEP).output


def _cloned(layer: keras.layers.Layer, drop_scale: float) -> keras.layers.Layer:
    config: dict[str, Any] = layer.get_config()
    if layer.name == _LAST_STRIDE:
        config['strides'] = (1, 1)
    if isinstance(layer, keras.layers.Dropout):
        config['rate'] *= drop_scale
    return type(layer).from_config(config)
