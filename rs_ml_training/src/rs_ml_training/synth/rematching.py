"""The same rooms through other matchers: more measurements of infrared images that are there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.options import Options, option

from rs_ml_training.data.encodings import encode
from rs_ml_training.data.image_files import read_gray
from rs_ml_training.data.output_folder import new_folder, write_png
from rs_ml_training.data.stereo_frames import LEFT, RAW, RIGHT, TRUTH, IntelDenoise
from rs_ml_training.data.text_files import read_camera
from rs_ml_training.synth.camera import Rig, d435
from rs_ml_training.synth.device import draw_matcher
from rs_ml_training.synth.matcher import MatcherSettings, Prefilter, match
from rs_ml_training.synth.options import Side

_BESIDE = 'intrinsics.yaml', 'license.txt', 'scenes.csv'


@dataclass(frozen=True)
class RematchOptions(Options):
    """How frames are matched again; settings of frame N are drawn from (seed, N)."""

    seed: int = option(1, "of the matchers' settings, of the side of training", low=0)
    rank_share: float = option(
        0.0,
        'fraction of frames matched on their rank transform, which neither side uses',
        low=0,
        high=1,
    )

    def settings(self, number: int) -> MatcherSettings:
        """Those of frame `number`."""
        rng = np.random.default_rng([self.seed, number])
        drawn = draw_matcher(rng, Side.TRAIN)
        is_ranked = rng.random() < self.rank_share
        return replace(drawn, prefilter=Prefilter.RANK) if is_ranked else drawn


def rematch(source: Path, out: Path, options: RematchOptions) -> Iterator[str]:
    """Write a folder of Intel's layout with new `res-N`; the rest is copied.

    Args:
        source: folder with `left-N`, `right-N`, `gt-N` and `res-N`, N a number, and
            `intrinsics.yaml`.
        out: a new folder; it appears when the iterator is exhausted.
        options: how frames are matched.

    Yields:
        The names of the frames as they are done.

    Raises:
        ConfigError: `out` holds files.
        InputError: a file is missing or damaged, or a frame has no number.
    """
    names = _numbered(IntelDenoise(source, right=True))
    rig = _rig(source)
    with new_folder(out) as folder:
        for name, number in names.items():
            left, right = (read_gray(source / f'{kind}-{name}.png') for kind in (LEFT, RIGHT))
            depth_m = match(left, right, rig, options.settings(number))
            write_png(folder / f'{RAW}-{name}.png', encode(depth_m, 'mm'))
            _copy(source, folder, [f'{kind}-{name}.png' for kind in (LEFT, RIGHT, TRUTH)])
            yield name
        _copy(source, folder, _BESIDE)


def _numbered(reader: IntelDenoise) -> dict[str, int]:
    names = [reader.name(index) for index in range(len(reader))]
    wrong = [name for name in names if not name.isdecimal()]
    if wrong:
        raise InputError(f'frame {wrong[0]!r} has no number to draw its matcher from: rename it')
    return {name: int(name) for name in names}


def _rig(source: Path) -> Rig:
    camera = read_camera(source)
    if camera is None:
        raise InputError(f'{source} has no intrinsics.yaml: disparity needs the focal length')
    return replace(d435(), depth=camera)


def _copy(source: Path, folder: Path, names: list[str] | tuple[str, ...]) -> None:
    for name in names:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
