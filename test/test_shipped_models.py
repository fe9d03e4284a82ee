"""The shipped models and recording work without any other files."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.inference.backends import BackendOptions
from rs_ml_perception.inference.cpu import this_cpu
from rs_ml_perception.inference.golden import verify_golden
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_perception.inference.model import Model
from rs_ml_perception.inference.selection import PRECISION_VARIABLE, open_backend
from rs_ml_perception.inference.shelf import DEFAULT_MODELS, SHIPPED_MODELS, find_model, locate
from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.frames import frames
from rs_ml_perception.recordings.open_recording import open_recording, shipped_recording

PROJECT = Path(__file__).resolve().parent.parent / 'rs_ml_perception'
MOST_MB, MOST_RECORDING_MB = 27, 6


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch):
    """Hide test data and third-party models."""
    for name in ('RS_ML_TEST_DATA', 'RS_ML_MODEL_PATH'):
        monkeypatch.delenv(name, raising=False)


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob('*') if path.is_file()) / 1e6


def test_the_models_folder_holds_these_and_no_others():
    folders = {path.name for path in (PROJECT / 'models').iterdir() if path.is_dir()}
    assert folders == set(SHIPPED_MODELS)
    assert megabytes(PROJECT / 'models') < MOST_MB


@pytest.mark.parametrize('name', SHIPPED_MODELS)
def test_a_model_directory_is_complete(name):
    manifest = read_manifest(find_model(name))
    assert manifest.directory == PROJECT / 'models' / name
    assert manifest.name == name
    assert manifest.license
    assert [artifact.format for artifact in manifest.artifacts] == ['tflite', 'onnx']
    files = [*(artifact.file for artifact in manifest.artifacts), manifest.golden.file]
    named = {locate(manifest, file).name for file in files}
    assert 'recordings/synthetic_room' in manifest.golden.picture
    others = {'manifest.yaml', 'README.md', 'LICENSE', 'labels.txt'}
    assert {path.name for path in manifest.directory.iterdir()} <= named | others
    card = (manifest.directory / 'README.md').read_text()
    for part in ('## Accuracy', '## Data and licence', 'rs-ml-train ', 'rs-ml-export '):
        assert part in card
    assert '/work' not in card
    if manifest.license != 'Apache-2.0':
        assert manifest.license in (manifest.directory / 'LICENSE').read_text()


WAYS = [
    ('litert', 'tflite'),
    ('openvino', 'tflite'),
    ('openvino', 'onnx'),
    ('onnxruntime', 'onnx'),
]


def manifest_of(name, backend, file_format):
    """A model with one file; skips where the runtime is missing."""
    pytest.importorskip({'litert': 'ai_edge_litert'}.get(backend, backend))
    manifest = read_manifest(find_model(name))
    chosen = tuple(a for a in manifest.artifacts if a.format == file_format)
    return replace(manifest, artifacts=chosen)


@pytest.mark.parametrize(('backend', 'file_format'), WAYS)
@pytest.mark.parametrize('name', SHIPPED_MODELS)
def test_runtimes_reproduce_the_golden_outputs(name, backend, file_format):
    manifest = manifest_of(name, backend, file_format)
    with Model(manifest, *open_backend(manifest, backend, BackendOptions(threads=1))) as model:
        result = verify_golden(model)
    assert result.is_reproduced, result


@pytest.mark.parametrize('name', SHIPPED_MODELS)
def test_bfloat16_is_used_where_the_cpu_has_it(name, monkeypatch):
    pytest.importorskip('openvino')
    if not this_cpu().has_bfloat16:
        pytest.skip('this CPU does not compute in bfloat16')
    monkeypatch.delenv(PRECISION_VARIABLE)
    with load_model(name, threads=1) as model:
        assert verify_golden(model).is_reproduced
        assert (model.precision == 'bfloat16') == (model.concerns == ()), 'said if refused'


@pytest.mark.parametrize(('backend', 'file_format'), WAYS)
@pytest.mark.parametrize('part', ['shape', 'dtype', 'outputs', 'name'])
def test_a_file_with_another_checksum_is_refused(backend, file_format, part):
    manifest = manifest_of('mono_depth', backend, file_format)
    wrong = {
        'name': {'outputs': {'else': replace(manifest.outputs['depth'], name='else')}},
        'shape': {'inputs': (replace(manifest.input, size=(320, 256)),)},
        'dtype': {'inputs': (replace(manifest.input, dtype='float32'),)},
        'outputs': {'outputs': {'depth': replace(manifest.outputs['depth'], shape=(1, 9))}},
    }
    said = {
        'name': "has no output 'else', it has",
        'shape': r"has input 'image' as uint8 \[1, 192, 256, 3\], .* \[1, 256, 320, 3\]",
        'dtype': r'the manifest says float32 \[1, 192, 256, 3\]',
        'outputs': r"has output 'depth' as float32 \[1, 192, 256, 1\], .* says float32 \[1, 9\]",
    }
    with pytest.raises(ModelError, match=f'mono_depth 1: model.{file_format} .*{said[part]}'):
        open_backend(replace(manifest, **wrong[part]), backend, BackendOptions())


PLAIN_ONNX = """
    Abs Add AveragePool Cast Clip Concat Conv DepthToSpace Div Exp GlobalAveragePool Greater
    LeakyRelu Log Max MaxPool Min Mul Neg Not Pad Pow ReduceMean Relu Reshape Resize Sigmoid
    Slice Softmax SpaceToDepth Split Sqrt Sub Tile Transpose
