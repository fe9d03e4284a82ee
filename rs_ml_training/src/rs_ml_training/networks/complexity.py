"""Cost of a network: multiply-adds and parameters."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers
from rs_ml_perception.core.errors import ConfigError

_CONVOLUTIONS = (
    layers.Conv1D,
    layers.Conv2D,
    layers.DepthwiseConv1D,
    layers.DepthwiseConv2D,
    layers.Dense,
)


def parameters(model: keras.Model) -> int:
    """Number of trainable weights; as in papers, moving averages do not count."""
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def multiply_adds(model: keras.Model, input_size: tuple[int, int] | None = None) -> int:
    """Multiply-adds of all convolutions and dense layers for one image.

    Cheaper operations do not count: biases, normalisation, activations, pooling and resizing.
    Neither do layers inside custom layers.

    Args:
        model: functional, with a dictionary of image inputs; nested models count too.
        input_size: (width, height); None: the size that the model was built for.

    Raises:
        ConfigError: the model was built for any size and none is given.
    """
    shapes = {key: _shape(tensor, input_size) for key, tensor in model.input.items()}
    if any(None in shape[1:] for shape in shapes.values()):
        raise ConfigError(f'{model.name} takes any size: name one to count its multiply-adds')
    return _counted(
        model, {key: keras.Input(shape[1:], name=key) for key, shape in shapes.items()}
    )


def _shape(
    tensor: keras.KerasTensor, input_size: tuple[int, int] | None
) -> tuple[int | None, ...]:
    if input_size is None:
        return tensor.shape
    return (None, input_size[1], input_size[0], tensor.shape[-1])


def _counted(model: keras.Model, inputs: Any) -> int:
    total = 0

    def called(layer: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal total
        outputs = layer(*args, **kwargs)
        if isinstance(layer, keras.Model):
            tensors = [keras.Input(x.shape[1:]) for x in keras.tree.flatten(args)]
            total += _counted(layer, keras.tree.pack_sequence_as(args[0], tensors))
        elif isinstance(layer, layers.Layer):
            total += _layer_multiply_adds(layer, args, outputs)
        return outputs

    # A copy of the layers at this size, so the model's own graph stays as it is.
    keras.models.clone_model(model, input_tensors=inputs, call_function=called)
    return total


def _layer_multiply_adds(layer: layers.Layer, args: tuple[Any, ...], outputs: Any) -> int:
    if isinstance(layer, (layers.Conv1DTranspose, layers.Conv2DTranspose)):
        return _positions(args[0]) * math.prod(layer.kernel.shape)
    if isinstance(layer, (layers.SeparableConv1D, layers.SeparableConv2D)):
        kernels = layer.depthwise_kernel, layer.pointwise_kernel
        return _positions(outputs) * sum(math.prod(kernel.shape) for kernel in kernels)
    if isinstance(layer, _CONVOLUTIONS):
        return _positions(outputs) * math.prod(layer.kernel.shape)
    return 0


def _positions(tensor: keras.KerasTensor) -> int:
    return math.prod(tensor.shape[1:-1])
