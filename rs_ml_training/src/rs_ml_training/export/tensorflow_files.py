"""SavedModel and TF1 frozen graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rs_ml_training.export.artifact import Arrays, Artifact, Network
from rs_ml_training.export.serving import Serving

if TYPE_CHECKING:
    import tensorflow as tf


def write_saved_model(serving: Serving, folder: Path) -> Artifact:
    """A SavedModel with signature `serving_default`, variables and all."""
    import tensorflow as tf

    module = tf.Module()
    # Tracked one by one: of a tracked model, sessions of TF1 restore no variable.
    module.weights = [variable.value for variable in serving.model.variables]
    module.serve = serving.function
    _save(module, serving.function, folder / 'saved_model')
    return Artifact('saved_model', 'saved_model')


def write_frozen_graph(serving: Serving, folder: Path) -> Artifact:
    """A GraphDef with the weights as constants; tensors bear their own names."""
    graph_def = frozen_function(serving).graph.as_graph_def()
    (folder / 'frozen_graph.pb').write_bytes(graph_def.SerializeToString(deterministic=True))
    return Artifact('frozen_graph', 'frozen_graph.pb')


def write_constant_model(serving: Serving, folder: Path) -> None:
    """A SavedModel with the weights as constants: what the TFLite converter reads reliably."""
    import tensorflow as tf

    module = tf.Module()
    module.frozen = frozen = frozen_function(serving)
    # Flat outputs of a function with a dictionary are in the order of the sorted names.
    names = serving.outputs

    def serve(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict(zip(names, frozen(*tensors), strict=True))

    module.serve = tf.function(serve, input_signature=serving.function.input_signature)
    _save(module, module.serve, folder)


def _save(module: tf.Module, function: Any, folder: Path) -> None:
    import tensorflow as tf

    # Gradients of activations such as swish capture what cannot be saved; nobody trains these.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(folder), signatures=function, options=options)


def frozen_function(serving: Serving) -> Any:
    """The served network as a concrete function without variables."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    return convert_variables_to_constants_v2(serving.function.get_concrete_function())


def load_saved_model(artifact: Artifact, folder: Path) -> Network:
    """A SavedModel in TensorFlow."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder / artifact.path))
    serve = loaded.signatures['serving_default']

    def run(inputs: Arrays) -> dict[str, Any]:
        # The signature holds no reference to the variables, the loaded object does.
        assert loaded is not None
        outputs = serve(**{name: tf.constant(array) for name, array in inputs.items()})
        return {name: tensor.numpy() for name, tensor in outputs.items()}

    return run


def load_frozen_graph(artifact: Artifact, folder: Path, outputs: tuple[str, ...]) -> Network:
    """A frozen graph in TensorFlow."""
    import tensorflow as tf

    graph_def = tf.compat.v1.GraphDef()
    graph_def.ParseFromString((folder / artifact.path).read_bytes())
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name='')
    session = tf.compat.v1.Session(graph=graph)

    def run(inputs: Arrays) -> dict[str, Any]:
        feed = {f'{name}:0': array for name, array in inputs.items()}
        values = session.run([f'{name}:0' for name in outputs], feed)
        return dict(zip(outputs, values, strict=True))

    return run
