"""SavedModel, ONNX, OpenVINO IR and TFLite made from a real Keras network."""

import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from rs_ml_perception.core.files import sha256_of
from rs_ml_perception.inference.backends import BACKENDS
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.inference.output_errors import usual_errors

KERAS_FILE = 'depth/nyu_mobilenet_unet_5.keras'
ENCODER_END = 'block_13_expand_relu'
MANIFEST = {
    'name': 'converted',
    'task': 'mono_depth',
    'decoder': 'depth',
    'license': 'none',
    'input': {
        'name': 'input_image',
        'size': [224, 224],
        'dtype': 'float32',
        'scale': 1 / 127.5,
        'offset': -1,
    },
    'outputs': {'depth': 'output_0'},
}


def add_manifest(folder, **artifact):
    """A model directory around a converted file."""
    artifact['sha256'] = sha256_of(folder / artifact['path'])
    for companion in artifact.get('companions', ()):
        companion['sha256'] = sha256_of(folder / companion['path'])
    manifest = MANIFEST | {'artifacts': [artifact]}
    (folder / 'manifest.yaml').write_text(yaml.safe_dump(manifest))
    return folder


@pytest.fixture(scope='module')
def converted(tmp_path_factory):
    """Folders of the network as SavedModel, ONNX and IR, of its encoder as TFLite and as such."""
    if 'RS_ML_TEST_DATA' not in os.environ:
        pytest.skip('RS_ML_TEST_DATA is not set: no real models here')
    keras, tf, _ = (pytest.importorskip(name) for name in ('keras', 'tensorflow', 'tf2onnx'))
    openvino = pytest.importorskip('openvino')
    network = keras.models.load_model(
        Path(os.environ['RS_ML_TEST_DATA']) / 'models' / KERAS_FILE, compile=False
    )
    root = tmp_path_factory.mktemp('converted')
    saved, onnx, xml, lite, full = (
        root / name for name in ('saved', 'onnx', 'xml', 'lite', 'enc')
    )
    for folder in (saved, onnx, xml, lite, full):
        folder.mkdir()
    network.export(saved / 'net', format='tf_saved_model', verbose=False)
    network.export(str(onnx / 'net.onnx'), format='onnx', verbose=False)
    openvino.save_model(
        openvino.convert_model(onnx / 'net.onnx'), xml / 'net.xml', compress_to_fp16=False
    )
    encoder = keras.Model(network.input, network.get_layer(ENCODER_END).output)
    encoder.export(full / 'net', format='tf_saved_model', verbose=False)
    lite_bytes = tf.lite.TFLiteConverter.from_saved_model(str(full / 'net')).convert()
    (lite / 'net.tflite').write_bytes(lite_bytes)
    return {
        'saved_model': add_manifest(saved, format='saved_model', path='net'),
        'onnx': add_manifest(onnx, format='onnx', path='net.onnx', names={'depth': 'Identity'}),
        'openvino': add_manifest(
            xml,
            format='openvino',
            path='net.xml',
            companions=[{'path': 'net.bin'}],
            names={'depth': 'Identity'},
        ),
        'tflite': add_manifest(
            lite,
            format='tflite',
            path='net.tflite',
            names={
                'input_image': 'serving_default_input_image',
                'depth': 'StatefulPartitionedCall_1',
            },
        ),
        'encoder': add_manifest(full, format='saved_model', path='net'),
    }


@pytest.fixture
def run(made_up_inputs):
    """(folder, backend, seed) -> outputs."""

    def outputs_of(folder, backend, seed):
        if not BACKENDS[backend].is_installed:
            pytest.skip(f'{backend} is not installed: {BACKENDS[backend].install}')
        with load_model(folder, backend=backend) as model:
            return model(made_up_inputs(model.manifest, seed))

    return outputs_of


@pytest.mark.parametrize(
    ('kind', 'backend'),
    [
        ('saved_model', 'tensorflow'),
        ('saved_model', 'openvino'),
        ('onnx', 'onnxruntime'),
        ('onnx', 'openvino'),
        ('onnx', 'opencv'),
        ('openvino', 'openvino'),
    ],
)
@pytest.mark.parametrize('seed', [1, 2])
def test_every_format_agrees_with_the_tflite_file(
    model_files, converted, run, kind, backend, seed
):
    expected = run('nyu_mobilenet_unet', 'litert', seed)
    actual = run(converted[kind], backend, seed)
    assert actual['depth'].shape == (1, 224, 224, 1)
    assert usual_errors(expected, actual)['depth'] <= 1e-3


@pytest.mark.parametrize('backend', ['litert', 'openvino', 'opencv'])
def test_tflite_runs_alike_everywhere(converted, run, backend):
    """OpenCV turns the network into NCHW; its users see NHWC."""
    expected = run(converted['encoder'], 'tensorflow', 1)
    actual = run(converted['tflite'], backend, 1)
    assert actual['depth'].shape == (1, 14, 14, 192)
    assert usual_errors(expected, actual)['depth'] <= 1e-3
    assert np.ptp(actual['depth']) > 1
