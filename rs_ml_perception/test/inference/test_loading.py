"""Which backend and precision `auto` takes, and how it says what it could not take."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import yaml
from rs_ml_perception.core.errors import BackendError, ConfigError, GoldenError
from rs_ml_perception.core.files import file_sha256
from rs_ml_perception.inference import cpu
from rs_ml_perception.inference.backends import BACKENDS, BackendInfo
from rs_ml_perception.inference.golden import write_golden
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_perception.inference.model import NETWORKS
from rs_ml_perception.inference.selection import PRECISION_VARIABLE
from rs_ml_perception.inference.tuned import TunedChoice, remember

SHAPE = (1, 4, 4, 1)
FORMATS = {'litert': 'tflite', 'openvino': 'openvino', 'onnxruntime': 'onnx'}
BFLOAT16 = 'flags : avx2 avx512_bf16\n'


class Right:
    """A runtime whose output is always the golden one."""

    device, threads, value = 'cpu', 1, 1.0

    def __init__(self, network, options):
        self.precision = options.precision

    def __call__(self, inputs):
        return {'depth': np.full(SHAPE, self.value, np.float32)}

    def close(self):
        pass


class Wrong(Right):
    """Another output."""

    value = 2.0


class Float32(Right):
    """Computes in float32 whatever was asked for."""

    def __init__(self, network, options):
        self.precision = 'float32'


class Rounding(Right):
    """Right in float32 only."""

    def __init__(self, network, options):
        super().__init__(network, options)
        self.value = 1.0 if self.precision == 'float32' else 1.2


class Broken(Right):
    """Does not load."""

    def __init__(self, network, options):
        raise BackendError('no kernel')


@pytest.fixture
def folder(tmp_path):
    """A model directory with one artefact per runtime."""
    root = tmp_path / 'model'
    root.mkdir()
    artifacts = []
    for backend, file_format in FORMATS.items():
        (root / backend).write_bytes(b'weights')
        digest = file_sha256(root / backend)
        artifacts.append({'format': file_format, 'path': backend, 'sha256': digest})
    write_golden(
        root / 'golden.npz', {'image': np.zeros((1, 4, 4, 3), np.uint8)}, {'depth': np.ones(SHAPE)}
    )
    tolerance = {'measure': 'relative', 'float32': 0.01, 'bfloat16': 0.1}
    manifest = {
        'name': 'constant',
        'version': '1',
        'task': 'mono_depth',
        'decoder': 'depth',
        'license': 'none',
        'artifacts': artifacts,
        'input': [{'name': 'image', 'size': [4, 4]}],
        'outputs': {'depth': 'depth'},
        'depth': {'unit': 'm'},
        'golden': {
            'file': 'golden.npz',
            'sha256': file_sha256(root / 'golden.npz'),
            'picture': 'black',
            'tolerance': {'depth': tolerance},
        },
    }
    (root / 'manifest.yaml').write_text(yaml.safe_dump(manifest))
    return root


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Call with the classes of runtimes, in the order of FORMATS, and a text of cpuinfo."""

    def make(*runtimes, cpuinfo=''):
        monkeypatch.delenv(PRECISION_VARIABLE, raising=False)
        (tmp_path / 'cpuinfo').write_text(cpuinfo)
        monkeypatch.setattr(cpu, 'CPUINFO', tmp_path / 'cpuinfo')
        for name, info in list(BACKENDS.items()):
            monkeypatch.setitem(BACKENDS, name, replace(info, module='not_installed'))
        for name, runtime in zip(FORMATS, runtimes, strict=False):
            target = f'{__name__}:{runtime.__name__}'
            precisions = ('float32', 'bfloat16')
            info = BackendInfo(name, target, 'numpy', (FORMATS[name],), 'pip', precisions)
            monkeypatch.setitem(BACKENDS, name, info)

    return make


@pytest.mark.parametrize(
    ('runtimes', 'cpuinfo', 'expected', 'said'),
    [
        ((Right,), '', 'litert float32', None),
        ((Right, Right), '', 'litert float32', None),
        ((Broken, Right), '', 'openvino float32', None),
        ((Wrong, Right), '', 'openvino float32', 'litert in float32 does not reproduce'),
        ((Wrong, Broken, Right), '', 'onnxruntime float32', 'litert in float32 does not'),
        ((Right, Right), BFLOAT16, 'openvino bfloat16', None),
        ((Right,), BFLOAT16, 'litert float32', None),
        ((Right, Rounding), BFLOAT16, 'litert float32', 'this CPU has, cannot be used: .*off by'),
        ((Right, Broken), BFLOAT16, 'litert float32', 'this CPU has, cannot be used: .*no kernel'),
        ((Right, Float32), BFLOAT16, 'openvino float32', 'bfloat16 was asked for, openvino com'),
    ],
)
def test_auto_takes_the_best_that_reproduces_the_golden_output(
    machine, folder, runtimes, cpuinfo, expected, said
):
    machine(*runtimes, cpuinfo=cpuinfo)
    with load_model(folder, checks_golden=True) as model:
        assert f'{model.backend_name} {model.precision}' == expected
        assert [bool(re.search(said, concern)) for concern in model.concerns] == [True] * bool(
            said
        )


