"""One contract for every backend, on real models."""

import importlib.util
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from rs_ml_perception.core.errors import (
    BackendError,
    ConfigError,
    MissingArtifactError,
    ModelError,
)
from rs_ml_perception.inference.backends import BACKENDS, BackendOptions
from rs_ml_perception.inference.golden import verify_golden
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.inference.manifest import FileRef, TensorSpec
from rs_ml_perception.inference.output_errors import usual_errors
from rs_ml_perception.inference.selection import open_backend

# (model, backends that run it, first in the order of `auto`).
RUNS = [
    ('centernet_mnv3_coco', ('openvino', 'tensorflow')),
    ('person_cat_dog_ssd', ('openvino', 'tensorflow')),
    ('person_cat_dog_ssd_tflite', ('litert',)),
    ('opencv_face_ssd', ('opencv',)),
    ('yolov8n', ('litert', 'openvino')),
    ('deeplabv3_mnv2_pascal_quant', ('litert', 'openvino')),
    ('deeplabv3_mnv2_dm05_pascal_quant', ('litert', 'openvino')),
    ('deeplab_mobilenet_edgetpu_slim_cityscapes_quant', ('litert',)),
    ('nyu_mobilenet_unet', ('litert', 'openvino')),
]
PAIRS = [(name, backend) for name, backends in RUNS for backend in backends]
FLOAT_MODELS = ('centernet_mnv3_coco', 'person_cat_dog_ssd', 'nyu_mobilenet_unet')


def need(backend):
    if not BACKENDS[backend].is_installed:
        pytest.skip(f'{backend} is not installed: {BACKENDS[backend].install}')


@pytest.fixture(scope='module', params=PAIRS, ids='-'.join)
def loaded(request, data_file):
    """The model on one backend, which `auto` must choose where it is the first."""
    name, backend = request.param
    need(backend)
    chosen = 'auto' if backend == dict(RUNS)[name][0] else backend
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('RS_ML_MODEL_PATH', str(data_file('models')))
        with load_model(name, backend=chosen, threads=1) as model:
            assert model.backend_name == backend
            yield model


def test_contract(loaded, made_up_inputs):
    """Named arrays in and out, batch axis kept, repeatable to the bit, inputs untouched."""
    assert loaded.device == 'cpu'
    assert loaded.precision == 'float32'
    inputs = made_up_inputs(loaded.manifest, 0)
    before = {name: array.copy() for name, array in inputs.items()}
    first = loaded(inputs)
    loaded(made_up_inputs(loaded.manifest, 1))
    again = loaded(inputs)
    assert set(first) == set(loaded.manifest.outputs)
    for name, array in first.items():
        assert array.shape[0] == 1
        np.testing.assert_array_equal(array, again[name])
    for name, array in inputs.items():
        np.testing.assert_array_equal(array, before[name])


def test_outputs_are_not_overwritten_by_the_next_call(loaded, made_up_inputs):
    inputs = made_up_inputs(loaded.manifest, 0)
    first = loaded(inputs)
    kept = {name: array.copy() for name, array in first.items()}
    loaded(made_up_inputs(loaded.manifest, 5))
    for name, array in first.items():
        np.testing.assert_array_equal(array, kept[name])


def test_golden_output_is_reproduced(loaded):
    if loaded.manifest.golden is None:
        assert loaded.manifest.name == 'yolov8n'
        return
    result = verify_golden(loaded)
    assert result.is_reproduced, result


def test_closed_models_say_so(loaded, made_up_inputs):
    """The last of those that share a model."""
    loaded.close()
    loaded.close()
    with pytest.raises(BackendError, match='was closed'):
        loaded(made_up_inputs(loaded.manifest, 0))


@pytest.mark.parametrize('name', FLOAT_MODELS)
def test_two_backends_agree_in_float32(model_files, made_up_inputs, name):
    outputs = []
    for backend in dict(RUNS)[name]:
        need(backend)
        with load_model(name, backend=backend) as model:
            outputs.append([model(made_up_inputs(model.manifest, seed)) for seed in range(3)])
    for one, other in zip(*outputs, strict=True):
        assert max(usual_errors(one, other).values()) <= 1e-3


