"""A data set of simulated stereo frames in the layout of Intel's denoising set."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from rs_ml_training.data.camera_file import write_camera
from rs_ml_training.data.encodings import encode
from rs_ml_training.data.output_folder import new_folder, write_png
from rs_ml_training.errors import ConfigError
from rs_ml_training.synth.camera import D435_DEPTH_640, D435_DEPTH_848
from rs_ml_training.synth.stereo import StereoCamera, stereo_sample

_CAMERAS = {(c.width, c.height): c for c in (D435_DEPTH_848, D435_DEPTH_640)}


def write_stereo_set(
    out: Path,
    count: int,
    *,
    size: tuple[int, int] = (848, 480),
    seed: int = 0,
    workers: int = 1,
) -> None:
    """Write `res-N`, `gt-N`, `left-N` and `right-N` PNG files and `intrinsics.yaml`.

    Args:
        out: a new folder.
        count: of frames; N runs from 1.
        size: (width, height) of the pictures [px]; 848x480 and 640x480 are those of a D435,
            others are 848x480 stretched.
        seed: frame N is drawn from seed + N, whatever the count and workers are.
        workers: processes.

    Raises:
        ConfigError: a number that makes no sense, or `out` holds files.
        DataError: the disk is full; nothing is left behind.
    """
    if count < 1 or workers < 1 or seed < 0 or min(size) < 16:
        raise ConfigError(f'{count} frames of {size[0]}x{size[1]}, seed {seed}: not possible')
    camera = StereoCamera(_CAMERAS.get(size) or D435_DEPTH_848.resized(*size))
    with new_folder(out) as folder:
        write_camera(camera.intrinsics, folder)
        write = partial(_write_frame, folder, camera, seed)
        if workers == 1:
            list(map(write, range(1, count + 1)))
            return
        # A fork would copy locks that threads of this process hold.
        context = multiprocessing.get_context('spawn')
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            list(pool.map(write, range(1, count + 1)))


def _write_frame(folder: Path, camera: StereoCamera, seed: int, number: int) -> None:
    sample = stereo_sample(seed + number, camera)
    maps: dict[str, np.ndarray] = {
        'res': encode(sample.raw_depth_m, 'mm'),
        'gt': encode(sample.depth_m, 'mm'),
        'left': sample.infrared,
        'right': sample.extra['right'],
    }
    for kind, array in maps.items():
        write_png(folder / f'{kind}-{number}.png', array)
