"""OpenVINO IR: an .xml with its .bin."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from rs_ml_training.errors import ExportError
from rs_ml_training.export.artifact import Arrays, Artifact, Network
from rs_ml_training.export.onnx_file import write_onnx
from rs_ml_training.export.serving import Serving

_NAME = 'model.xml'


def write_openvino(
    serving: Serving, folder: Path, precision: str, representative: Iterable[Arrays] = ()
) -> Artifact:
    """Convert to OpenVINO by way of ONNX, which keeps the names of all tensors.

    Args:
        serving: the network.
        folder: where `model.xml` and `model.bin` are written.
        precision: float16 stores float16 weights; int8 keeps what ONNX quantised.
        representative: input arrays to measure activations on; needed for int8.

    Raises:
        ExportError: ONNX or OpenVINO lacks an operation of the network.
    """
    import openvino

    with tempfile.TemporaryDirectory(prefix='.openvino-', dir=folder) as scratch:
        wanted = 'int8' if precision == 'int8' else 'float32'
        made = write_onnx(serving, Path(scratch), wanted, representative)
        try:
            model = openvino.convert_model(Path(scratch) / made.path)
        except RuntimeError as error:
            raise ExportError(f'OpenVINO cannot express this network: {error}') from error
        openvino.save_model(model, folder / _NAME, compress_to_fp16=precision == 'float16')
    return Artifact('openvino', _NAME, companions=('model.bin',))


def load_openvino(artifact: Artifact, folder: Path) -> Network:
    """An IR in OpenVINO, computing in float32."""
    import openvino

    compiled = openvino.Core().compile_model(
        folder / artifact.path, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'}
    )

    def run(inputs: Arrays) -> dict[str, Any]:
        results = compiled(dict(inputs))
        return {port.get_any_name(): np.array(array) for port, array in results.items()}

    return run