@pytest.mark.parametrize(
    ('backend', 'device', 'present'),
    [
        ('litert', 'gpu', 'cpu'),
        ('openvino', 'npu', 'cpu'),
        ('opencv', 'gpu', 'cpu'),
        ('onnxruntime', 'npu', 'cpu'),
        ('tensorflow', 'npu', 'cpu'),
    ],
)
def test_an_absent_device_is_refused(model_files, tmp_path, backend, device, present):
    """Devices are checked before any artefact is read."""
    need(backend)
    from rs_ml_perception.inference.backends import NetworkFile

    network = NetworkFile('m 1', 'onnx', tmp_path / 'none', {}, {})
    with pytest.raises(BackendError, match=f"{backend} has no device '{device}' here.*{present}"):
        BACKENDS[backend].load_class()(network, BackendOptions(device=device))


@pytest.mark.parametrize(
    ('choice', 'said'),
    [
        ({'backend': 'caffe'}, "backend 'caffe' is unknown.*litert, openvino"),
        ({'device': 'tpu'}, "device 'tpu' is unknown"),
        ({'precision': 'int4'}, "precision 'int4' is unknown"),
        ({'threads': -1}, 'threads must be 0'),
    ],
)
def test_unknown_words_are_refused(model_files, choice, said):
    with pytest.raises(ConfigError, match=said):
        load_model('nyu_mobilenet_unet', **choice)


def test_a_backend_that_cannot_read_the_format_names_those_that_can(model_files):
    with pytest.raises(BackendError, match=r'litert reads tflite.*choose openvino or tensorflow'):
        load_model('centernet_mnv3_coco', backend='litert')


def test_a_failed_conversion_is_explained(model_files):
    need('openvino')
    with pytest.raises(BackendError, match='No translator found for TFLite_Detection_PostProcess'):
        load_model('person_cat_dog_ssd_tflite', backend='openvino')


def test_missing_runtimes_are_listed_with_the_way_to_get_them(model_files, monkeypatch):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(BackendError) as caught:
        load_model('nyu_mobilenet_unet')
    for part in ('pip install ai-edge-litert', 'pip install openvino', 'nyu_mobilenet_unet_5'):
        assert part in str(caught.value)


WRONG_INPUTS = [
    ({'size': (300, 300)}, r"has input 'IN' as .*, the manifest says float32 \[1, 300, 300, 3\]"),
    ({'dtype': 'uint8'}, r"has input 'IN' as float32.* \[.*\], the manifest says uint8"),
    ({'layout': 'NCHW'}, r'the manifest says float32 \[1, 3, 224, 224\]: correct the manifest'),
    ({'name': 'else'}, r"nyu_mobilenet_unet_5\.tflite has no input 'else', it has "),
]
WRONG_OUTPUTS = [
    (TensorSpec('nothing', (1, 224, 224, 1)), r"has no output 'nothing', it has "),
    (TensorSpec('NAME', (1, 9, 9, 1)), r"has output 'depth' as float32.*says \[1, 9, 9, 1\]"),
    (TensorSpec('NAME', None, 'uint8'), r"has output 'depth' as float32.*says uint8"),
]


@pytest.mark.parametrize('backend', ['litert', 'openvino'])
@pytest.mark.parametrize(('changes', 'said'), WRONG_INPUTS)
def test_an_input_that_does_not_fit_the_manifest(manifest_of, backend, changes, said):
    need(backend)
    manifest = manifest_of('nyu_mobilenet_unet')
    said = said.replace('IN', manifest.input.name)
    wrong = replace(manifest, inputs=(replace(manifest.input, **changes),))
    with pytest.raises(ModelError, match=said):
        open_backend(wrong, backend, BackendOptions())


