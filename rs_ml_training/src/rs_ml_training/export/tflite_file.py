"""TFLite: float32, float16 weights, or int8 throughout."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rs_ml_training.errors import ExportError
from rs_ml_training.export.artifact import Arrays, Artifact, Network
from rs_ml_training.export.serving import Serving
from rs_ml_training.export.tensorflow_files import write_constant_model

_NAME = 'model.tflite'


def write_tflite(
    serving: Serving, folder: Path, precision: str, representative: Iterable[Arrays] = ()
) -> Artifact:
    """Convert to TFLite.

    Inputs stay raw uint8 (float32 metres for depth) and outputs stay float32 or class ids at every
    precision, so that every runtime is fed alike.

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
        weights_only = serving.task == 'denoise'
        _choose_precision(converter, precision, () if weights_only else representative)
        try:
            content = converter.convert()
        except (RuntimeError, ValueError, tf.errors.OpError) as error:
            raise ExportError(f'TFLite cannot express this network: {_reason(error)}') from error
    (folder / _NAME).write_bytes(content)
    return Artifact('tflite', _NAME, names=_tensor_names(_interpreter(content)))


def load_tflite(artifact: Artifact, folder: Path) -> Network:
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
    """Name in the signature -> name of the tensor, which is all that some runtimes know."""
    runner = interpreter.get_signature_runner()
    details = {**runner.get_input_details(), **runner.get_output_details()}
    return {name: tensor['name'].removesuffix(':0') for name, tensor in details.items()}


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if 'error:' in line or 'ops' in line.lower()]
    return ' '.join((telling or lines)[:3])[:400]
