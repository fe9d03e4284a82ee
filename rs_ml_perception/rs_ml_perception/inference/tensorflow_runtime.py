"""TensorFlow: SavedModel and TF1 frozen graphs."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import BackendError
from rs_ml_perception.inference.backends import BackendOptions, NetworkFile
from rs_ml_perception.inference.contents import FileContents, TensorInfo, dtype_name
from rs_ml_perception.inference.tensors import FileTensor, find_tensors, known_sizes

_SIGNATURE = 'serving_default'


class TensorFlowBackend:
    """One session over its own graph, for both formats.

    A session has a thread count per network, whereas eager functions share one number per process;
    a prepared callable avoids the lookups of `Session.run`.

    oneDNN kernels are off unless TF_ENABLE_ONEDNN_OPTS is set: they are up to twice as fast, but
    their float32 differs by more than 1e-3 in the scores of a detector. This backend is the
    reference for the others; those are faster.
    """

    precision = 'float32'

    def __init__(self, network: NetworkFile, options: BackendOptions) -> None:
        tf = _tensorflow()
        self.device = _pick_device(tf, options.device)
        self.threads = options.threads
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=graph, config=self._config(tf, options))
        try:
            with graph.as_default():
                inputs, outputs = _load(tf, self._session, network)
        except (tf.errors.OpError, ValueError, OSError) as error:
            raise BackendError(f'tensorflow cannot load {network.path}: {error}') from error
        self._keys = list(network.outputs)
        self._input_keys = list(network.inputs)
        self._run = self._session.make_callable(
            [outputs[key] for key in self._keys], [inputs[key] for key in self._input_keys]
        )

    def _config(self, tf: Any, options: BackendOptions) -> Any:
        config = tf.compat.v1.ConfigProto(use_per_session_threads=True)
        config.intra_op_parallelism_threads = options.threads
        config.inter_op_parallelism_threads = 1 if options.threads == 1 else 0
        config.gpu_options.allow_growth = True
        if self.device == 'cpu':
            config.device_count['GPU'] = 0
        return config

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the network."""
        values = self._run(*(inputs[key] for key in self._input_keys))
        return dict(zip(self._keys, values, strict=True))

    def close(self) -> None:
        self._session.close()


def _tensorflow() -> Any:
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
    os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')
    import tensorflow as tf

    return tf


def contents(path: Path, file_format: str) -> FileContents:
    """Tensors of a file: of a frozen graph, the placeholders and the ends."""
    tf = _tensorflow()
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
        try:
            inputs, outputs = (
                _signature_tensors(tf, session, path)
                if file_format == 'saved_model'
                else _ends(_graph_tensors(tf, session, path))
            )
        except (tf.errors.OpError, ValueError, OSError) as error:
            raise BackendError(f'tensorflow cannot read {path}: {error}') from error
        found = tuple(
            tuple(
                TensorInfo(name.removesuffix(':0'), known_sizes(t.shape), dtype_name(t.dtype))
                for name, t in _file_tensors(tensors).items()
            )
            for tensors in (inputs, outputs)
        )
    return FileContents(path, file_format, 'tensorflow', found[0], found[1])


def _ends(tensors: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    inputs = {n: t for n, t in tensors.items() if t.op.type == 'Placeholder'}
    return inputs, {
        n: t
        for n, t in tensors.items()
        if not t.consumers() and t.op.type not in ('Placeholder', 'Const')
    }


def _pick_device(tf: Any, wanted: str) -> str:
    present = sorted({d.device_type.lower() for d in tf.config.list_physical_devices()})
    if wanted == 'auto':
        return 'gpu' if 'gpu' in present else 'cpu'
    if wanted not in present:
        raise BackendError(
            f'tensorflow has no device {wanted!r} here, it has {", ".join(present)}'
        )
    return wanted


def _load(tf: Any, session: Any, network: NetworkFile) -> tuple[dict[str, Any], dict[str, Any]]:
    if network.format == 'saved_model':
        return _matched(network, *_signature_tensors(tf, session, network.path))
    tensors = _graph_tensors(tf, session, network.path)
    fed = {n: t for n, t in tensors.items() if t.op.type == 'Placeholder'}
    return _matched(network, tensors, tensors, needed=fed)


def _graph_tensors(tf: Any, session: Any, path: Path) -> dict[str, Any]:
    graph_def = tf.compat.v1.GraphDef()
    graph_def.ParseFromString(path.read_bytes())
    tf.import_graph_def(graph_def, name='')
    return {tensor.name: tensor for op in session.graph.get_operations() for tensor in op.outputs}


def _signature_tensors(tf: Any, session: Any, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    meta_graph = tf.compat.v1.saved_model.load(session, ['serve'], str(path))
    signatures = meta_graph.signature_def
    if _SIGNATURE not in signatures:
        raise BackendError(f'{path} has no signature {_SIGNATURE!r}, it has {sorted(signatures)}')
    signature = signatures[_SIGNATURE]
    inputs, outputs = (
        {name: session.graph.get_tensor_by_name(info.name) for name, info in tensors.items()}
        for tensors in (signature.inputs, signature.outputs)
    )
    return inputs, outputs


def _matched(
    network: NetworkFile,
    inputs: dict[str, Any],
    outputs: dict[str, Any],
    needed: Collection[str] | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    return (
        find_tensors('input', network, _file_tensors(inputs), needed=needed),
        find_tensors('output', network, _file_tensors(outputs)),
    )


def _file_tensors(tensors: Mapping[str, Any]) -> dict[str, FileTensor]:
    return {name: FileTensor(t, _shape(t), _dtype(t)) for name, t in tensors.items()}


def _shape(tensor: Any) -> list[int | None] | None:
    return None if tensor.shape.rank is None else tensor.shape.as_list()


def _dtype(tensor: Any) -> Any:
    """None for resources and strings, of which a graph has many."""
    return tensor.dtype.as_numpy_dtype if tensor.dtype.is_numpy_compatible else None