@pytest.mark.parametrize('backend', ['litert', 'openvino', 'auto'])
@pytest.mark.parametrize(('wrong', 'said'), WRONG_OUTPUTS)
def test_an_output_that_does_not_fit_the_manifest(manifest_of, backend, wrong, said):
    need('openvino' if backend == 'auto' else backend)
    manifest = manifest_of('nyu_mobilenet_unet')
    name = wrong.name.replace('NAME', 'StatefulPartitionedCall_1')
    (artifact,) = manifest.artifacts
    artifact = replace(artifact, names={**artifact.names, 'depth': name})
    wrong = replace(manifest, outputs={'depth': wrong}, artifacts=(artifact,))
    with pytest.raises(ModelError, match=f'nyu_mobilenet_unet 5: .*{said}'):
        open_backend(wrong, backend, BackendOptions())


def test_a_frozen_graph_is_compared_as_well(manifest_of):
    need('tensorflow')
    manifest = manifest_of('person_cat_dog_ssd')
    wrong = replace(manifest, outputs={'boxes': TensorSpec('nothing')})
    with pytest.raises(ModelError, match=r"no output 'nothing', it has .*detection_boxes"):
        open_backend(wrong, 'tensorflow', BackendOptions())


def test_several_models_live_in_one_process(model_files, made_up_inputs):
    """Three at once, used in turns, give the same results as each alone."""
    names = ['person_cat_dog_ssd', 'nyu_mobilenet_unet', 'yolov8n']
    need('openvino')
    models = [load_model(name, backend='openvino', threads=1) for name in names]
    inputs = [made_up_inputs(model.manifest, 3) for model in models]
    alone = [model(x) for model, x in zip(models, inputs, strict=True)]
    for _ in range(2):
        for model, x, expected in zip(models, inputs, alone, strict=True):
            assert max(usual_errors(expected, model(x)).values()) == 0
    for model in models:
        model.close()


def test_warm_up_reports_its_time(model_files):
    need('litert')
    with load_model('person_cat_dog_ssd_tflite') as model:
        assert model.warm_up() > 0
        assert model.title == 'person_cat_dog_ssd_tflite 1'
        assert model.input_size == (256, 256)
        assert model.labels.name(0) == 'person'


@pytest.mark.parametrize(
    ('name', 'backend', 'imported'),
    [
        ('centernet_mnv3_coco', 'openvino', 'openvino'),
        ('nyu_mobilenet_unet', 'litert', 'ai_edge_litert'),
    ],
)
def test_only_the_chosen_runtime_is_imported(model_files, name, backend, imported):
    need(backend)
    script = (
        'import sys\n'
        'from rs_ml_perception.inference.loading import load_model\n'
        f'load_model({name!r})\n'
        "runtimes = {'openvino', 'ai_edge_litert', 'onnxruntime', 'tensorflow'}\n"
        'print(*(runtimes & set(sys.modules)))\n'
    )
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, '-c', script],
        capture_output=True,
        text=True,
        env=os.environ | {'PYTHONPATH': path},
        check=True,
    )
    assert done.stdout.split() == [imported]


def with_lost_first_artifact(manifest):
    """The same model, with an artefact before its own that is nowhere."""
    lost = replace(
        manifest.artifacts[0], file=FileRef('lost.onnx', sha256='0' * 64), format='onnx'
    )
    return replace(manifest, artifacts=(lost, *manifest.artifacts))


def test_auto_goes_on_where_a_file_is_missing(manifest_of):
    manifest = with_lost_first_artifact(manifest_of('nyu_mobilenet_unet'))
    name, backend = open_backend(manifest, 'auto', BackendOptions())
    backend.close()
    assert name in ('litert', 'openvino')


def test_a_missing_file_is_named_where_nothing_else_is_left(manifest_of):
    need('onnxruntime')
    manifest = with_lost_first_artifact(manifest_of('nyu_mobilenet_unet'))
    with pytest.raises(MissingArtifactError, match=r'lost\.onnx is neither in'):
        open_backend(manifest, 'onnxruntime', BackendOptions())
