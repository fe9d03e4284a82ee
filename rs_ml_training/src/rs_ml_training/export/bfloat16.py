"""What a network computes in bfloat16, on machines whose CPU has no units for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rs_ml_training.export.artifact import Arrays, Network

if TYPE_CHECKING:
    import onnx

_PRODUCTS = ('Conv', 'ConvTranspose', 'MatMul', 'Gemm')


def has_units() -> bool:
    """Whether OpenVINO computes in bfloat16 on this CPU; elsewhere it takes float32 silently."""
    import openvino

    return 'BF16' in openvino.Core().get_property('CPU', 'OPTIMIZATION_CAPABILITIES')


def emulated(model: onnx.ModelProto) -> Network:
    """The network with all intermediate results and all factors of products rounded to bfloat16.

    Sums are float32, as they are in hardware. Runtimes keep more in float32, so that real ones
    stray no farther than this.

    Args:
        model: float32, or with weights of float16; it is changed.
    """
    import onnxruntime

    _round_everything(model)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Optimised, the casts there and back would vanish.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=['CPUExecutionProvider']
    )
    names = [tensor.name for tensor in session.get_outputs()]

    def run(inputs: Arrays) -> Arrays:
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
