"""Accelerometer readings of pictures, from a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.geometry.gravity import Up, up_from_accelerometer


class GravityFile:
    """Readings of a camera at rest by the stem of the picture.

    Args:
        path: JSON, {stem: [[x, y, z], ...]}, m/s2 in the axes of the colour optical frame.

    Raises:
        ConfigError: it cannot be read, or holds something else.
    """

    def __init__(self, path: Path) -> None:
        try:
            entries = json.loads(path.read_text(encoding='utf-8'))
            self._samples = {stem: _samples(rows) for stem, rows in entries.items()}
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ConfigError(
                f'{path} holds no accelerometer readings ({error}): '
                'write {"picture": [[x, y, z], ...]}'
            ) from error

    def up(self, stem: str) -> Up | None:
        """Up in the optical frame; None where the readings are missing or not gravity alone."""
        samples = self._samples.get(stem)
        return None if samples is None else up_from_accelerometer(samples)


def _samples(rows: list[list[float]]) -> np.ndarray:
    return np.array(rows, np.float64).reshape(-1, 3)
