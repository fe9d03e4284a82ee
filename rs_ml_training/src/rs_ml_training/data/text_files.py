"""Text files of data sets: their scenes, licence and camera, and reading any other."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.inference.foreign_yaml import parse_yaml

_SCENES_NAME = 'scenes.csv'

_SCENES_HEADER = ['name', 'scene']

_LICENSE_NAME = 'license.txt'

CAMERA_FILE = 'intrinsics.yaml'

_PINHOLE = ('width', 'height', 'fx', 'fy', 'cx', 'cy')


def read_text(path: Path) -> str:
    """The text of a file in UTF-8.

    Raises:
        InputError: it is missing or not text.
    """
    try:
        return path.read_text(encoding='utf-8-sig')
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}') from error
    except UnicodeDecodeError as error:
        raise InputError(f'{path} is not text in UTF-8: {error.reason}') from error


def read_yaml(path: Path) -> Any:
    """The content of a YAML file, which a stranger may have written: see the robot side's reader.

    Raises:
        InputError: it is missing, not text, not YAML, too large, too deep, or has aliases.
    """
    return parse_yaml(read_text(path), where=str(path))


def read_lines(path: Path) -> list[str]:
    """The lines of a file that are not empty, without white space around them.

    Raises:
        InputError: it is missing or not text.
    """
    lines = (line.strip() for line in read_text(path).splitlines())
    return [line for line in lines if line]


def read_scenes(folder: Path) -> dict[str, str]:
    """Scene by sample name of a folder with `scenes.csv` (name, scene), nothing without it.

    Raises:
        InputError: it is not such a file.
    """
    path = folder / _SCENES_NAME
    if not path.is_file():
        return {}
    header, *rows = list(csv.reader(io.StringIO(read_text(path)))) or [[]]
    if header != _SCENES_HEADER or any(len(row) != len(_SCENES_HEADER) for row in rows):
        raise InputError(f'{path} is not a list of name,scene with that header: write it again')
    return {name: scene for name, scene in rows}


def write_scenes(scenes: Mapping[str, str], folder: Path) -> None:
    """Write `scenes.csv`, so that copies and parts of one image stay on one side of a split."""
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerows([_SCENES_HEADER, *scenes.items()])
    (folder / _SCENES_NAME).write_text(text.getvalue(), encoding='utf-8')


def read_license(folder: Path) -> str:
    """The text of a folder's `license.txt`, '' without it.

    Raises:
        InputError: it is not text.
    """
    path = folder / _LICENSE_NAME
    return read_text(path).strip() if path.is_file() else ''


def write_license(text: str, folder: Path) -> None:
    """Write `license.txt`, if there is a licence: it holds for copies and parts too."""
    if text:
        (folder / _LICENSE_NAME).write_text(text + '\n', encoding='utf-8')


def pinhole_values(camera: CameraModel) -> dict[str, float]:
    """The numbers of a camera in files; data sets and networks know no distortion."""
    return {name: getattr(camera, name) for name in _PINHOLE}


def read_camera(folder: Path) -> CameraModel | None:
    """The camera that `intrinsics.yaml` (width, height, fx, fy, cx, cy) describes, if it exists.

    Raises:
        InputError: it is not such a file.
    """
    path = folder / CAMERA_FILE
    if not path.is_file():
        return None
    try:
        values = read_yaml(path)
        width, height = int(values['width']), int(values['height'])
        fx, fy, cx, cy = (float(values[key]) for key in ('fx', 'fy', 'cx', 'cy'))
        return CameraModel(width, height, fx, fy, cx, cy)
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise InputError(f'{path} does not give {", ".join(_PINHOLE)}: {error!r}') from error


def write_camera(camera: CameraModel, folder: Path) -> None:
    """Write `intrinsics.yaml`."""
    text = yaml.safe_dump(pinhole_values(camera), sort_keys=False)
    (folder / CAMERA_FILE).write_text(text)
