"""Samples as folders of files that the formats 'folder' and 'intel-denoise' read."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from rs_ml_training.data.augment.chain import Augment
from rs_ml_training.data.encodings import encode
from rs_ml_training.data.output_folder import new_folder, write_png
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

_UNSAFE = re.compile(r'[^\w.-]+')


def write_augmented(
    reader: Reader, augment: Augment, out: Path, *, copies: int = 1, seed: int = 0
) -> int:
    """Write augmented copies of every sample, each under a name of its own.

    Samples with a colour picture go to `rgb/` and, what belongs to it, `gt/` (class ids) or
    `depth/` (16-bit millimetres); others to `res-`, `gt-` and `left-` files. `labels.txt` names
    the classes.

    Args:
        reader: what to augment.
        augment: how.
        out: a new folder.
        copies: of each sample.
        seed: of the augmentation; each copy has its own numbers, whatever the others are.

    Returns:
        How many copies were written.
    """
    with new_folder(out) as folder:
        if reader.labels:
            (folder / 'labels.txt').write_text('\n'.join(reader.labels) + '\n')
        for index in range(len(reader)):
            sample = reader.read(index)
            for copy in range(copies):
                rng = np.random.default_rng((seed, index, copy))
                name = f'{index:06}_{_UNSAFE.sub("_", sample.name)}_{copy}'
                write_sample(augment(sample, rng), folder, name)
    return len(reader) * copies


def write_sample(sample: Sample, folder: Path, name: str) -> None:
    """Write one sample, see `write_augmented`."""
    if sample.image is None:
        maps = {'res': sample.raw_depth_m, 'gt': sample.depth_m, 'left': sample.infrared}
        files = {f'{prefix}-{name}': array for prefix, array in maps.items()}
    else:
        files = {f'rgb/{name}': sample.image, f'gt/{name}': sample.labels}
        if sample.labels is None:
            files = {f'rgb/{name}': sample.image, f'depth/{name}': sample.depth_m}
    for file, array in files.items():
        if array is not None:
            stored = encode(array, 'mm') if array.dtype == np.float32 else array
            write_png(folder / f'{file}.png', stored)
