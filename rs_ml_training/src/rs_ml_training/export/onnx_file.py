"""ONNX (float32, float16 weights or int8 convolutions), and OpenVINO made from it."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rs_ml_training.errors import ExportError
from rs_ml_training.export.artifact import Arrays, ExportedArtifact, Network
from rs_ml_training.export.serving import Serving

if TYPE_CHECKING:
    import onnx


import tempfile

OPSET = 17
NAME = 'model.onnx'
_ERRORS = 3
_QUANTISED = ('Conv', 'ConvTranspose', 'MatMul', 'Gemm')
# Smaller constants keep float32: they are shifts and scales of negligible size.
_SMALLEST_HALVED = 256
_NAME = 'model.xml'


def write_onnx(
    serving: Serving, folder: Path, precision: str, representative: Iterable[Arrays] = ()
) -> ExportedArtifact:
    """Convert to ONNX.

    float16 stores large constants as float16 and computes in float32. int8 quantises the inputs of
    convolutions and products; additions, resizing and heads stay float32, which costs little time
    and keeps a depth map from falling into 256 steps.

    Args:
        serving: the network.
        folder: where `model.onnx` is written.
        precision: one of artifact.PRECISIONS.
        representative: input arrays to measure activations on; needed for int8.

    Raises:
        ExportError: ONNX lacks an operation of the network.
    """
    import onnx

    model = _converted(serving)
    path = folder / NAME
    if precision == 'float16':
        halve_constants(model)
    onnx.save(model, path)
    if precision == 'int8':
        _quantise(path, representative)
    return ExportedArtifact('onnx', NAME)


def load_onnx(artifact: ExportedArtifact, folder: Path) -> Network:
    """An ONNX file in ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS
    session = onnxruntime.InferenceSession(
        str(folder / artifact.path), options, providers=['CPUExecutionProvider']
    )
    names = [tensor.name for tensor in session.get_outputs()]

    def run(inputs: Arrays) -> dict[str, Any]:
        return dict(zip(names, session.run(names, dict(inputs)), strict=True))

    return run


def converted_tflite(path: Path, names: Mapping[str, str]) -> onnx.ModelProto:
    """A TFLite file as ONNX.

    Args:
        path: the file.
        names: its tensors' names -> those of the inputs and outputs of the result.

    Raises:
        ExportError: ONNX lacks an operation of the network.
    """
    tf2onnx = _converter()
    try:
        model: onnx.ModelProto = tf2onnx.convert.from_tflite(str(path), opset=OPSET)[0]
    except (ValueError, KeyError, RuntimeError) as error:
        raise ExportError(f'ONNX cannot express this network: {error}') from error
    rename = {old if ':' in old else f'{old}:0': new for old, new in names.items()}
    for port in (*model.graph.input, *model.graph.output):
        port.name = rename.get(port.name, port.name)
    for node in model.graph.node:
        for tensors in (node.input, node.output):
            tensors[:] = [rename.get(tensor, tensor) for tensor in tensors]
    _plain_resizes(model)
    return model


def _converter() -> Any:
    """tf2onnx with its notes off."""
    # Else every pass copies all weights first: many gigabytes for a network of 200 MB.
    os.environ.setdefault('TF2ONNX_CATCH_ERRORS', 'FALSE')
    import tf2onnx

    logging.getLogger('tf2onnx').setLevel(logging.ERROR)
    return tf2onnx


def _converted(serving: Serving) -> onnx.ModelProto:
    tf2onnx = _converter()
    try:
        model: onnx.ModelProto = tf2onnx.convert.from_function(
            serving.function, input_signature=serving.function.input_signature, opset=OPSET
        )[0]
    except (ValueError, KeyError, RuntimeError) as error:
        raise ExportError(f'ONNX cannot express this network: {error}') from error
    # The converter leaves reference cycles with dozens of copies of the weights.
    gc.collect()
    _plain_resizes(model)
    return model


def _plain_resizes(model: onnx.ModelProto) -> None:
    """Write nearest-neighbour resizing at whole scales in the form that every runtime supports.

    The converter writes `tf_half_pixel_for_nn`, which opset 13 deprecated: at whole scales both
    repeat each pixel.
    """
    from onnx import helper, numpy_helper

    scales = {c.name: numpy_helper.to_array(c) for c in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type != 'Resize' or len(node.input) < 3 or node.input[2] not in scales:
            continue
        factors = scales[node.input[2]]
        given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if (
            given.get('mode') == b'nearest'
            and factors.size
            and (factors == np.rint(factors)).all()
        ):
            del node.attribute[:]
            plain = {
                'mode': 'nearest',
                'coordinate_transformation_mode': 'asymmetric',
                'nearest_mode': 'floor',
            }
            node.attribute.extend(helper.make_attribute(*pair) for pair in plain.items())


def halve_constants(model: onnx.ModelProto) -> None:
    """Store large float32 constants as float16, each followed by a cast back."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for constant in model.graph.initializer:
        if constant.data_type != TensorProto.FLOAT or _count(constant) < _SMALLEST_HALVED:
            continue
        name = constant.name
        half = numpy_helper.to_array(constant).astype(np.float16)
        constant.CopyFrom(numpy_helper.from_array(half, f'{name}_float16'))
        casts.append(helper.make_node('Cast', [constant.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _count(constant: onnx.TensorProto) -> int:
    return int(np.prod(constant.dims))


def _quantise(path: Path, representative: Iterable[Arrays]) -> None:
    import onnxruntime
    from onnxruntime import quantization

    onnxruntime.set_default_logger_severity(_ERRORS)
    float_path = path.with_name('.float.onnx')
    quantization.quant_pre_process(path, float_path, skip_symbolic_shape=True)
    quantization.quantize_static(
        float_path,
        path,
        _Calibration(representative),
        op_types_to_quantize=list(_QUANTISED),
        per_channel=True,
    )
    float_path.unlink()


class _Calibration:
    """The next inputs, or None at the end, as onnxruntime's CalibrationDataReader requires."""

    def __init__(self, representative: Iterable[Arrays]) -> None:
        self._samples: Iterator[Arrays] = iter(representative)

    def get_next(self) -> dict[str, np.ndarray] | None:
        arrays = next(self._samples, None)
        return None if arrays is None else dict(arrays)


def write_openvino(
    serving: Serving, folder: Path, precision: str, representative: Iterable[Arrays] = ()
) -> ExportedArtifact:
    """Convert to OpenVINO through ONNX, which keeps the names of all tensors.

    Args:
        serving: the network.
        folder: where `model.xml` and `model.bin` are written.
        precision: float16 stores float16 weights; int8 keeps the quantisation of ONNX.
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
    return ExportedArtifact('openvino', _NAME, companions=('model.bin',))


def load_openvino(artifact: ExportedArtifact, folder: Path) -> Network:
    """An IR in OpenVINO, computing in float32."""
    import openvino

    compiled = openvino.Core().compile_model(
        folder / artifact.path, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'}
    )

    def run(inputs: Arrays) -> dict[str, Any]:
        results = compiled(dict(inputs))
        return {port.get_any_name(): np.array(array) for port, array in results.items()}

    return run
