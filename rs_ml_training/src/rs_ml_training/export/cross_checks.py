"""Exported files in runtimes other than their own: TFLite in OpenVINO, float32 and bfloat16.

On a CPU without units for bfloat16, its rounding is emulated.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rs_ml_perception.inference.golden_recording import USUAL_LIMITS
from rs_ml_perception.inference.manifest import Tolerance
from rs_ml_perception.inference.output_errors import usual_measure

from rs_ml_training.export import cross_checks
from rs_ml_training.export.artifact import Arrays, ExportedArtifact, Network
from rs_ml_training.export.onnx_file import converted_tflite

if TYPE_CHECKING:
    import onnx


# Precision in manifests -> in OpenVINO.
HINTS = {'float32': 'f32', 'bfloat16': 'bf16'}

MARGIN = 1.5
# Larger deviations, as fractions of the range, mean that a runtime computes another network.
LARGEST_TOLERANCE = 0.1
_PRODUCTS = ('Conv', 'ConvTranspose', 'MatMul', 'Gemm')


@dataclass(frozen=True)
class CrossCheck:
    """A file compared in a runtime other than its own.

    Attributes:
        title: of the file and the runtime.
        precision: key of HINTS.
        errors: of each output on the golden input.
        metrics: of the task, where they were measured.
    """

    title: str
    precision: str
    errors: Mapping[str, float]
    metrics: Mapping[str, float] = field(default_factory=dict)


def networks(artifact: ExportedArtifact, folder: Path) -> Iterator[tuple[str, str, Network]]:
    """(title, precision, network) of a TFLite file in OpenVINO.

    Where the CPU has no units for bfloat16 it is emulated. Nothing is yielded for other files, or
    if OpenVINO is missing.
    """
    if artifact.format != 'tflite' or importlib.util.find_spec('openvino') is None:
        return
    yield 'in OpenVINO, float32', 'float32', _compiled(artifact, folder, 'float32')
    if cross_checks.has_units():
        yield 'in OpenVINO, bfloat16', 'bfloat16', _compiled(artifact, folder, 'bfloat16')
    elif importlib.util.find_spec('tf2onnx') and importlib.util.find_spec('onnxruntime'):
        theirs = {tensor: name for name, tensor in artifact.names.items()}
        model = converted_tflite(folder / artifact.path, theirs)
        yield 'bfloat16, emulated', 'bfloat16', cross_checks.emulated(model)


def tolerances(
    outputs: Arrays, float32: Mapping[str, float], checks: Iterable[CrossCheck]
) -> dict[str, Tolerance]:
    """Tolerances of each output against the golden one: the deviations measured here times 1.5.

    Args:
        outputs: the golden ones.
        float32: output -> least tolerance in float32.
        checks: the measurements; bfloat16 is allowed at least the usual limit.
    """
    found = {
        name: {'float32': least, 'bfloat16': max(USUAL_LIMITS['bfloat16'], least)}
        for name, least in float32.items()
    }
    for check in checks:
        for name, error in check.errors.items():
            wanted = math.ceil(min(error * MARGIN, LARGEST_TOLERANCE) * 1e3) / 1e3
            found[name][check.precision] = max(found[name][check.precision], wanted)
    return {
        name: Tolerance(usual_measure(name, outputs[name]), limits)
        for name, limits in found.items()
    }


def _compiled(artifact: ExportedArtifact, folder: Path, precision: str) -> Network:
    import openvino

    names = {tensor: name for name, tensor in artifact.names.items()}
    hint = {'INFERENCE_PRECISION_HINT': HINTS[precision]}
    compiled = openvino.Core().compile_model(folder / artifact.path, 'CPU', hint)
    inputs = {_named(port, names): port for port in compiled.inputs}

    def run(arrays: Arrays) -> dict[str, Any]:
        results = compiled({inputs[name]: array for name, array in arrays.items()})
        return {_named(port, names): np.array(array) for port, array in results.items()}

    return run


def _named(port: Any, names: Mapping[str, str]) -> str:
    """Our name of a tensor; OpenVINO keeps the suffix ':0' of some."""
    known = (names.get(name) or names.get(name.removesuffix(':0')) for name in port.get_names())
    return next((name for name in known if name), port.get_any_name())


def has_units() -> bool:
    """Whether OpenVINO computes in bfloat16 on this CPU; elsewhere it silently uses float32."""
    import openvino

    return 'BF16' in openvino.Core().get_property('CPU', 'OPTIMIZATION_CAPABILITIES')


def emulated(model: onnx.ModelProto) -> Network:
    """The network with all intermediate results and all factors of products rounded to bfloat16.

    Sums are float32, as they are in hardware. Real runtimes keep more in float32 and deviate no
    further than this.

    Args:
        model: float32, or with weights of float16; it is changed.
    """
    import onnxruntime

    _round_everything(model)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # The optimiser would remove the pairs of casts.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=['CPUExecutionProvider']
    )
    names = [tensor.name for tensor in session.get_outputs()]

    def run(inputs: Arrays) -> dict[str, np.ndarray]:
        return dict(zip(names, session.run(names, dict(inputs)), strict=True))

    return run


def _round_everything(model: onnx.ModelProto) -> None:
    import onnx

    typed = onnx.shape_inference.infer_shapes(model).graph
    floats = {
        value.name
        for value in typed.value_info
        if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    }
    rounded: dict[str, str] = {}
    nodes: list[onnx.NodeProto] = []

    def in_bfloat16(name: str) -> str:
        short, back = f'{name}_bfloat16_{len(nodes)}', f'{name}_rounded_{len(nodes)}'
        there = onnx.helper.make_node('Cast', [name], [short], to=onnx.TensorProto.BFLOAT16)
        nodes.append(there)
        nodes.append(onnx.helper.make_node('Cast', [short], [back], to=onnx.TensorProto.FLOAT))
        return back

    for node in list(model.graph.node):
        inputs = [rounded.get(name, name) for name in node.input]
        if node.op_type in _PRODUCTS:
            inputs[:2] = [in_bfloat16(name) for name in inputs[:2]]
        node.input[:] = inputs
        nodes.append(node)
        rounded.update({name: in_bfloat16(name) for name in node.output if name in floats})
    del model.graph.node[:]
    model.graph.node.extend(nodes)
