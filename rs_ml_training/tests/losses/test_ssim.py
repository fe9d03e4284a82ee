"""Structural similarity against TensorFlow's, and with holes."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_training.losses.depth import gaussian, ssim_loss, ssim_map  # noqa: E402


def pair(shape=(2, 24, 30, 1), seed=0):
    rng = np.random.default_rng(seed)
    target = rng.uniform(0.5, 9, shape).astype(np.float32)
    return target, np.clip(target + rng.normal(0, 1, shape), 0.1, 10).astype(np.float32)


@pytest.mark.parametrize('range_m', [10.0, 80.0])
def test_full_maps_give_the_published_index(range_m):
    tf = pytest.importorskip('tensorflow')
    target, prediction = pair()
    theirs = tf.image.ssim(target, prediction, range_m, return_index_map=True)
    ours = ssim_map(target, prediction, np.ones_like(target), range_m=range_m)
    # Theirs begins where the whole window of 11 is inside.
    np.testing.assert_allclose(np.asarray(ours)[:, 5:-5, 5:-5, 0], theirs, atol=2e-4)


def slow_index(target, prediction, mask, y, x, window, range_m):
    """SSIM at one pixel from the known pixels of its window."""
    weights, a, b = [], [], []
    half, g = window // 2, gaussian(window).astype(float)
    for dy in range(-half, half + 1):
        for dx in range(-half, half + 1):
            v, u = y + dy, x + dx
            if 0 <= v < target.shape[0] and 0 <= u < target.shape[1] and mask[v, u]:
                weights.append(g[dy + half] * g[dx + half])
                a.append(float(target[v, u]))
                b.append(float(prediction[v, u]))
    w, a, b = np.array(weights) / sum(weights), np.array(a), np.array(b)
    ma, mb = (w * a).sum(), (w * b).sum()
    va, vb, ab = (
        (w * (a - ma) ** 2).sum(),
        (w * (b - mb) ** 2).sum(),
        (w * (a - ma) * (b - mb)).sum(),
    )
    c1, c2 = (0.01 * range_m) ** 2, (0.03 * range_m) ** 2
    return (2 * ma * mb + c1) * (2 * ab + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))


@pytest.mark.parametrize(('y', 'x'), [(0, 0), (3, 4), (9, 11)])
def test_holes_do_not_count(y, x):
    target, prediction = pair((1, 10, 12, 1))
    mask = np.random.default_rng(1).random(target.shape) > 0.4
    mask[0, y, x] = True
    ours = np.asarray(ssim_map(target, prediction, mask, window=5, range_m=6.0))[0, y, x, 0]
    maps = (m[0, ..., 0] for m in (target, prediction, mask))
    assert ours == pytest.approx(slow_index(*maps, y, x, 5, 6.0), abs=1e-4)


def test_loss_is_half_the_mean_distance_from_one():
    target, prediction = pair()
    mask = np.random.default_rng(2).random(target.shape) > 0.4
    index = np.asarray(ssim_map(target, prediction, mask))
    assert float(ssim_loss(target, prediction, mask)) == pytest.approx(
        (1 - index[mask]).mean() / 2, rel=1e-5
    )
