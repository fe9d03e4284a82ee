"""SavedModel, TF1 frozen graph and TFLite (float32, float16 weights or int8)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rs_ml_training.export.artifact import Arrays, ExportedArtifact, Network
from rs_ml_training.export.serving import Serving

if TYPE_CHECKING:
    import tensorflow as tf


import tempfile
from collections.abc import Iterable

from rs_ml_training.errors import ExportError

_NAME = 'model.tflite'


def write_saved_model(serving: Serving, folder: Path) -> ExportedArtifact:
    """A SavedModel with signature `serving_default`, variables and all."""
    import tensorflow as tf

    module = tf.Module()
    # Tracked one by one: sessions of TF1 restore no variable of a tracked model.
    module.weights = [variable.value for variable in serving.model.variables]
    module.serve = serving.function
    _save(module, serving.function, folder / 'saved_model')
    return ExportedArtifact('saved_model', 'saved_model')


def write_frozen_graph(serving: Serving, folder: Path) -> ExportedArtifact:
    """A GraphDef with the weights as constants; tensors keep their names."""
    graph_def = frozen_function(serving).graph.as_graph_def()
    (folder / 'frozen_graph.pb').write_bytes(graph_def.SerializeToString(deterministic=True))
    return ExportedArtifact('frozen_graph', 'frozen_graph.pb')


def write_constant_model(serving: Serving, folder: Path) -> None:
    """A SavedModel with the weights as constants, which the TFLite converter reads reliably."""
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

    # Gradients of activations such as swish cannot be saved, and exported files are not trained.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(folder), signatures=function, options=options)


def frozen_function(serving: Serving) -> Any:
    """The served network as a concrete function without variables."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    return convert_variables_to_constants_v2(serving.function.get_concrete_function())


def load_saved_model(artifact: ExportedArtifact, folder: Path) -> Network:
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


def load_frozen_graph(
    artifact: ExportedArtifact, folder: Path, outputs: tuple[str, ...]
) -> Network:
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


def write_tflite(
    serving: Serving, folder: Path, precision: str, representative: Iterable[Arrays] = ()
) -> ExportedArtifact:
    """Convert to TFLite.

    Inputs stay raw uint8 (float32 metres for depth) and outputs stay float32 or class ids at every
    precision, so that every runtime gets the same inputs.

    Args:
        serving: the network.
        folder: where `model.tflite` is written.
        precision: float16 halves the weights; int8 quantises weights and activations, and
            operations that have no int8 kernel are refused. Of a denoiser int8 quantises the
            weights alone: its depth passes through, and 256 steps of it would be centimetres.
        representative: input arrays to measure activations on; needed for int8.

    Raises:
        ExportError: TFLite lacks an operation of the network.
    """
    import tensorflow as tf

    with tempfile.TemporaryDirectory(prefix='.constant-', dir=folder) as scratch:
        write_constant_model(serving, Path(scratch))
        converter = tf.lite.TFLiteConverter.from_saved_model(scratch)
        weights_only = not serving.task.quantises_activations
        _choose_precision(converter, precision, () if weights_only else representative)
        try:
            content = converter.convert()
        except (RuntimeError, ValueError, tf.errors.OpError) as error:
            raise ExportError(f'TFLite cannot express this network: {_reason(error)}') from error
    (folder / _NAME).write_bytes(content)
    return ExportedArtifact('tflite', _NAME, names=_tensor_names(_interpreter(content)))


def load_tflite(artifact: ExportedArtifact, folder: Path) -> Network:
    """A TFLite file in LiteRT."""
    interpreter = _interpreter((folder / artifact.path).read_bytes())
    run = interpreter.get_signature_runner()

    def call(inputs: Arrays) -> dict[str, Any]:
        return {name: array.copy() for name, array in run(**inputs).items()}

    return call


def _choose_precision(converter: Any, precision: str, representative: Iterable[Arrays]) -> None:
    import tensorflow as tf

    if precision == 'float32':
        return
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == 'float16':
        converter.target_spec.supported_types = [tf.float16]
        return
    samples = [dict(arrays) for arrays in representative]
    if not samples:
        return
    converter.representative_dataset = lambda: iter(samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]


def _interpreter(content: bytes) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        from tensorflow.lite import Interpreter
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    return interpreter


def _tensor_names(interpreter: Any) -> dict[str, str]:
    """Name in the signature -> name of the tensor, the only one that some runtimes use."""
    runner = interpreter.get_signature_runner()
    details = {**runner.get_input_details(), **runner.get_output_details()}
    return {name: tensor['name'].removesuffix(':0') for name, tensor in details.items()}


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if 'error:' in line or 'ops' in line.lower()]
    return ' '.join((telling or lines)[:3])[:400]
