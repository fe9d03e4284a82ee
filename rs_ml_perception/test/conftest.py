"""Fixtures of several layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.inference.backends import BACKENDS
from rs_ml_perception.inference.manifest import DepthSpec, ModelManifest
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_perception.inference.preprocess import InputSpec
from rs_ml_perception.inference.shelf import find_model

FILLED_M, SURE, UNSURE = 1.5, 0.9, 0.2


class FillingModel:
    """A denoiser of a line: measurements stay, holes become FILLED_M, of which it is UNSURE.

    Attributes:
        seen: inputs of every call, copied.
    """

    title, backend_name = 'filling 1', 'none'
    concerns: tuple[str, ...] = ()

    def __init__(self, manifest: ModelManifest) -> None:
        self.manifest = manifest
        self.seen: list[dict[str, np.ndarray]] = []

    @property
    def input_size(self) -> tuple[int, int] | None:
        return self.manifest.input.size

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.seen.append({name: array.copy() for name, array in inputs.items()})
        raw_m = inputs['raw_depth']
        outputs = {
            'depth': np.where(raw_m > 0, raw_m, np.float32(FILLED_M)),
            'confidence': np.where(raw_m > 0, np.float32(SURE), np.float32(UNSURE)),
        }
        return {name: outputs[name] for name in self.manifest.outputs}

    def describe(self) -> dict[str, str]:
        return {'model': self.title}

    def warm_up(self) -> float:
        return 0.0

    def close(self) -> None:
        pass


@pytest.fixture(scope='session')
def litert() -> None:
    """A skip without LiteRT, which alone runs graphs that end in its operators for detections."""
    if not BACKENDS['litert'].is_installed:
        pytest.skip('litert is not installed')


@pytest.fixture
def manifest_of(model_files) -> Callable[[str], ModelManifest]:
    """Name -> manifest of the shelf."""
    return lambda name: read_manifest(find_model(name))


@pytest.fixture
def filling_model() -> Callable[..., FillingModel]:
    """Call with the network's input size (None: any) and manifest fields to change."""

    def make(size: tuple[int, int] | None = (64, 48), **fields: Any) -> FillingModel:
        raw = InputSpec('raw_depth', size, dtype='float32', color='GRAY')
        defaults: dict[str, Any] = {
            'directory': Path(),
            'name': 'filling',
            'version': '1',
            'task': 'denoise',
            'decoder': 'depth',
            'artifacts': (),
            'inputs': (raw, InputSpec('infrared', size, color='GRAY')),
            'outputs': {name: name for name in ('depth', 'confidence')},
            'labels': LabelMap({}),
            'depth': DepthSpec(1.0, (0.1, 10.0)),
        }
        return FillingModel(ModelManifest(**(defaults | fields)))

    return make


@pytest.fixture
def onnx_file(tmp_path: Path) -> Callable[..., Path]:
    """Call with outputs, and shapes of inputs by name -> an ONNX file that gives these outputs.

    `integers` names inputs of type int64; `metadata` becomes that of the file.
    """
    onnx = pytest.importorskip('onnx')
    helper, types = onnx.helper, onnx.TensorProto

    def make(
        outputs: Mapping[str, np.ndarray],
        inputs: Mapping[str, tuple[int | str, ...]],
        *,
        integers: tuple[str, ...] = (),
        metadata: Mapping[str, str] | None = None,
        name: str = 'net.onnx',
    ) -> Path:
        nodes, values = [], []
        # Every input takes part, with weight 0, so that no runtime removes it.
        for key in inputs:
            nodes.append(helper.make_node('Cast', [key], [f'{key}/f'], to=types.FLOAT))
            nodes.append(helper.make_node('ReduceMin', [f'{key}/f'], [f'{key}/min'], keepdims=0))
            nodes.append(helper.make_node('Mul', [f'{key}/min', 'zero'], [f'{key}/zero']))
        nodes.append(helper.make_node('Sum', [f'{key}/zero' for key in inputs], ['nothing']))
        for key, array in outputs.items():
            values.append(onnx.numpy_helper.from_array(array.astype(np.float32), f'{key}/value'))
            nodes.append(helper.make_node('Add', [f'{key}/value', 'nothing'], [f'{key}/sum']))
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            nodes.append(helper.make_node('Cast', [f'{key}/sum'], [key], to=kind))
        values.append(onnx.numpy_helper.from_array(np.float32(0), 'zero'))
        graph = helper.make_graph(
            nodes,
            'made',
            [
                helper.make_tensor_value_info(
                    key, types.INT64 if key in integers else types.FLOAT, shape
                )
                for key, shape in inputs.items()
            ],
            [
                helper.make_tensor_value_info(
                    key, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
                )
                for key, array in outputs.items()
            ],
            values,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8)
        helper.set_model_props(model, dict(metadata or {}))
        onnx.save(model, tmp_path / name)
        return tmp_path / name

    return make
