"""`intrinsics.yaml`: the camera of a folder of pictures."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import yaml
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.text_files import read_yaml
from rs_ml_training.intrinsics import Intrinsics

NAME = 'intrinsics.yaml'


def read_camera(folder: Path) -> Intrinsics | None:
    """The camera that `intrinsics.yaml` (width, height, fx, fy, cx, cy) describes, if it exists.

    Raises:
        InputError: it is not such a file.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        values = read_yaml(path)
        size = int(values['width']), int(values['height'])
        return Intrinsics(*size, *(float(values[key]) for key in ('fx', 'fy', 'cx', 'cy')))
    except (KeyError, TypeError, ValueError) as error:
        fields = ', '.join(field.name for field in dataclasses.fields(Intrinsics))
        raise InputError(f'{path} does not give {fields}: {error!r}') from error


def write_camera(intrinsics: Intrinsics, folder: Path) -> None:
    """Write `intrinsics.yaml`."""
    text = yaml.safe_dump(dataclasses.asdict(intrinsics), sort_keys=False)
    (folder / NAME).write_text(text)
