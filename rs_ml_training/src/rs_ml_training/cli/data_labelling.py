"""The command `rs-ml-data label`: pictures to masks and class ids, by hand with OpenCV windows."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.output_folder import png_of, write_file
from rs_ml_training.data.pairing import files_by_stem
from rs_ml_training.data.pictures import read_labels, read_rgb, require_size
from rs_ml_training.labelling import dialogs
from rs_ml_training.labelling.screen import Screen, Window

KINDS = ('binary', 'semantic', 'brush', 'empty')
CHECK_STEP = 127


def add_commands(commands: Any) -> None:
    """Add `label`."""
    sub = commands.add_parser('label', help='make masks and class ids by hand')
    sub.add_argument(
        'kind',
        choices=KINDS,
        help='binary: an object by its edges; semantic: its holes; brush: any classes by colour; '
        'empty: black masks for pictures without an object',
    )
    sub.add_argument('pictures', type=Path, help='folder of pictures')
    sub.add_argument('--masks', type=Path, help='semantic: folder of masks; brush: labels so far')
    sub.add_argument('--circles', action='store_true', help='semantic: holes are circles')
    sub.add_argument('--out', type=Path, required=True, help='folder; what is there is kept')
    sub.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.kind == 'semantic' and arguments.masks is None:
        raise ConfigError('semantic needs --masks, the folder of the binary masks')
    screen = None if arguments.kind == 'empty' else Window()
    count = label(arguments, screen)
    print(f'{arguments.out}: {count} pictures; --data folder:{arguments.out}')
    return 0


def label(arguments: argparse.Namespace, screen: Screen | None) -> int:
    """Label the pictures that have no label yet.

    Returns:
        How many got one.
    """
    out, count = arguments.out, 0
    masks = files_by_stem(arguments.masks) if _reads_masks(arguments) else {}
    # Pictures without an object join whatever is being labelled there.
    has_ids = arguments.kind in ('semantic', 'brush') or (out / 'gt').is_dir()
    for stem, path in files_by_stem(arguments.pictures).items():
        if (out / 'rgb' / f'{stem}.png').exists():
            continue
        rgb = read_rgb(path)
        known = _mask(arguments, masks, stem, rgb)
        labels = _LABELLERS[arguments.kind](rgb, known, arguments, screen)
        if labels is not None:
            _save(out, stem, rgb, labels, is_mask=not has_ids or arguments.kind == 'binary')
            count += 1
    return count


def _binary(rgb: np.ndarray, _: Any, __: Any, screen: Screen) -> np.ndarray | None:
    mask = dialogs.mask_of_object(rgb, screen)
    return None if mask is None else mask.astype(np.uint8) * np.uint8(255)


def _semantic(
    rgb: np.ndarray, mask: np.ndarray, arguments: argparse.Namespace, screen: Screen
) -> np.ndarray | None:
    return dialogs.labels_of_holes(rgb, mask > 0, screen, by_circles=arguments.circles)


def _brush(rgb: np.ndarray, labels: np.ndarray, _: Any, screen: Screen) -> np.ndarray | None:
    return dialogs.labels_by_brush(rgb, labels, screen)


def _empty(_: Any, labels: np.ndarray, __: Any, ___: Any) -> np.ndarray:
    return labels


_LABELLERS: dict[str, Callable[..., np.ndarray | None]] = {
    'binary': _binary,
    'semantic': _semantic,
    'brush': _brush,
    'empty': _empty,
}


def _reads_masks(arguments: argparse.Namespace) -> bool:
    return arguments.masks is not None and arguments.kind not in ('binary', 'empty')


def _mask(
    arguments: argparse.Namespace, found: Mapping[str, Path], stem: str, rgb: np.ndarray
) -> np.ndarray:
    """What is known of the picture, uint8 (H, W); zeros if there is no folder of masks."""
    if not _reads_masks(arguments):
        return np.zeros(rgb.shape[:2], np.uint8)
    path = found.get(stem) or found.get(f'{stem}_mask')
    if path is None:
        raise InputError(f'{arguments.masks} has no {stem}.png or {stem}_mask.png: make it first')
    return require_size(path, read_labels(path), (rgb.shape[1], rgb.shape[0]))


def _save(out: Path, stem: str, rgb: np.ndarray, labels: np.ndarray, *, is_mask: bool) -> None:
    """The labels first: a picture counts as done when it is in rgb/."""
    files: Sequence[tuple[str, np.ndarray]] = [
        (f'gt/{stem}.png', labels),
        (f'check_gt/{stem}.png', (np.minimum(labels, 2) * CHECK_STEP).astype(np.uint8)),
        (f'rgb/{stem}.png', rgb),
    ]
    if is_mask:
        files = [(f'mask/{stem}_mask.png', labels), (f'rgb/{stem}.png', rgb)]
    for name, array in files:
        try:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f'{out / name} cannot be written: {error.strerror}') from error
        write_file(out / name, png_of(array), replace=True)
