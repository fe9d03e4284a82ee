"""Reading and augmentation of published training scripts: one sample after the other.

Written from their descriptions, for comparison only. Libraries that this project does not use are
replaced by faster ones, so that the comparison favours the script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance
from rs_ml_training.data.sample import Arrays

Batch = tuple[Arrays, Arrays]
Epoch = Callable[[], Iterable[Batch]]
"""Returns the batches of one pass over the data."""
Pair = tuple[Path, Path]
"""Image and 16-bit depth [mm]."""
Triple = tuple[Path, Path, Path]
"""Measured depth, infrared and true depth of a tile."""
Load = Callable[[Pair, tuple[int, int], np.random.Generator], tuple[np.ndarray, np.ndarray]]

BLOCK = 1000  # tiles that the denoising script loads at once
_MEAN_RGB = np.array([123.68, 116.78, 103.94], np.float32)


def read_batches(
    pairs: Sequence[Pair], load: Load, size: tuple[int, int], batch: int, rng: np.random.Generator
) -> Iterator[Batch]:
    """Full batches in random order, loaded one at a time.

    Args:
        pairs: files.
        load: of one pair, as `fastdepth_pair`.
        size: (width, height) of the network [px].
        batch: samples per batch.
        rng: of order and augmentation.

    Yields:
        ({'image': (B, h, w, 3) float32}, {'depth_m': (B, h, w, 1) float32}).
    """
    order = rng.permutation(len(pairs))
    for start in range(0, len(pairs) - batch + 1, batch):
        loaded = [load(pairs[i], size, rng) for i in order[start : start + batch]]
        images, depths_m = (np.stack(arrays) for arrays in zip(*loaded, strict=True))
        yield {'image': images}, {'depth_m': depths_m}


def fastdepth_pair(
    pair: Pair, size: tuple[int, int], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """FastDepth (dwofk/fast-depth): PIL images in a chain of nearest-pixel steps.

    Resize to a height of 250, rotate by up to 5 degrees, enlarge up to 1.5 times and divide depth
    by it, crop the centre 304x228, mirror, resize to the network; jitter of three properties.
    """
    zoom, degrees, is_mirrored = rng.uniform(1, 1.5), rng.uniform(-5, 5), rng.random() < 0.5
    depth_m = read_depth_m(pair[1]) / np.float32(zoom)
    image = _fastdepth_moved(Image.open(pair[0]).convert('RGB'), zoom, degrees, is_mirrored, size)
    depth = _fastdepth_moved(Image.fromarray(depth_m), zoom, degrees, is_mirrored, size)
    for kind in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = kind(image).enhance(rng.uniform(0.6, 1.4))
    return np.asarray(image, np.float32) / 255, np.asarray(depth)[..., None]


def bts_pair(
    pair: Pair, size: tuple[int, int], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """BTS (arXiv:1907.10326): rotate the whole image, then augment a crop in floats.

    Up to 2.5 degrees, a random crop, mirrored or not; gamma, brightness and a factor per channel
    for every second sample; the mean of ImageNet subtracted.
    """
    degrees = rng.uniform(-2.5, 2.5)
    image = Image.open(pair[0]).convert('RGB').rotate(degrees, Image.Resampling.BILINEAR)
    depth = Image.fromarray(read_depth_m(pair[1])).rotate(degrees, Image.Resampling.NEAREST)
    rgb, depth_m = np.asarray(image, np.float32) / 255, np.asarray(depth)[..., None]
    y, x = (int(rng.integers(h - w + 1)) for h, w in zip(rgb.shape, size[::-1], strict=False))
    rgb, depth_m = (a[y : y + size[1], x : x + size[0]] for a in (rgb, depth_m))
    if rng.random() < 0.5:
        rgb, depth_m = rgb[:, ::-1].copy(), depth_m[:, ::-1].copy()
    if rng.random() < 0.5:
        rgb = rgb ** np.float32(rng.uniform(0.9, 1.1)) * np.float32(rng.uniform(0.75, 1.25))
        rgb = np.clip(rgb * rng.uniform(0.9, 1.1, 3).astype(np.float32), 0, 1)
    return (rgb * 255 - _MEAN_RGB) * np.float32(0.017), depth_m


def denoise_blocks(tiles: Sequence[Triple], batch: int, block: int = BLOCK) -> Iterator[Batch]:
    """Intel's denoiser: load and normalise a block of tiles as one array, then train on it.

    Depth and infrared are its two channels; input and truth are normalised alike.

    Args:
        tiles: files.
        batch: samples per batch.
        block: tiles per load.

    Yields:
        ({'depth_m', 'infrared'}, {'depth_m'}), each (B, h, w, 1) float64 without unit.
    """
    for start in range(0, len(tiles), block):
        part = tiles[start : start + block]
        noisy = _normalised(np.stack([_channels(raw, left) for raw, left, _ in part]))
        pure = _normalised(np.stack([_channels(truth, left) for _, left, truth in part]))
        for i in range(0, len(part) - batch + 1, batch):
            x, y = noisy[i : i + batch], pure[i : i + batch]
            yield {'depth_m': x[..., :1], 'infrared': x[..., 1:]}, {'depth_m': y[..., :1]}


def read_depth_m(path: Path) -> np.ndarray:
    """Depth of 16-bit millimetres, float32 (H, W) [m]."""
    return np.asarray(Image.open(path), np.float32) / np.float32(1000)


def _fastdepth_moved(
    image: Image.Image, zoom: float, degrees: float, is_mirrored: bool, size: tuple[int, int]
) -> Image.Image:
    nearest = Image.Resampling.NEAREST
    small = _resized(image, 250 / image.height).rotate(degrees, nearest)
    large = _resized(small, zoom)
    x, y = (large.width - 304) // 2, (large.height - 228) // 2
    middle = large.crop((x, y, x + 304, y + 228))
    if is_mirrored:
        middle = middle.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return middle.resize(size, nearest)


def _resized(image: Image.Image, factor: float) -> Image.Image:
    size = round(image.width * factor), round(image.height * factor)
    return image.resize(size, Image.Resampling.NEAREST)


def _channels(depth: Path, infrared: Path) -> np.ndarray:
    stored, gray = np.asarray(Image.open(depth)), np.asarray(Image.open(infrared).convert('L'))
    return np.dstack([stored.astype(np.uint16), gray.astype(np.uint16)])


def _normalised(block: np.ndarray) -> np.ndarray:
    """The script divides by the variance."""
    return np.asarray((block - block.mean()) / block.var())
