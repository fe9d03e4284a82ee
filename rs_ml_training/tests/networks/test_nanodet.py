"""NanoDet-Plus: its layers, what stays fixed, and the weights of the published file."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_training.errors import CheckpointError

keras = pytest.importorskip('keras')

from rs_ml_training.networks.complexity import multiply_adds, parameters  # noqa: E402
from rs_ml_training.networks.nanodet.blocks import CentredMaxPool, ChannelShuffle  # noqa: E402
from rs_ml_training.networks.nanodet.model import FIXED, nanodet_plus  # noqa: E402
from rs_ml_training.networks.nanodet.onnx_weights import credit_of, load  # noqa: E402

SIZE = (96, 64)
PUBLISHED = 'models/detection/nanodet_plus_m/nanodet_plus_m_raw_320x256.onnx'


def test_network(check_network):
    check_network('nanodet-plus', classes=3, width=16)


@pytest.mark.slow
def test_network_on_jax(check_network_on_jax):
    check_network_on_jax('nanodet-plus', classes=3, width=16)


@pytest.fixture(scope='module')
def published():
    """The network of the published file."""
    return nanodet_plus((320, 256), batch_norm=False)


def test_parameters_and_multiply_adds(published):
    assert parameters(published) == 1_186_346
    assert 0.35e9 < multiply_adds(published) < 0.37e9


@pytest.fixture(scope='module')
def with_averages():
    """With batch normalisation, all of it learns."""
    return nanodet_plus(SIZE, classes=3, width=16)


@pytest.mark.parametrize(
    'fixed', [pytest.param(f, marks=pytest.mark.slow if f == 'backbone' else ()) for f in FIXED]
)
def test_fixed_parts(fixed, with_averages):
    model = nanodet_plus(SIZE, classes=2, width=16, fixed=fixed) if fixed else with_averages
    learning = {weight.path.split('_')[0] for weight in model.trainable_weights}
    assert learning == {'': {'backbone', 'neck', 'head'}, 'backbone': {'neck', 'head'}}.get(
        fixed, {'head'}
    )


@pytest.mark.parametrize('options', [{'classes': 0}, {'width': 15}, {'fixed': 'head'}])
def test_wrong_options(options):
    with pytest.raises(ConfigError, match='at least one class'):
        nanodet_plus(SIZE, **options)


@pytest.mark.parametrize(('height', 'width'), [(4, 6), (5, 7)])
def test_pool_around_every_second_pixel(height, width):
    x = np.random.default_rng(0).uniform(-9, -1, (1, height, width, 2)).astype(np.float32)
    found = keras.ops.convert_to_numpy(CentredMaxPool()(x))
    padded = np.pad(x, ((0, 0), (1, 2), (1, 2), (0, 0)), constant_values=-np.inf)
    for row, column in np.ndindex(found.shape[1:3]):
        window = padded[0, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
        np.testing.assert_array_equal(found[0, row, column], window.max((0, 1)))
    assert found.shape[1:3] == (-(-height // 2), -(-width // 2))


def test_shuffle_interleaves():
    x = np.tile(np.array([1, 2, 3, 11, 12, 13], np.float32), (2, 2, 3, 1))
    found = keras.ops.convert_to_numpy(ChannelShuffle()(x))
    np.testing.assert_array_equal(found, np.tile([1, 11, 2, 12, 3, 13], (2, 2, 3, 1)))


def file_of(model: keras.Model, path, *, without: int = 0):
    """An ONNX file of the convolutions of a network in the order of the published one."""
    onnx = pytest.importorskip('onnx')
    from rs_ml_training.networks.nanodet import onnx_weights

    nodes, arrays = [], []
    for i, names in enumerate(onnx_weights._targets(model)[without:]):
        kernels, biases = zip(*(model.get_layer(n).get_weights() for n in names), strict=True)
        kernel = np.concatenate(kernels, axis=-1).transpose(3, 2, 0, 1)
        if names[0].endswith('_dw'):
            kernel = kernel.transpose(1, 0, 2, 3)
        kernel = kernel[:, ::-1] if names == ('backbone_stem',) else kernel
        arrays += [(f'w{i}', kernel), (f'b{i}', np.concatenate(biases))]
        nodes.append(onnx.helper.make_node('Conv', [f'x{i}', f'w{i}', f'b{i}'], [f'x{i + 1}']))
    tensors = [onnx.numpy_helper.from_array(np.ascontiguousarray(a), n) for n, a in arrays]
    ports = [
        onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) for n in ('x0', 'x1')
    ]
    graph = onnx.helper.make_graph(nodes, 'g', ports[:1], ports[1:], tensors)
    onnx.save(onnx.helper.make_model(graph), path)
    return path


@pytest.fixture(scope='module')
def source():
    """A network of three classes whose biases are not 0."""
    model = nanodet_plus(SIZE, classes=3, width=16, batch_norm=False)
    rng = np.random.default_rng(3)
    model.set_weights([w + rng.normal(0, 0.05, w.shape) for w in model.get_weights()])
    return model


def test_weights_go_round(source, tmp_path):
    target = nanodet_plus(SIZE, classes=3, width=16, batch_norm=False)
    path = file_of(source, tmp_path / 'x.onnx')
    load(target, path)
    for found, expected in zip(target.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert credit_of(path) == 'x.onnx, licence not stated'


def test_files_that_do_not_fit(source, with_averages, tmp_path):
    whole = file_of(source, tmp_path / 'whole.onnx')
    short = file_of(source, tmp_path / 'short.onnx', without=1)
    (tmp_path / 'text.onnx').write_text('no network')
    other = nanodet_plus(SIZE, classes=4, width=16, batch_norm=False)
    before = other.get_weights()
    for path, message in (
        (tmp_path / 'none.onnx', 'is missing'),
        (tmp_path / 'text.onnx', 'cannot be read'),
        (short, '109 convolutions'),
        (whole, 'head_64_scores'),
    ):
        with pytest.raises(CheckpointError, match=message):
            load(other, path)
    for found, expected in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(ConfigError, match='batch_norm=false'):
        load(with_averages, whole)


def test_every_layer_is_that_of_the_published_network(published, data_file):
    """What each convolution puts out for a real picture, at another size than the file's."""
    onnx = pytest.importorskip('onnx')
    runtime = pytest.importorskip('onnxruntime')
    from rs_ml_training.data.formats import open_data
    from rs_ml_training.data.geometry import resized
    from rs_ml_training.networks.nanodet import onnx_weights

    path, size, model = data_file(PUBLISHED), (320, 256), published
    load(model, path)
    assert 'RangiLyu' in credit_of(path)
    image = resized(open_data(f'yolo:{data_file("coco_val_dev")}').read(0), size).image
    stored = onnx.load(path)
    made = [node.output[0] for node in stored.graph.node if node.op_type == 'Conv']
    stored.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in made)
    session = runtime.InferenceSession(stored.SerializeToString())
    bgr = image[..., ::-1].astype(np.float32)
    fed = (bgr - [103.53, 116.28, 123.675]) / [57.375, 57.12, 58.395]
    fed = fed.transpose(2, 0, 1)[None].astype(np.float32)
    expected = dict(zip(made, session.run(made, {'in0': fed}), strict=True))
    layers = {
        names: expected[n] for names, n in zip(onnx_weights._targets(model), made, strict=True)
    }
    names = [name for group in layers for name in group]
    probe = keras.Model(model.input, [model.get_layer(name).output for name in names])
    found = dict(zip(names, probe({'image': image[None].astype(np.float32)}), strict=True))
    for group, maps in layers.items():
        ours = np.concatenate([keras.ops.convert_to_numpy(found[n]) for n in group], axis=-1)
        scale = max(np.abs(maps).max(), 1.0)
        np.testing.assert_allclose(
            ours, maps.transpose(0, 2, 3, 1), rtol=0, atol=1e-4 * scale, err_msg=str(group)
        )
