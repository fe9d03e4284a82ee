"""Samples as folders of files that the formats 'folder' and 'intel-denoise' read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from rs_ml_training.data import depth_pairs
from rs_ml_training.data.augment.chain import Augment
from rs_ml_training.data.encodings import encode
from rs_ml_training.data.output_folder import new_folder, write_png
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Boxes, Sample
from rs_ml_training.data.text_files import write_license, write_scenes

_UNSAFE = re.compile(r'[^\w.-]+')


def write_augmented(
    reader: Reader, augment: Augment, out: Path, *, copies: int = 1, seed: int = 0
) -> int:
    """Write augmented copies of every sample, each under its own name.

    Images go to `rgb/`, their class ids to `gt/` and their depth to `depth/` (16-bit
    millimetres), those with boxes alone to `images/` and `boxes/` as YOLO has them, those with
    measured and better depth to the folders of 'depth-pairs', and those without colours to
    `res-`, `gt-` and `left-` files. `labels.txt`, or `classes.yaml` next to boxes, names the
    classes, `scenes.csv` the scene of each copy.

    Args:
        reader: the samples to augment.
        augment: how.
        out: a new folder.
        copies: of each sample.
        seed: of the augmentation; each copy has its own random numbers.

    Returns:
        How many copies were written.
    """
    scenes: dict[str, str] = {}
    with new_folder(out) as folder:
        for index in range(len(reader)):
            sample = reader.read(index)
            for copy in range(copies):
                rng = np.random.default_rng((seed, index, copy))
                name = f'{index:06}_{_UNSAFE.sub("_", sample.name)}_{copy}'
                write_sample(augment(sample, rng), folder, name)
                scenes[name] = reader.scene(index)
        write_scenes(scenes, folder)
        write_license(reader.license, folder)
        _write_class_names(reader.labels, folder)
    return len(scenes)


def write_sample(sample: Sample, folder: Path, name: str) -> None:
    """Write one sample, see `write_augmented`."""
    if sample.boxes is not None and sample.labels is None and sample.depth_m is None:
        _write_boxes(sample, sample.boxes, folder, name)
        return
    if sample.image is None:
        maps = {'res': sample.raw_depth_m, 'gt': sample.depth_m, 'left': sample.infrared}
        files = {f'{prefix}-{name}': array for prefix, array in maps.items()}
    else:
        files = {f'{kind}/{name}': array for kind, array in _by_folder(sample).items()}
    for file, array in files.items():
        if array is not None:
            stored = encode(array, 'mm') if array.dtype == np.float32 else array
            write_png(folder / f'{file}.png', stored)


def _by_folder(sample: Sample) -> dict[str, np.ndarray | None]:
    is_pair = sample.raw_depth_m is not None and sample.depth_m is not None
    if not is_pair or sample.labels is not None:
        return {'rgb': sample.image, 'gt': sample.labels, 'depth': sample.depth_m}
    mask = sample.extra.get(depth_pairs.MASK)
    maps = {
        depth_pairs.COLOR: sample.image,
        depth_pairs.RAW: sample.raw_depth_m,
        depth_pairs.GOOD: sample.depth_m,
        depth_pairs.MASK: None if mask is None else mask * np.uint8(255),
    }
    group = _UNSAFE.sub('_', sample.scene) or 'group'
    return {f'{group}/{kind}': array for kind, array in maps.items()}


def _write_boxes(sample: Sample, boxes: Boxes, folder: Path, name: str) -> None:
    """A line 'class x_center y_center width height' in fractions of the image for each box."""
    write_png(folder / 'images' / f'{name}.png', sample.rgb)
    shares = boxes.xyxy / np.array([*sample.size] * 2)
    centers, sides = (shares[:, :2] + shares[:, 2:]) / 2, shares[:, 2:] - shares[:, :2]
    lines = [
        f'{class_id} {x:.6f} {y:.6f} {width:.6f} {height:.6f}\n'
        for class_id, (x, y), (width, height), is_crowd in zip(
            boxes.class_ids, centers, sides, boxes.is_crowd, strict=True
        )
        if not is_crowd
    ]
    (folder / 'boxes').mkdir(exist_ok=True)
    (folder / 'boxes' / f'{name}.txt').write_text(''.join(lines))


def _write_class_names(labels: Sequence[str], folder: Path) -> None:
    if (folder / 'boxes').is_dir():
        names = yaml.safe_dump({'names': dict(enumerate(labels))}, sort_keys=False)
        (folder / 'classes.yaml').write_text(names)
    elif labels:
        (folder / 'labels.txt').write_text('\n'.join(labels) + '\n')
