"""The camera's SDK, which only some commands need."""

from __future__ import annotations

from typing import Any

from rs_ml_perception.core.errors import BackendError
from rs_ml_perception.recordings.realsense_camera import import_pyrealsense2

from rs_ml_training.errors import ConfigError


def librealsense() -> Any:
    """The module pyrealsense2.

    Raises:
        ConfigError: it cannot be imported; the message says what to install.
    """
    try:
        return import_pyrealsense2()
    except BackendError as error:
        raise ConfigError(str(error)) from error
