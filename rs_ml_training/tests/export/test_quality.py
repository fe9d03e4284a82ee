"""Metrics of served networks, and the samples they are fed."""

import importlib.util

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_training.data.sample import Sample
from rs_ml_training.export.artifact import Port
from rs_ml_training.export.comparison import measure, served, served_samples
from rs_ml_training.networks.centernet.targets import targets_of
from rs_ml_training.tasks.registry import TASKS
from rs_ml_training.trained import ModelSpec

SIZE = (80, 60)
IMAGE = Port('image', (1, 60, 80, 3), 'uint8')
DENOISE = (Port('raw_depth', (1, 60, 80, 1), 'float32'), Port('infrared', (1, 60, 80, 1), 'uint8'))

needs_keras = pytest.mark.skipif(
    importlib.util.find_spec('keras') is None, reason='boxes are decoded with Keras'
)


def oracle(task, reader):
    """A network that answers with the truth of the sample whose input it is given."""
    samples = [reader.read(i) for i in range(len(reader))]

    def answer(inputs):
        key, name = next(iter(inputs.items()))[1], 'image' if 'image' in inputs else 'raw_depth_m'
        sample = next(s for s in samples if np.array_equal(getattr(s, name), np.squeeze(key[0])))
        maps = targets_of(sample.boxes, SIZE, classes=5)
        return {
            **{name: maps[name][None] for name in ('heatmap', 'size', 'offset')},
            'depth': sample.depth_m[None, :, :, None],
            'mask': sample.labels[None],
        }

    return answer


@pytest.mark.parametrize(
    ('task', 'ports', 'best'),
    [
        ('depth', (IMAGE,), {'abs_rel': 0, 'rms': 0, 'd1': 1}),
        ('segmentation', (IMAGE,), {'miou': 1, 'pixel_accuracy': 1}),
        ('denoise', DENOISE, {'rmse_m': 0, 'mae_m': 0}),
        pytest.param('detection', (IMAGE,), {'ap50': 1, 'ap50_95': 1}, marks=needs_keras),
    ],
)
def test_the_truth_is_perfect(noise, task, ports, best):
    spec = ModelSpec(task, 'toy', SIZE, labels=tuple('abcde'), depth_range_m=(0.0, 10.0))
    samples = served_samples(noise, ports, None, 3)
    found = measure(oracle(task, noise), spec, samples)
    assert found == pytest.approx(best)
    assert tuple(found) == TASKS[task].shown_metrics


def test_a_worse_network_is_worse(noise):
    spec = ModelSpec('depth', 'toy', SIZE)
    network = oracle('depth', noise)
    off = measure(
        lambda inputs: {'depth': network(inputs)['depth'] * 1.1},
        spec,
        served_samples(noise, (IMAGE,), None, 3),
    )
    assert off['abs_rel'] == pytest.approx(0.1, abs=0.01)


def test_samples_are_spread_cropped_and_scaled(noise):
    port = Port('image', (1, 32, 64, 3), 'uint8')
    found = list(served_samples(noise, (port,), (0.25, 0.0, 0.5, 1.0), 3))
    assert [s.sample.name for s in found] == ['noise_0', 'noise_2', 'noise_5']
    assert found[0].view.rect == (20, 0, 40, 60)
    assert found[0].inputs['image'].shape == port.shape
    assert len(list(served_samples(noise, (port,), None, 100))) == 6


def test_missing_infrared_is_black_and_missing_depth_an_error():
    depth_m = np.array([[1, np.nan], [0, 2]], np.float32)
    ports = [Port(p.name, (1, 2, 2, 1), p.dtype) for p in DENOISE]
    inputs = served(Sample('a', raw_depth_m=depth_m), ports, None).inputs
    assert inputs['raw_depth'].ravel().tolist() == [1, 0, 0, 2]
    assert inputs['infrared'].dtype == np.uint8
    assert not inputs['infrared'].any()
    with pytest.raises(InputError, match='a has no raw_depth_m'):
        served(Sample('a', depth_m=depth_m), ports, None)


@pytest.mark.parametrize(
    'task', ['depth', 'segmentation', pytest.param('detection', marks=needs_keras)]
)
def test_samples_without_truth_are_an_error(noise, task):
    image = noise.read(0).image
    samples = [served(Sample('bare', image=image), (IMAGE,), None)]
    with pytest.raises(InputError, match='bare has no'):
        measure(oracle(task, noise), ModelSpec(task, 'toy', SIZE), samples)