"""
PLAIN_TFLITE = """
    ABS ADD AVERAGE_POOL_2D CAST CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE
    DIV EXP GREATER LEAKY_RELU LOG LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM MUL NEG PAD POW RELU
    RELU6 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR SELECT SLICE SOFTMAX SPACE_TO_DEPTH SPLIT
    SPLIT_V SQRT STRIDED_SLICE SUB TILE TRANSPOSE
"""
EXTRA = {
    # The network outputs the class of each pixel: scores would be fourteen times as large.
    'segmentation': {'ArgMax', 'ARG_MAX'},
    # Attention, its layer normalisation, and transposed convolutions.
    'mono_depth': {
        *('MatMul', 'Reciprocal', 'ConvTranspose', 'BATCH_MATMUL', 'FULLY_CONNECTED'),
        *('RSQRT', 'SQUARED_DIFFERENCE', 'TRANSPOSE_CONV'),
    },
}


def test_networks_end_at_their_head():
    """Nothing sorts, gathers or suppresses: runtimes and accelerators have these operators."""
    onnx = pytest.importorskip('onnx')
    for name in SHIPPED_MODELS:
        found = onnx.load(find_model(name) / 'model.onnx')
        assert {domain.domain for domain in found.opset_import} <= {'', 'ai.onnx.ml'}
        operators = {node.op_type for node in found.graph.node}
        assert operators <= set(PLAIN_ONNX.split()) | EXTRA.get(name, set()), name


def test_tflite_has_plain_operators_too():
    schema = pytest.importorskip('ai_edge_litert.schema_py_generated')
    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    for name in SHIPPED_MODELS:
        content = (find_model(name) / 'model.tflite').read_bytes()
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        used = {op.opcodeIndex for graph in model.subgraphs for op in graph.operators}
        codes = [model.operatorCodes[i] for i in used]
        operators = {names[max(c.builtinCode, c.deprecatedBuiltinCode)] for c in codes}
        assert operators <= set(PLAIN_TFLITE.split()) | EXTRA.get(name, set()), name


def test_nodes_use_the_shipped_models_by_default():
    assert set(DEFAULT_MODELS.values()) <= set(SHIPPED_MODELS)
    pytest.importorskip('rclpy')
    defaults = {getattr(n.node_class().parameters_type(), 'model', None) for n in NODES.values()}
    assert defaults - {None} == set(DEFAULT_MODELS.values())


def test_the_recording_is_small_and_serves_every_node():
    path = shipped_recording()
    assert path == PROJECT / 'recordings' / 'synthetic_room'
    assert megabytes(path) < MOST_RECORDING_MB
    with open_recording(path) as recording:
        topics = camera_topics(recording)
        first = next(frames(recording))
    assert all((topics.color, topics.depth, topics.infra, topics.accel))
    assert first.rgb is not None
    assert first.depth is not None


def test_git_tracks_every_file_of_the_models():
    """A clone lacks files that .gitignore hides."""
    shipped = ['git', 'ls-files', '--others', '--ignored', '--exclude-standard', '--']
    done = subprocess.run(
        [*shipped, 'models', 'recordings'], cwd=PROJECT, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip('not a git checkout')
    assert done.stdout == ''
