"""What the trained network gives for a made-up input, kept so that every runtime can be checked.

The file holds `input/<name>` and `output/<name>` arrays.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rs_ml_training.export.artifact import Arrays, Port

GOLDEN_NAME = 'golden.npz'
_STEPS = 1 << 12
_TILES = 8
_BLOBS = 12


def golden_inputs(ports: Iterable[Port], depth_range_m: tuple[float, float]) -> dict:
    """Inputs with flat areas, ramps and edges; depth has holes. Equal on every machine.

    Args:
        ports: what the network takes.
        depth_range_m: between which depth inputs lie.

    Returns:
        Name -> array of the port's shape and dtype.
    """
    inputs = {}
    for seed, port in enumerate(ports):
        steps = _pattern(np.random.default_rng(seed), *port.size, channels=port.shape[3])
        inputs[port.name] = _in_units(steps, port, depth_range_m)[None]
    return inputs


def write_golden(path: Path, inputs: Arrays, outputs: Arrays) -> None:
    """Write the file; float outputs are rounded to 1/4096 of their range, which packs well.

    Whole numbers, as classes of boxes are, stay what they are.
    """
    arrays = {f'input/{name}': array for name, array in inputs.items()}
    arrays |= {f'output/{name}': _rounded(array) for name, array in outputs.items()}
    np.savez_compressed(path, **arrays)


def _pattern(rng: np.random.Generator, width: int, height: int, *, channels: int) -> np.ndarray:
    """uint8 (height, width, channels), made with integers alone."""
    ys, xs = np.mgrid[0:height, 0:width]
    weights = rng.integers(0, 256, (2, channels))
    # Ramps in visible steps: they compress to little.
    rows, columns = ys * 4 * _TILES // height, xs * 4 * _TILES // width
    ramp = rows[:, :, None] * weights[0] + columns[:, :, None] * weights[1]
    picture = ramp // (8 * _TILES)
    for _ in range(_BLOBS):
        x, y = rng.integers(0, width), rng.integers(0, height)
        rx, ry = rng.integers(max(2, min(width, height) // 16), max(4, min(width, height) // 3), 2)
        inside = ((xs - x) * ry) ** 2 + ((ys - y) * rx) ** 2 < (rx * ry) ** 2
        picture[inside] = rng.integers(0, 256, channels)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _in_units(pattern: np.ndarray, port: Port, depth_range_m: tuple[float, float]) -> np.ndarray:
    if port.dtype == 'uint8':
        return pattern
    near, far = depth_range_m
    depth_m = near + pattern.astype(np.float32) * np.float32((far - near) / 255)
    return np.where(pattern < 16, np.float32(0), depth_m).astype(port.dtype)


def _rounded(array: np.ndarray) -> np.ndarray:
    span = float(np.ptp(array)) if array.dtype.kind == 'f' else 0.0
    if not np.isfinite(span) or span == 0.0 or np.array_equal(array, np.rint(array)):
        return array
    step, low = span / _STEPS, float(array.min())
    return (np.rint((array - low) / step) * step + low).astype(np.float32)
