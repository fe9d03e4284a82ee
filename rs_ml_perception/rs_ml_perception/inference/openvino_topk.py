"""Makes OpenVINO's TopK fast on long axes.

The CPU plugin sorts by bubble: its time grows with length times k. CenterNet takes the best 100
of 1.3 million heat map values, which is half a second; TensorFlow needs 2 ms for it. The same
elements are found in steps: cut the axis into short rows, keep the k rows whose maximum is
greatest (every one of the k best elements lies in such a row), and search those alone.
"""

from __future__ import annotations

from typing import Any

_LONG_AXIS = 4096
_ROW_LENGTH = 16


def split_long_topk(model: Any) -> int:
    """Replace each TopK over a long axis of an openvino.Model; returns how many were replaced.

    Only what needs no more thought is touched: maximum, sorted by value, known shape with all
    other axes 1, known k. The values found are the same; among equal ones the order may differ.
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
