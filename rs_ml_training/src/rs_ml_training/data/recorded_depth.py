"""Depth in the recordings of a camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.pictures import decoded

if TYPE_CHECKING:
    from rosbags.interfaces import Connection

# Best first: as measured before as registered to colour.
_TOPICS = ('depth/image_rect_raw', 'Depth_0/image/data', 'aligned_depth_to_color/image_raw')
_COMPRESSED = '/compressedDepth'
_HEADER_BYTES = 12
_METRES = np.float32(0.001)


def recorded_depth(path: Path) -> Iterator[np.ndarray]:
    """The depth maps of a rosbag2 folder or a librealsense .bag, float32 (H, W) [m], 0: none.

    Raises:
        InputError: it cannot be read, or holds no 16-bit depth.
    """
    from rosbags.highlevel import AnyReader

    from rs_ml_training.data.bag_messages import message_types

    try:
        with AnyReader([path], default_typestore=message_types()) as reader:
            topic = _depth_topic(path, reader.connections)
            for connection, _, data in reader.messages([topic]):
                message = reader.deserialize(data, connection.msgtype)
                yield _values(path, message) * _METRES
    except InputError:
        raise
    except Exception as error:  # rosbags raises whatever the damage leads to
        raise InputError(f'{path} cannot be read as a recording: {error!r}') from error


def _depth_topic(path: Path, connections: list[Connection]) -> Connection:
    for ending in (e + suffix for e in _TOPICS for suffix in ('', _COMPRESSED)):
        for connection in connections:
            if connection.topic.endswith(f'/{ending}') and connection.msgcount:
                return connection
    raise InputError(f'{path} has none of the topics {", ".join(_TOPICS)}')


def _values(path: Path, message: Any) -> np.ndarray:
    """uint16 (H, W) [mm]."""
    if hasattr(message, 'format'):
        picture = bytes(message.data[_HEADER_BYTES:])
        values = decoded(picture, cv2.IMREAD_UNCHANGED, what=f'depth in {path}')
        if values.dtype != np.uint16 or values.ndim != 2:
            raise InputError(f'{path} holds {message.format!r}: only png of 16 bits is read')
        return values
    if message.encoding not in ('16UC1', 'mono16'):
        raise InputError(f'{path} holds {message.encoding} depth: only 16UC1 is read')
    rows = np.frombuffer(message.data, '<u2').reshape(message.height, message.step // 2)
    return rows[:, : message.width]
