"""OpenVINO: its own .xml, ONNX, TFLite, TF1 frozen graphs and SavedModels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import BackendError
from rs_ml_perception.inference.backends import BackendOptions, NetworkFile
from rs_ml_perception.inference.contents import FileContents, TensorInfo, dtype_name
from rs_ml_perception.inference.tensors import FileTensor, find_tensors

_HINTS = {'float32': 'f32', 'bfloat16': 'bf16', 'float16': 'f16'}
_PRECISIONS = {hint: precision for precision, hint in _HINTS.items()}

_LONG_AXIS = 4096
_ROW_LENGTH = 16


class OpenVinoBackend:
    """One compiled model with one inference request."""

    def __init__(self, network: NetworkFile, options: BackendOptions) -> None:
        import openvino

        core = openvino.Core()
        self.device = _pick_device(core.available_devices, options.device)
        try:
            model = core.read_model(network.path)
            self._fit(model, network)
            compiled = core.compile_model(model, self.device.upper(), self._config(options))
        except RuntimeError as error:
            raise BackendError(
                f'openvino cannot load {network.path.name}: {_reason(error)}'
            ) from error
        used = _in_use(compiled, options)
        self.device, self.precision, self.threads = used.device, used.precision, used.threads
        self._request = compiled.create_infer_request()

    def _fit(self, model: Any, network: NetworkFile) -> None:
        """Fix shapes, cut the graph to the wanted outputs and store the indices of tensors."""
        ports = find_tensors('input', network, _tensors(model.inputs))
        self._inputs = {key: port.get_any_name() for key, port in ports.items()}
        # The rewrites below replace the ports of the outputs but keep their order.
        numbers = {port: i for i, port in enumerate(model.outputs)}
        outputs = find_tensors('output', network, _tensors(model.outputs))
        self._outputs = {key: numbers[port] for key, port in outputs.items()}
        shapes = {
            port: list(shape)
            for key, port in ports.items()
            if (shape := network.inputs[key].shape) is not None
        }
        if shapes:
            model.reshape(shapes)
        remove_identity_resizes(model)
        split_long_topk(model)

    def _config(self, options: BackendOptions) -> dict[str, Any]:
        config: dict[str, Any] = {
            'PERFORMANCE_HINT': 'LATENCY',
            'INFERENCE_PRECISION_HINT': _HINTS[options.precision],
        }
        if self.device == 'cpu':
            # With pinning, all single-threaded models of a process would share the first core.
            config['ENABLE_CPU_PINNING'] = False
            if options.threads:
                config['INFERENCE_NUM_THREADS'] = options.threads
        return config

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the network; returned arrays are copies."""
        named = {name: inputs[key] for key, name in self._inputs.items()}
        self._request.infer(named, share_inputs=True, share_outputs=True)
        return {
            key: np.array(self._request.get_output_tensor(i).data)
            for key, i in self._outputs.items()
        }

    def close(self) -> None:
        self._request = None


def _pick_device(available: list[str], wanted: str) -> str:
    present = sorted({name.split('.')[0].lower() for name in available})
    device = 'cpu' if wanted == 'auto' else wanted
    if device not in present:
        raise BackendError(f'openvino has no device {wanted!r} here, it has {", ".join(present)}')
    return device


def _in_use(compiled: Any, options: BackendOptions) -> BackendOptions:
    """The device, threads and precision of a compiled model.

    A CPU without bfloat16 computes in float32, whatever the hint.
    """
    known = set(compiled.get_property('SUPPORTED_PROPERTIES'))

    def value(name: str) -> Any:
        return compiled.get_property(name) if name in known else None

    hint, devices = value('INFERENCE_PRECISION_HINT'), value('EXECUTION_DEVICES')
    return BackendOptions(
        device=str(devices[0]).split('.')[0].lower() if devices else options.device,
        threads=int(value('INFERENCE_NUM_THREADS') or 0),
        precision=_PRECISIONS.get(hint.get_type_name() if hint else '', options.precision),
    )


def _tensors(ports: list[Any]) -> dict[str, FileTensor]:
    """Ports under each of their names."""
    return {
        name: FileTensor(port, _shape(port), port.get_element_type().to_dtype())
        for port in ports
        for name in port.get_names()
    }


def contents(path: Path, file_format: str) -> FileContents:
    """Tensors and metadata of a file."""
    import openvino

    try:
        model = openvino.Core().read_model(path)
    except RuntimeError as error:
        raise BackendError(f'openvino cannot read {path.name}: {_reason(error)}') from error
    inputs, outputs = (
        tuple(_tensor_info(port, i) for i, port in enumerate(ports))
        for ports in (model.inputs, model.outputs)
    )
    return FileContents(path, file_format, 'openvino', inputs, outputs, _model_info(model))


def _tensor_info(port: Any, number: int) -> TensorInfo:
    names = {name.removesuffix(':0') for name in port.get_names()}
    # A set: of `add_5` and `detection_classes`, people have written the latter.
    name = min(names, key=lambda n: (any(map(str.isdigit, n)), len(n), n), default=str(number))
    shape = _shape(port)
    dtype = dtype_name(port.get_element_type().to_dtype())
    return TensorInfo(name, None if shape is None else tuple(shape), dtype)


