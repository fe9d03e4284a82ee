"""A network: depth from one image by five convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rs_ml_training.networks.registry import NETWORKS, NetworkEntry

if TYPE_CHECKING:
    import keras


def tiny_depth(
    input_size: tuple[int, int] | None = None, filters: int = 8, max_depth_m: float = 10.0
) -> keras.Model:
    """Two halvings, two doublings, and a sigmoid that covers the range.

    Args:
        input_size: (width, height), multiples of 4; None: any.
        filters: channels of the first convolution; `--model-option filters=16`.
        max_depth_m: the greatest depth it predicts [m]; the command passes `--max-depth-m`.

    Returns:
        Model {'image': (B, H, W, 3) RGB 0..255} -> {'depth_m': (B, H, W, 1)}.
    """
    from keras import Model, layers  # on use: the table is read by programs without Keras
    from rs_ml_training.networks.blocks import conv_bn, image_input

    image = image_input(input_size, 3, 'image')
    x = layers.Rescaling(1 / 255, name='normalised')(image)
    x = conv_bn(x, filters, 3, 'half', strides=2)
    x = conv_bn(x, 2 * filters, 3, 'quarter', strides=2)
    x = conv_bn(layers.UpSampling2D(2)(x), filters, 3, 'up_half')
    x = conv_bn(layers.UpSampling2D(2)(x), filters, 3, 'up')
    x = layers.Conv2D(1, 3, padding='same', activation='sigmoid', name='fraction')(x)
    depth = layers.Rescaling(max_depth_m, dtype='float32', name='depth_m')(x)
    return Model({'image': image}, {'depth_m': depth}, name='tiny_depth')


NETWORKS['tiny-depth'] = NetworkEntry(
    name='tiny-depth',
    task='depth',
    builder='tiny_network:tiny_depth',
    default_size=(64, 48),
    stride=4,
    summary='five convolutions, an example',
)
