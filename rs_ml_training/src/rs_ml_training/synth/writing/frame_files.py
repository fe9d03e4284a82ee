"""One synthetic frame as the files of each layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from rs_ml_training.data.encodings import encode
from rs_ml_training.data.output_folder import Png, write_png
from rs_ml_training.synth.frame import SynthFrame
from rs_ml_training.synth.writing.set_options import INTEL, NYU, YOLO

FEWEST_PIXELS = 100
"""Things of which less is to be seen carry no box."""

_JPEG_QUALITY = 95
_EFFORT = {
    (INTEL, 'left'): Png.NOISY,
    (INTEL, 'right'): Png.NOISY,
    (INTEL, 'res'): Png.NOISY,
    (INTEL, 'gt'): Png.SMOOTH,
    (NYU, 'rgb'): Png.NOISY,
    (NYU, 'raw'): Png.NOISY,
    (NYU, 'depth'): Png.SMOOTH,
    (NYU, 'gt'): Png.SMOOTH,
}


def write_frame(frame: SynthFrame, folder: Path, name: str, layouts: tuple[str, ...]) -> None:
    """Write a frame into the folders of its layouts.

    Raises:
        OSError: a file cannot be written.
    """
    for layout in layouts:
        _WRITERS[layout](frame, folder / layout, name)


def _write_intel(frame: SynthFrame, folder: Path, name: str) -> None:
    maps = {
        'res': encode(frame.raw_depth_m, 'mm'),
        'gt': encode(frame.depth_m, 'mm'),
        'left': frame.left,
        'right': frame.right,
    }
    for kind, array in maps.items():
        write_png(folder / f'{kind}-{name}.png', array, _EFFORT[INTEL, kind])


def _write_nyu(frame: SynthFrame, folder: Path, name: str) -> None:
    maps = {
        'rgb': frame.color,
        'depth': encode(frame.color_depth_m, 'mm'),
        'raw': encode(frame.aligned_depth_m, 'mm'),
        'gt': frame.labels,
    }
    for kind, array in maps.items():
        write_png(folder / kind / f'{name}.png', array, _EFFORT[NYU, kind])


def _write_yolo(frame: SynthFrame, folder: Path, name: str) -> None:
    """A line 'class x_center y_center width height' in shares of the picture for each box."""
    height, width = frame.color.shape[:2]
    seen = frame.boxes.pixels >= FEWEST_PIXELS
    shares = frame.boxes.boxes_px[seen] / np.array([width, height, width, height])
    centers, sides = (shares[:, :2] + shares[:, 2:]) / 2, shares[:, 2:] - shares[:, :2]
    rows = zip(frame.boxes.class_ids[seen], centers, sides, strict=True)
    lines = [f'{c} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n' for c, (x, y), (w, h) in rows]
    _write(folder / 'labels' / f'{name}.txt', ''.join(lines).encode())
    _write(folder / 'images' / f'{name}.jpg', _jpeg(frame.color))


def _jpeg(rgb: np.ndarray) -> bytes:
    flags = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    return cv2.imencode('.jpg', cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), flags)[1].tobytes()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


_WRITERS: dict[str, Callable[[SynthFrame, Path, str], None]] = {
    INTEL: _write_intel,
    NYU: _write_nyu,
    YOLO: _write_yolo,
}