def _model_info(model: Any) -> dict[str, Any]:
    if not model.has_rt_info(['model_info']):
        return {}
    found = model.get_rt_info(['model_info']).astype(dict)
    return {str(key): getattr(value, 'value', value) for key, value in found.items()}


def _shape(port: Any) -> list[int | None] | None:
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        return None
    return [None if size.is_dynamic else size.get_length() for size in shape]


def _reason(error: RuntimeError) -> str:
    """The informative lines of an OpenVINO message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(('Exception from', 'Check '))]
    return ' '.join((telling or lines)[:4])[:300]


def remove_identity_resizes(model: Any) -> int:
    """Bypass the Interpolate nodes of an openvino.Model whose output has their input's shape.

    Detection graphs resize every input to the size they were trained for. OpenVINO resamples an
    input that already has that size too, which takes a fifth of a small network's time. At scale
    1 every coordinate convention samples the pixels themselves.

    Returns:
        How many nodes were bypassed.
    """
    removed = 0
    for node in model.get_ordered_ops():
        if node.get_type_name() == 'Interpolate' and _is_identity(node):
            for target in node.output(0).get_target_inputs():
                target.replace_source_output(node.input_value(0))
            removed += 1
    if removed:
        model.validate_nodes_and_infer_types()
    return removed


def _is_identity(node: Any) -> bool:
    before, after = node.input(0), node.output(0)
    if not (before.get_partial_shape().is_static and after.get_partial_shape().is_static):
        return False
    return bool(
        before.get_partial_shape().to_shape() == after.get_partial_shape().to_shape()
        and before.get_element_type() == after.get_element_type()
    )


def split_long_topk(model: Any) -> int:
    """Replace each TopK over a long axis of an openvino.Model.

    The CPU plugin uses bubble sort, whose time grows with length times k: the best 100 of
    CenterNet's 1.3 million heat map values take half a second, 2 ms in TensorFlow. In steps it is
    fast: cut the axis into short rows, keep the k rows of the greatest maximum (each of the k best
    elements lies in such a row), and search those alone.

    Only simple nodes are replaced: maximum, sorted by value, known shape with all other axes 1,
    known k. The values found are the same; among equal ones the order may differ.

    Returns:
        How many nodes were replaced.
    """
    replaced = 0
    for node in model.get_ordered_ops():
        if _can_be_split(node):
            _replace(node)
            replaced += 1
    if replaced:
        model.validate_nodes_and_infer_types()
    return replaced


def _can_be_split(node: Any) -> bool:
    if node.get_type_name() != 'TopK' or node.input_value(1).get_node().get_type_name() != (
        'Constant'
    ):
        return False
    attributes, shape = node.get_attributes(), node.input(0).get_partial_shape()
    if attributes['mode'] != 'max' or attributes['sort'] != 'value' or not shape.is_static:
        return False
    sizes = [int(size) for size in shape.to_shape()]
    length = sizes[attributes['axis']]
    k = int(node.input_value(1).get_node().get_data())
    is_flat = all(s == 1 for i, s in enumerate(sizes) if i != attributes['axis'] % len(sizes))
    return is_flat and length >= _LONG_AXIS and length % _ROW_LENGTH == 0 and k * 4 < length


def _replace(node: Any) -> None:
    from openvino import opset13 as ops

    k = int(node.input_value(1).get_node().get_data())
    flat = ops.reshape(node.input_value(0), ops.constant([-1], dtype='int64'), False)
    length = 1
    for size in node.input(0).get_partial_shape().to_shape():
        length *= int(size)
    values, indices = _top_k(ops, flat, length, k)
    indices = ops.convert(indices, node.get_attributes()['index_element_type'])
    for output, found in zip(node.outputs(), (values, indices), strict=True):
        shape = ops.constant(
            [int(s) for s in output.get_partial_shape().to_shape()], dtype='int64'
        )
        reshaped = ops.reshape(found, shape, False)
        for target in output.get_target_inputs():
            target.replace_source_output(reshaped.output(0))


def _top_k(ops: Any, flat: Any, length: int, k: int) -> tuple[Any, Any]:
    """Values and int64 indices of the k greatest elements of a vector of known length."""
    if length < _LONG_AXIS or length % _ROW_LENGTH:
        found = ops.topk(flat, ops.constant(k, dtype='int64'), 0, 'max', 'value', 'i64')
        return found.output(0), found.output(1)
    rows = ops.reshape(flat, ops.constant([-1, _ROW_LENGTH], dtype='int64'), False)
    row_maxima = ops.reduce_max(rows, ops.constant([1], dtype='int64'), False)
    _, best_rows = _top_k(ops, row_maxima, length // _ROW_LENGTH, k)
    axis = ops.constant(0, dtype='int64')
    kept = ops.reshape(ops.gather(rows, best_rows, axis), ops.constant([-1], dtype='int64'), False)
    found = ops.topk(kept, ops.constant(k, dtype='int64'), 0, 'max', 'value', 'i64')
    row_length = ops.constant(_ROW_LENGTH, dtype='int64')
    which = ops.gather(best_rows, ops.divide(found.output(1), row_length), axis)
    within = ops.floor_mod(found.output(1), row_length)
    return found.output(0), ops.add(ops.multiply(which, row_length), within)
