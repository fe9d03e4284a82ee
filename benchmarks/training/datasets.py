"""Data sets to read: real images if available, else drawn ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
from rs_ml_perception.core.errors import ConfigError
from rs_ml_training.data.encodings import encode, write_depth
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.output_folder import write_png
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.stereo_frames import IntelDenoise
from rs_ml_training.data.tiling import write_tiles

from benchmarks.training.published import Pair, Triple

NYU = 'nyu_v2'
"""Folder of format nyu-labelled below the one of real data."""


def write_pairs(
    folder: Path, count: int, size: tuple[int, int], real: Path | None
) -> tuple[Reader, list[Pair]]:
    """Write JPEG images and 16-bit depth PNG [mm] in the format 'folder'.

    Args:
        folder: a new one.
        count: of samples.
        size: (width, height) of drawn images [px].
        real: folder that holds `nyu_v2/`; None: images are drawn.

    Returns:
        The reader, and the same files for the published scripts.

    Raises:
        ConfigError: `real` holds no such folder.
    """
    for kind in ('rgb', 'depth'):
        (folder / kind).mkdir(parents=True)
    if real is None:
        _draw_pairs(folder, count, size)
    else:
        _copy_pairs(folder, count, real / NYU)
    rgb = sorted((folder / 'rgb').iterdir())
    pairs = [(path, folder / 'depth' / f'{path.stem}.png') for path in rgb]
    return open_data(f'folder:{folder}'), pairs


def write_tile_files(
    folder: Path, count: int, size: tuple[int, int], side: int
) -> tuple[Reader, list[Triple]]:
    """Write tiles of drawn stereo frames in the format 'intel-denoise'.

    Args:
        folder: a new one.
        count: of frames, each of many tiles.
        size: (width, height) of the frames [px].
        side: of the tiles [px].

    Returns:
        The reader, and the same files for the published scripts.
    """
    frames, tiles = folder / 'frames', folder / 'tiles'
    for number in range(count):
        rng = np.random.default_rng(number)
        image, depth_m = drawn(size, rng)
        raw_m = depth_m + rng.normal(0, 0.01, depth_m.shape) * depth_m**2
        raw_m[rng.random(depth_m.shape) < 0.05] = 0
        maps = {'res': encode(raw_m, 'mm'), 'gt': encode(depth_m, 'mm'), 'left': image[..., 1]}
        for kind, array in maps.items():
            write_png(frames / f'{kind}-{number}.png', array)
    write_tiles(IntelDenoise(frames), tiles, side)
    names = sorted(path.name.removeprefix('res-') for path in tiles.glob('res-*.png'))
    triples = [(tiles / f'res-{n}', tiles / f'left-{n}', tiles / f'gt-{n}') for n in names]
    return IntelDenoise(tiles), triples


def drawn(size: tuple[int, int], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A noisy room of boxes: uint8 (H, W, 3) RGB and float32 (H, W) [m]."""
    width, height = size
    tones = rng.uniform(30, 220, (8, 8, 3)).astype(np.float32)
    image = cv2.resize(tones, size, interpolation=cv2.INTER_CUBIC)
    depth_m = np.repeat(np.linspace(6, 2, height, dtype=np.float32)[:, None], width, 1)
    for _ in range(12):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        part = (slice(y, y + height // 4), slice(x, x + width // 5))
        image[part] = 0.3 * image[part] + rng.uniform(0, 170, 3)
        depth_m[part] = rng.uniform(0.8, 5)
    noisy = image + rng.normal(0, 5, image.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), depth_m


def _draw_pairs(folder: Path, count: int, size: tuple[int, int]) -> None:
    for number in range(count):
        image, depth_m = drawn(size, np.random.default_rng(number))
        cv2.imwrite(str(folder / 'rgb' / f'{number:03}.jpg'), image[..., ::-1])
        write_depth(folder / 'depth' / f'{number:03}.png', depth_m)


def _copy_pairs(folder: Path, count: int, nyu: Path) -> None:
    """Depth is converted from 8 bit to millimetres, as data sets are published."""
    if not (nyu / 'rgb').is_dir():
        raise ConfigError(f'{nyu} holds no rgb/: give the folder above it, or none')
    reader = open_data(f'nyu-labelled:{nyu}')
    for index in range(min(count, len(reader))):
        sample = reader.read(index)
        shutil.copy(next((nyu / 'rgb').glob(f'{sample.name}.*')), folder / 'rgb')
        write_depth(folder / 'depth' / f'{sample.name}.png', sample.maps()['depth_m'])
