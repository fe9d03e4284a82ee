"""Recordings that come with the package."""

from __future__ import annotations

from pathlib import Path

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.files import shared_folders

FOLDER = 'recordings'
DEFAULT_RECORDING = 'synthetic_room'
"""The recording that the demo and the benchmark play by default."""


def shipped_recording(name: str = DEFAULT_RECORDING) -> Path:
    """A recording that came with the package, by name.

    Raises:
        InputError: it did not come along; the message says where it was looked for.
    """
    folders = shared_folders(FOLDER)
    for folder in folders:
        if (folder / name / 'metadata.yaml').is_file():
            return folder / name
    looked = ', '.join(str(folder) for folder in folders) or 'no folder of that name'
    raise InputError(
        f'the recording {name} was not installed with the package (looked in {looked}): install '
        'from a full checkout, or pass a recording of your own'
    )
