"""A served network: raw pixels in, the task's outputs out, at one fixed size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.errors import ExportError
from rs_ml_training.export.artifact import Arrays, Port
from rs_ml_training.tasks.registry import task_named
from rs_ml_training.tasks.task import ServingOptions, Task
from rs_ml_training.trained import Trained

if TYPE_CHECKING:
    import keras

# Input of a network -> name and dtype it is served under.
_SERVED = {
    'image': ('image', 'uint8'),
    'depth_m': ('raw_depth', 'float32'),
    'measured_m': ('depth', 'float32'),
    'infrared': ('infrared', 'uint8'),
}


@dataclass(frozen=True)
class Serving:
    """A trained network with its task's served outputs.

    Attributes:
        task: of the network.
        model: the trained network.
        inputs: of the network.
        outputs: names, sorted.
        options: of the outputs.
        function: the same as a tf.function with a fixed signature; keyword arguments by name.
    """

    task: Task[Any, Any]
    model: keras.Model
    inputs: tuple[Port, ...]
    outputs: tuple[str, ...]
    options: ServingOptions
    function: Any

    def __call__(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """Run the Keras network itself: the reference for every file made from it."""
        outputs = _serve(self.model, self.task, self.options, dict(inputs))
        return {name: np.asarray(outputs[name]) for name in self.outputs}


def require_tensorflow() -> None:
    """Raise ConfigError unless Keras runs on TensorFlow, which all converters need."""
    import keras

    backend = keras.backend.backend()
    if backend != 'tensorflow':
        raise ConfigError(
            f'export needs TensorFlow and Keras runs on {backend}: set KERAS_BACKEND=tensorflow, '
            'the weights are the same'
        )


def serving_of(trained: Trained, options: ServingOptions) -> Serving:
    """Add the served outputs of its task to a trained network.

    Args:
        trained: built at the size to serve.
        options: of the outputs.

    Raises:
        ConfigError: Keras does not run on TensorFlow.
        ExportError: the network has no fixed size, or lacks an output that its task needs.
    """
    require_tensorflow()
    import tensorflow as tf

    model, task = trained.model, task_named(trained.spec.task)
    inputs = tuple(_port(tensor) for tensor in model.inputs)
    signature = [tf.TensorSpec(p.shape, p.dtype, name=p.name) for p in inputs]

    def serve(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        named = {p.name: tensor for p, tensor in zip(inputs, tensors, strict=True)}
        outputs = _serve(model, task, options, named)
        return {name: tf.identity(tensor, name=name) for name, tensor in outputs.items()}

    function = tf.function(serve, input_signature=signature)
    outputs = tuple(sorted(function.get_concrete_function().structured_outputs))
    return Serving(task, model, inputs, outputs, options, function)


def _port(tensor: keras.KerasTensor) -> Port:
    name = tensor.name.split(':')[0]
    if name not in _SERVED:
        raise ExportError(f'input {name!r} cannot be served, only {", ".join(_SERVED)} can')
    shape = (1, *tensor.shape[1:])
    if None in shape:
        raise ExportError(
            f'input {name!r} has the open shape {tensor.shape}: build the network at a size'
        )
    return Port(_SERVED[name][0], shape, _SERVED[name][1])


def _serve(
    model: keras.Model, task: Task[Any, Any], options: ServingOptions, inputs: dict[str, Any]
) -> dict[str, Any]:
    import tensorflow as tf

    served = {name: _SERVED[name][0] for name in (t.name.split(':')[0] for t in model.inputs)}
    tensors = {name: tf.cast(inputs[ours], tf.float32) for name, ours in served.items()}
    outputs = model(tensors, training=False)
    try:
        return task.served(outputs, options)
    except KeyError as error:
        raise ExportError(
            f'a {task.name} network must give {error}, this one gives {sorted(outputs)}'
        ) from error
