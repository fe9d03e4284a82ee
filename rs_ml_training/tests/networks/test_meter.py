"""METER holds what every network holds; its published weights are read without PyTorch."""

from __future__ import annotations

import pickle
import zipfile

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_perception.core.errors import ConfigError  # noqa: E402
from rs_ml_training.data.formats import open_data  # noqa: E402
from rs_ml_training.data.geometry import resized  # noqa: E402
from rs_ml_training.errors import CheckpointError  # noqa: E402
from rs_ml_training.networks import registry  # noqa: E402
from rs_ml_training.networks.meter.model import Folded, Unfolded  # noqa: E402
from rs_ml_training.networks.meter.torch_weights import (  # noqa: E402
    load,
    read_state_dict,
)


@pytest.mark.slow
def test_contract(check_network):
    check_network('meter', (128, 64))


def test_patches_are_put_back():
    x = np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype(np.float32)
    tokens = Unfolded()(x)
    assert tokens.shape == (2, 4, 6, 3)
    np.testing.assert_array_equal(tokens[1, 0], x[1, ::2, ::2].reshape(6, 3))
    np.testing.assert_array_equal(tokens[1, 3], x[1, 1::2, 1::2].reshape(6, 3))
    np.testing.assert_array_equal(Folded()([tokens, x]), x)


@pytest.mark.parametrize(
    ('options', 'named'),
    [({'variant': 'xl'}, 'xl'), ({'max_depth_m': 0.0}, '0.0')],
)
def test_senseless_option(options, named):
    with pytest.raises(ConfigError, match=named):
        registry.build('meter', **{'input_size': (64, 64), **options})


class Harmful:
    def __reduce__(self):
        return print, ('code of a pickle ran',)


@pytest.mark.parametrize('content', [None, b'no archive', Harmful()])
def test_files_that_are_no_state_dict(content, tmp_path, capsys):
    path = tmp_path / 'weights.pt'
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        with zipfile.ZipFile(path, 'w') as archive:
            archive.writestr('archive/data.pkl', pickle.dumps(content))
    with pytest.raises(CheckpointError, match='PyTorch state dict'):
        read_state_dict(path)
    assert 'ran' not in capsys.readouterr().out


def test_published_weights_predict_metres(data_file):
    weights = data_file('models/depth/meter_xxs/meter_nyu_xxs.pt')
    network = registry.build('meter', (256, 192))
    load(network, weights)
    reader = open_data(f'nyu-labelled:{data_file("nyu_v2_test_dev")}')
    samples = [resized(reader.read(i), (256, 192)) for i in (0, 50, 100)]
    image = np.stack([s.image for s in samples]).astype(np.float32)
    depth_m = keras.ops.convert_to_numpy(network({'image': image})['depth_m'])[..., 0]
    truth_m = np.stack([s.depth_m for s in samples])
    known = truth_m > 0
    assert np.mean(np.abs(depth_m - truth_m)[known] / truth_m[known]) < 0.2
    with pytest.raises(CheckpointError, match='variant'):
        load(registry.build('meter', (64, 64), variant='xs'), weights)
