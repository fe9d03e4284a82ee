"""The losses in graphs of unknown size, and with the other Keras backend."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

keras = pytest.importorskip('keras')
tf = pytest.importorskip('tensorflow')

from rs_ml_training.losses.depth import DEPTH_LOSSES  # noqa: E402
from rs_ml_training.losses.segmentation import SEGMENTATION_LOSSES  # noqa: E402

SCRIPT = """
import json, numpy as np, keras
from rs_ml_training.losses.denoise import denoise_loss
from rs_ml_training.losses.depth import DEPTH_LOSSES
from rs_ml_training.losses.heatmap import detection_loss
from rs_ml_training.losses.segmentation import SEGMENTATION_LOSSES, confidence_loss

rng = np.random.default_rng(0)
target = rng.uniform(0.5, 5, (2, 12, 14, 1)).astype(np.float32)
start = (target * rng.uniform(0.8, 1.2, target.shape)).astype(np.float32)
mask = rng.random(target.shape) > 0.3
labels = rng.integers(0, 2, (2, 12, 14)).astype(np.int32)
two, one = (rng.normal(size=(2, 12, 14, c)).astype(np.float32) for c in (2, 1))
share = rng.uniform(0.1, 0.9, target.shape).astype(np.float32)
pairs = rng.normal(size=(2, 12, 14, 2)).astype(np.float32)
marked = {'heatmap': np.where(share > 0.8, 1, share), 'size': pairs, 'offset': pairs, 'mask': mask}
found = {'size': two, 'offset': two}

def total(terms):
    return sum(terms.values())

cases = {n: (lambda x, f=f: f(target, x, mask), start) for n, f in DEPTH_LOSSES.items()}
for n, f in SEGMENTATION_LOSSES.items():
    cases[n] = (lambda x, f=f: f(labels, x), one if 'binary' in n else two)
cases['confidence'] = (lambda x: confidence_loss(labels, x), share)
cases['denoise'] = (
    lambda x: total(denoise_loss(target * mask, {'depth_m': x, 'confidence': share})), start
)
cases['heatmap'] = (lambda x: total(detection_loss(marked, found | {'heatmap': x})), share)

def both(loss, at):
    if keras.backend.backend() == 'jax':
        import jax
        return jax.jit(jax.value_and_grad(loss))(at)
    import tensorflow as tf
    at = tf.constant(at)
    with tf.GradientTape() as tape:
        tape.watch(at)
        value = loss(at)
    return value, tape.gradient(value, at)

results = {}
for name, case in cases.items():
    value, slope = both(*case)
    slope = np.asarray(slope, np.float64)
    results[name] = [float(value), float(slope.sum()), float(np.abs(slope).sum())]
print(json.dumps(results))
"""


def results(backend: str) -> dict[str, list[float]]:
    run = subprocess.run(
        [sys.executable, '-c', SCRIPT],
        env=os.environ | {'KERAS_BACKEND': backend, 'JAX_PLATFORMS': 'cpu'},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.skipif(keras.backend.backend() != 'tensorflow', reason='graphs are TensorFlow')
@pytest.mark.parametrize('name', sorted(DEPTH_LOSSES))
def test_depth_losses_in_a_graph_of_unknown_size(name):
    rng = np.random.default_rng(0)
    target, prediction = rng.uniform(1, 5, (2, 2, 12, 14, 1)).astype(np.float32)
    mask = rng.random(target.shape) > 0.3
    maps = [tf.TensorSpec((None, None, None, 1), kind) for kind in ('float32', 'float32', 'bool')]
    graph = tf.function(DEPTH_LOSSES[name], input_signature=maps)
    expected = float(DEPTH_LOSSES[name](target, prediction, mask))
    assert float(graph(target, prediction, mask)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.skipif(keras.backend.backend() != 'tensorflow', reason='graphs are TensorFlow')
@pytest.mark.parametrize('name', sorted(SEGMENTATION_LOSSES))
def test_segmentation_losses_in_a_graph_of_unknown_size(name):
    rng = np.random.default_rng(0)
    channels = 1 if 'binary' in name else 3
    labels = rng.integers(0, 2, (2, 5, 6)).astype(np.int32)
    logits = rng.normal(size=(2, 5, 6, channels)).astype(np.float32)
    maps = [
        tf.TensorSpec((None, None, None), 'int32'),
        tf.TensorSpec((None, None, None, channels), 'float32'),
    ]
    graph = tf.function(SEGMENTATION_LOSSES[name], input_signature=maps)
    expected = float(SEGMENTATION_LOSSES[name](labels, logits))
    assert float(graph(labels, logits)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_jax_agrees_with_tensorflow():
    pytest.importorskip('jax')
    ours, theirs = results('tensorflow'), results('jax')
    assert len(ours) >= 16
    for name, values in ours.items():
        assert theirs[name] == pytest.approx(values, rel=1e-3, abs=1e-4), name
