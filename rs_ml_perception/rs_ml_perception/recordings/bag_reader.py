"""rosbags' reader of a recording, until it is closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader

from rs_ml_perception.core.errors import InputError


class BagReader:
    """Opens a recording of any format that rosbags knows."""

    def __init__(self, path: Path, remedy: str, **options: Any) -> None:
        """Open it.

        Args:
            path: of the recording.
            remedy: what may be wrong with one that cannot be read, and what to do.
            **options: of AnyReader.

        Raises:
            InputError: it cannot be read.
        """
        self._path = path
        try:
            reader = AnyReader([path], **options)
            reader.open()
        except Exception as error:  # rosbags raises whatever the damage leads to
            raise InputError(
                f'recording {path} cannot be read ({error or type(error).__name__}): {remedy}'
            ) from error
        self._reader: AnyReader | None = reader

    @property
    def opened(self) -> AnyReader:
        """The reader.

        Raises:
            InputError: it was closed.
        """
        if self._reader is None:
            raise InputError(f'recording {self._path} was closed: open it again')
        return self._reader

    def close(self) -> None:
        """Free the files; a second call does nothing."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()