@pytest.mark.parametrize(
    ('choice', 'expected'),
    [
        ({'backend': 'openvino'}, 'openvino float32'),
        ({'precision': 'float32'}, 'litert float32'),
        ({'precision': 'bfloat16'}, 'litert bfloat16'),
        ({'device': 'cpu'}, 'openvino bfloat16'),
        ({'device': 'gpu'}, 'litert float32'),
    ],
)
def test_bfloat16_is_taken_by_itself_only_where_nothing_was_asked_for(
    machine, folder, choice, expected
):
    machine(Right, Right, cpuinfo=BFLOAT16)
    with load_model(folder, **choice) as model:
        assert f'{model.backend_name} {model.precision}' == expected


@pytest.mark.parametrize('section', [None, 'float32'])
def test_bfloat16_needs_golden_outputs_with_a_tolerance(machine, folder, section):
    machine(Right, Right, cpuinfo=BFLOAT16)
    values = yaml.safe_load((folder / 'manifest.yaml').read_text())
    if section is None:
        del values['golden']
    else:
        del values['golden']['tolerance']['depth']['bfloat16']
    (folder / 'manifest.yaml').write_text(yaml.safe_dump(values))
    with load_model(folder) as model:
        assert (model.precision, model.concerns) == ('float32', ())


@pytest.mark.parametrize(
    ('value', 'precision'), [('', 'bfloat16'), ('auto', 'bfloat16'), ('float32', 'float32')]
)
def test_a_variable_keeps_all_networks_in_float32(machine, folder, monkeypatch, value, precision):
    machine(Right, Right, cpuinfo=BFLOAT16)
    monkeypatch.setenv(PRECISION_VARIABLE, value)
    with load_model(folder) as model:
        assert model.precision == precision


def test_an_unknown_value_of_the_variable_is_refused(machine, folder, monkeypatch):
    machine(Right)
    monkeypatch.setenv(PRECISION_VARIABLE, 'int8')
    with pytest.raises(ConfigError, match="RS_ML_PRECISION must be auto or float32, got 'int8'"):
        load_model(folder)


@pytest.mark.parametrize(
    ('runtime', 'expected', 'said'),
    [
        (Right, 'openvino float32', []),
        (
            Broken,
            'litert float32',
            ['the choice of `rs-ml models tune`, openvino in float32, can'],
        ),
    ],
)
def test_a_tuned_choice_goes_first(machine, folder, runtime, expected, said):
    machine(Right, runtime)
    remember(read_manifest(folder), TunedChoice('openvino', 1, 'float32', 1.0))
    with load_model(folder) as model:
        assert f'{model.backend_name} {model.precision}' == expected
        assert [concern[: len(said[0])] for concern in model.concerns] == said


def test_another_device_than_that_asked_for_is_a_concern(machine, folder):
    machine(Right)
    with load_model(folder, device='gpu') as model:
        (concern,) = model.concerns
    assert concern.startswith('device gpu was asked for, litert runs on the CPU: set device: cpu')


@pytest.mark.parametrize('backend', ['auto', 'litert'])
def test_where_no_runtime_is_right_the_golden_outputs_are_the_reason(machine, folder, backend):
    machine(Wrong, Wrong)
    with pytest.raises(GoldenError, match='does not reproduce the golden outputs'):
        load_model(folder, backend=backend, checks_golden=True)


def test_the_facts_of_a_model_are_what_runs(machine, folder):
    machine(Right)
    with load_model(folder) as model:
        before = model.describe()
        assert model.warm_up() >= model.inference_ms > 0
        after = model.describe()
    assert before == {
        'model': 'constant 1', 'backend': 'litert', 'device': 'cpu', 'precision': 'float32',
        'threads': '1', 'input_size': '4x4', 'licence': 'none',
    }  # fmt: skip
    assert set(after) - set(before) == {'inference_ms', 'rate_at_start_hz'}


def test_models_of_the_same_files_and_options_share_a_network(machine, folder):
    machine(Right)
    before = NETWORKS.count()
    models = [load_model(folder, threads=threads) for threads in (1, 1, 2)]
    assert NETWORKS.count() == before + 2
    for model in models:
        model.close()
    assert NETWORKS.count() == before
