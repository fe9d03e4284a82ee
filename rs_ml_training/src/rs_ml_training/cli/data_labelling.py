"""Interactive commands of `rs-ml-data`: `label` in OpenCV windows, and `capture`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError, counted
from rs_ml_perception.core.options import REQUIRED, Options, option
from rs_ml_perception.core.progress import progress

from rs_ml_training.cli.data_command import Commands, add_command
from rs_ml_training.data.capture import at_rate, frames, write_captured
from rs_ml_training.data.image_files import read_labels, read_rgb, require_size
from rs_ml_training.data.output_folder import png_of, write_file
from rs_ml_training.data.pairing import files_by_stem
from rs_ml_training.data.sample import Sample
from rs_ml_training.labelling import dialogs
from rs_ml_training.labelling.screen import Screen, Window

KINDS = ('binary', 'semantic', 'brush', 'empty')
CHECK_STEP = 127


def roi(text: str) -> tuple[int, ...]:
    """(x, y, width, height) [px] of 'X,Y,WIDTH,HEIGHT'.

    Raises:
        ArgumentTypeError: these are not four whole numbers with a positive size.
    """
    numbers = tuple(int(part) for part in text.split(',') if part.strip('-').isdigit())
    if len(numbers) != 4 or text.count(',') != 3 or min(numbers[2:]) < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is not X,Y,WIDTH,HEIGHT, as 411,201,1024,1024')
    return numbers


@dataclass(frozen=True, kw_only=True)
class LabelOptions(Options):
    """Labels by hand."""

    masks: Path | None = option(
        None, 'semantic: folder of masks; brush: labels so far', group='input'
    )
    circles: bool = option(False, 'semantic: holes are circles', is_switch=True)
    out: Path = option(REQUIRED, 'folder; its files are kept', group='output')


@dataclass(frozen=True, kw_only=True)
class CaptureOptions(Options):
    """Frames of a video or a camera."""

    out: Path = option(REQUIRED, 'folder; its files are kept', group='output')
    rate: float = option(3.0, 'frames a second, 0: all', low=0)
    count: int | None = option(None, 'stop after so many', low=1)
    roi: tuple[int, int, int, int] | None = option(
        None, 'part to keep', metavar='X,Y,WIDTH,HEIGHT', parse=roi
    )
    by_key: bool = option(False, 'show frames, save on key 1, stop on q', is_switch=True)


def add_commands(commands: Commands) -> None:
    """Add `label` and `capture`."""
    sub = add_command(
        commands,
        'label',
        LabelOptions,
        _label,
        summary='make masks and class ids by hand',
        example='rs-ml-data label binary images --out labelled',
    )
    sub.add_argument(
        'kind',
        choices=KINDS,
        help='binary: an object by its edges; semantic: its holes; brush: any classes by colour; '
        'empty: black masks for images without an object',
    )
    sub.add_argument('images', type=Path, help='folder of images')
    capture = add_command(
        commands,
        'capture',
        CaptureOptions,
        _capture,
        summary='save frames of a video or a camera',
        example='rs-ml-data capture realsense --out frames --rate 2 --count 100',
    )
    capture.add_argument(
        'source', help='video file, webcam number, realsense[:SERIAL or :FILE.bag]'
    )


def _capture(options: CaptureOptions, arguments: argparse.Namespace) -> None:
    rate = 0.0 if options.by_key else options.rate
    chosen = {'chosen': _KeyChoice()} if options.by_key else {}
    captured = progress(at_rate(frames(arguments.source), rate), options.count)
    written = write_captured(captured, options.out, count=options.count, roi=options.roi, **chosen)
    print(f'{options.out}: {counted(written, "new frame")}')


class _KeyChoice:
    """Shows every frame and keeps those for which key 1 is pressed."""

    def __init__(self) -> None:
        self._window = Window('rs-ml-data capture')

    def __call__(self, sample: Sample) -> bool | None:
        if sample.image is None:
            return False
        self._window.show(sample.image, '1: save, q: stop')
        key = self._window.key()
        return None if key == 'q' else key == '1'


def _label(options: LabelOptions, arguments: argparse.Namespace) -> None:
    if arguments.kind == 'semantic' and options.masks is None:
        raise ConfigError('semantic needs --masks, the folder of the binary masks')
    screen = None if arguments.kind == 'empty' else Window()
    count = label(arguments.kind, arguments.images, options, screen)
    print(f'{options.out}: {counted(count, "image")}; --data folder:{options.out}')


def label(kind: str, images: Path, options: LabelOptions, screen: Screen | None) -> int:
    """Label the images that have no label yet.

    Args:
        kind: one of KINDS.
        images: folder of them.
        options: masks so far, and the output folder.
        screen: shows them; not needed for 'empty'.

    Returns:
        Number of labelled images.
    """
    out, count = options.out, 0
    folder = options.masks if kind in ('semantic', 'brush') else None
    masks = files_by_stem(folder) if folder else None
    # Images without an object join the existing labels, of either kind.
    has_ids = kind in ('semantic', 'brush') or (out / 'gt').is_dir()
    for stem, path in files_by_stem(images).items():
        if (out / 'rgb' / f'{stem}.png').exists():
            continue
        rgb = read_rgb(path)
        known = np.zeros(rgb.shape[:2], np.uint8) if masks is None else _mask(masks, stem, rgb)
        labels = _LABELLERS[kind](rgb, known, options, screen)
        if labels is not None:
            _save(out, stem, rgb, labels, is_mask=not has_ids or kind == 'binary')
            count += 1
    return count


def _binary(rgb: np.ndarray, _: Any, __: Any, screen: Screen) -> np.ndarray | None:
    mask = dialogs.mask_of_object(rgb, screen)
    return None if mask is None else mask.astype(np.uint8) * np.uint8(255)


def _semantic(
    rgb: np.ndarray, mask: np.ndarray, options: LabelOptions, screen: Screen
) -> np.ndarray | None:
    return dialogs.labels_of_holes(rgb, mask > 0, screen, by_circles=options.circles)


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


def _mask(found: Mapping[str, Path], stem: str, rgb: np.ndarray) -> np.ndarray:
    """The labels of an image so far, uint8 (H, W)."""
    path = found.get(stem) or found.get(f'{stem}_mask')
    if path is None:
        raise InputError(f'--masks has no {stem}.png or {stem}_mask.png: make it first')
    return require_size(path, read_labels(path), (rgb.shape[1], rgb.shape[0]))


def _save(out: Path, stem: str, rgb: np.ndarray, labels: np.ndarray, *, is_mask: bool) -> None:
    """The labels first: an image counts as done once it is in rgb/."""
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
