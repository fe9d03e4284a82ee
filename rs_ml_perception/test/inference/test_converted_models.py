"""SavedModel, ONNX, OpenVINO IR and TFLite made from Keras networks."""

import numpy as np
import pytest
import yaml
from rs_ml_perception.core.files import sha256_of
from rs_ml_perception.inference.backends import BACKENDS
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.inference.output_errors import usual_errors

KERAS_FILE = 'depth/nyu_mobilenet_unet_5.keras'
ENCODER_END = {'small': 'coded', 'published': 'block_13_expand_relu'}


def small_network():
    """An encoder and a decoder of the operations of the published network."""
    keras = pytest.importorskip('keras')
    from keras import layers

    keras.utils.set_random_seed(1)
    image = keras.Input((32, 48, 3), name='input_image')
    skip = layers.Conv2D(8, 3, strides=2, padding='same', use_bias=False)(image)
    skip = layers.ReLU(6.0)(layers.BatchNormalization()(skip))
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(skip)
    x = layers.DepthwiseConv2D(3, strides=2, use_bias=False)(x)
    x = layers.Conv2D(16, 1)(layers.BatchNormalization()(x))
    x = layers.ReLU(6.0, name='coded')(x)
    x = layers.UpSampling2D(2, interpolation='bilinear')(x)
    x = layers.Concatenate()([x, skip])
    x = layers.UpSampling2D(2)(layers.Conv2D(8, 3, padding='same', activation='relu')(x))
    return keras.Model(image, layers.Conv2D(1, 3, padding='same', activation='sigmoid')(x))


def published_network(data_file):
    keras = pytest.importorskip('keras')
    return keras.models.load_model(data_file('models') / KERAS_FILE, compile=False)


def manifest_of(network):
    _, height, width, _ = network.input.shape
    return {
        'name': 'converted',
        'task': 'mono_depth',
        'decoder': 'depth',
        'license': 'none',
        'input': {
            'name': 'input_image',
            'size': [width, height],
            'dtype': 'float32',
            'scale': 1 / 127.5,
            'offset': -1,
        },
        'outputs': {'depth': 'output_0'},
    }


def add_manifest(folder, network, **artifact):
    """A model directory around a converted file."""
    artifact['sha256'] = sha256_of(folder / artifact['path'])
    for companion in artifact.get('companions', ()):
        companion['sha256'] = sha256_of(folder / companion['path'])
    manifest = manifest_of(network) | {'artifacts': [artifact]}
    (folder / 'manifest.yaml').write_text(yaml.safe_dump(manifest))
    return folder


@pytest.fixture(
    scope='module', params=['small', pytest.param('published', marks=pytest.mark.slow)]
)
def converted(request, tmp_path_factory):
    """A network, and folders of it as SavedModel, ONNX and IR, of its encoder as TFLite, too."""
    tf, _ = (pytest.importorskip(name) for name in ('tensorflow', 'tf2onnx'))
    keras, openvino = pytest.importorskip('keras'), pytest.importorskip('openvino')
    if request.param == 'small':
        network = small_network()
    else:
        network = published_network(request.getfixturevalue('data_file'))
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
    encoder = keras.Model(network.input, network.get_layer(ENCODER_END[request.param]).output)
    encoder.export(full / 'net', format='tf_saved_model', verbose=False)
    lite_bytes = tf.lite.TFLiteConverter.from_saved_model(str(full / 'net')).convert()
    (lite / 'net.tflite').write_bytes(lite_bytes)
    folders = {
        'saved_model': add_manifest(saved, network, format='saved_model', path='net'),
        'onnx': add_manifest(
            onnx, network, format='onnx', path='net.onnx', names={'depth': 'Identity'}
        ),
        'openvino': add_manifest(
            xml,
            network,
            format='openvino',
            path='net.xml',
            companions=[{'path': 'net.bin'}],
            names={'depth': 'Identity'},
        ),
        'tflite': add_manifest(
            lite,
            network,
            format='tflite',
            path='net.tflite',
            names={
                'input_image': 'serving_default_input_image',
                'depth': 'StatefulPartitionedCall_1',
            },
        ),
        'encoder': add_manifest(full, network, format='saved_model', path='net'),
    }
    return network, encoder, folders


@pytest.fixture
def run(made_up_inputs):
    """(folder, backend, seed) -> inputs and outputs."""

    def outputs_of(folder, backend, seed):
        if not BACKENDS[backend].is_installed:
            pytest.skip(f'{backend} is not installed: {BACKENDS[backend].install}')
        with load_model(folder, backend=backend) as model:
            inputs = made_up_inputs(model.manifest, seed)
            return inputs, model(inputs)

    return outputs_of


def outputs_of(network, inputs):
    """Those of Keras."""
    return {'depth': np.asarray(network(inputs['input_image'], training=False))}


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
def test_every_format_agrees_with_keras(converted, run, kind, backend, seed):
    network, _, folders = converted
    inputs, found = run(folders[kind], backend, seed)
    assert found['depth'].shape == (1, *network.output.shape[1:])
    assert usual_errors(outputs_of(network, inputs), found)['depth'] <= 1e-3


@pytest.mark.parametrize(
    ('kind', 'backend'),
    [('encoder', 'tensorflow'), *(('tflite', b) for b in ('litert', 'openvino', 'opencv'))],
)
def test_an_encoder_runs_alike_everywhere(converted, run, kind, backend):
    """OpenCV turns the network into NCHW; its users see NHWC."""
    _, encoder, folders = converted
    inputs, found = run(folders[kind], backend, 1)
    assert found['depth'].shape == (1, *encoder.output.shape[1:])
    assert usual_errors(outputs_of(encoder, inputs), found)['depth'] <= 1e-3
    assert np.ptp(found['depth']) > 0.1
