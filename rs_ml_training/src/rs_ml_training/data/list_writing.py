"""Lists of training pictures made from folders: NYU Depth v2 and KITTI as BTS lists them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.pairing import natural_key

NYU_FOCAL_PX = 518.8579
KITTI_FOCAL_PX = {
    '2011_09_26': 721.5377,
    '2011_09_28': 707.0493,
    '2011_09_29': 718.3351,
    '2011_09_30': 707.0912,
    '2011_10_03': 718.856,
}
"""Rectified focal length of camera 2 by recording day."""


def nyu_lines(root: Path) -> list[str]:
    """'/<scene>/rgb_N.jpg /<scene>/sync_depth_N.png focal' of all pairs below a folder.

    Raises:
        InputError: there is none, or a picture has no depth.
    """
    lines = []
    for rgb in _sorted(root.glob('**/rgb_*.jpg')):
        depth = rgb.with_name(f'sync_depth_{rgb.stem.removeprefix("rgb_")}.png')
        if not depth.is_file():
            raise InputError(f'{rgb} has no {depth.name} beside it: add it or remove the picture')
        lines.append(f'/{_below(rgb, root)} /{_below(depth, root)} {NYU_FOCAL_PX}')
    return _some(lines, root, '<scene>/rgb_*.jpg')


def kitti_lines(root: Path, gt_root: Path) -> list[str]:
    """'<day>/<drive>/image_02/data/N.png <drive>/.../N.png focal'; 'None' without truth.

    Args:
        root: folder of the days.
        gt_root: folder of the drives with annotated depth, maybe within train/ or val/.

    Raises:
        InputError: there is no picture, or one of a day whose camera is not known.
    """
    lines = []
    for rgb in _sorted(root.glob('*/*_sync/image_02/data/*.png')):
        day, drive = rgb.parts[-5:-3]
        if day not in KITTI_FOCAL_PX:
            raise InputError(f'{rgb} is of {day}, not of {", ".join(KITTI_FOCAL_PX)}')
        truth = f'{drive}/proj_depth/groundtruth/image_02/{rgb.name}'
        places = (p + truth for p in ('', 'train/', 'val/'))
        depth = next((p for p in places if (gt_root / p).is_file()), None)
        lines.append(f'{_below(rgb, root)} {depth} {KITTI_FOCAL_PX[day]}')
    return _some(lines, root, '<day>/<drive>_sync/image_02/data/*.png')


def _sorted(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: natural_key(path.as_posix()))


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _some(lines: list[str], root: Path, pattern: str) -> list[str]:
    if not lines:
        raise InputError(f'{root} holds no {pattern}')
    return lines
