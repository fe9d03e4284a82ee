"""Made-up inputs and what is kept of the outputs."""

import numpy as np
import pytest
from rs_ml_training.export.artifact import Port
from rs_ml_training.export.golden import golden_inputs, write_golden

PIXEL_SUM = 952064
IMAGE = Port('image', (1, 48, 64, 3), 'uint8')
DEPTH = Port('raw_depth', (1, 48, 64, 1), 'float32')


def test_inputs_fit_and_repeat():
    first, second = (golden_inputs((DEPTH, IMAGE), (0.3, 10.0)) for _ in range(2))
    assert list(first) == ['raw_depth', 'image']
    for port in (DEPTH, IMAGE):
        array = first[port.name]
        assert (array.shape, array.dtype) == (port.shape, port.dtype)
        assert np.array_equal(array, second[port.name])
        assert len(np.unique(array)) > 20
    depth_m = first['raw_depth']
    assert (depth_m == 0).any()
    assert 0.3 <= depth_m[depth_m > 0].min() < depth_m.max() <= 10.0


def test_pixels_do_not_depend_on_the_platform():
    image = golden_inputs((IMAGE,), (0, 1))['image']
    assert int(image.astype(np.int64).sum()) == PIXEL_SUM


@pytest.mark.parametrize(
    ('output', 'error'),
    [
        (np.random.default_rng(1).uniform(2, 9, (1, 480, 640, 1)).astype(np.float32), 7 / 2**13),
        (np.full((1, 4, 4, 1), 3.1, np.float32), 0),
        (np.arange(16, dtype=np.uint8).reshape(1, 4, 4), 0),
        (np.float32([[0, 7, 3, 1, 5, 3]]), 0),
    ],
)
def test_outputs_are_kept_to_a_share_of_their_range(tmp_path, output, error):
    path = tmp_path / 'golden.npz'
    write_golden(path, {'image': np.zeros(3, np.uint8)}, {'depth': output})
    with np.load(path) as archive:
        assert set(archive.files) == {'input/image', 'output/depth'}
        kept = archive['output/depth']
    assert kept.dtype == output.dtype
    assert np.abs(kept.astype(float) - output).max() <= error * 1.01
    assert path.stat().st_size < 0.8 * output.nbytes + 1000
