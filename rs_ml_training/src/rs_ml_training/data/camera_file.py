"""`intrinsics.yaml`: the camera of a folder of pictures."""

from __future__ import annotations

from pathlib import Path

import yaml
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel

from rs_ml_training.data.text_files import read_yaml

NAME = 'intrinsics.yaml'
_PINHOLE = ('width', 'height', 'fx', 'fy', 'cx', 'cy')


def pinhole_values(camera: CameraModel) -> dict[str, float]:
    """The numbers of a camera in files; data sets and networks know no distortion."""
    return {name: getattr(camera, name) for name in _PINHOLE}


def read_camera(folder: Path) -> CameraModel | None:
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
        return CameraModel(*size, *(float(values[key]) for key in ('fx', 'fy', 'cx', 'cy')))
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise InputError(f'{path} does not give {", ".join(_PINHOLE)}: {error!r}') from error


def write_camera(camera: CameraModel, folder: Path) -> None:
    """Write `intrinsics.yaml`."""
    text = yaml.safe_dump(pinhole_values(camera), sort_keys=False)
    (folder / NAME).write_text(text)
