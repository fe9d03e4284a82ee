"""TensorBoard event files, written without TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np


class Board:
    """Scalars and pictures of a run.

    Args:
        folder: where `tensorboard --logdir` looks.
    """

    def __init__(self, folder: Path) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = EventFileWriter(str(folder))

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add numbers by tag."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._add([Summary.Value(tag=t, simple_value=float(v)) for t, v in values.items()], step)

    def picture(self, tag: str, rgb: np.ndarray, step: int) -> None:
        """Add a picture, uint8 (h, w, 3)."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        _, png = cv2.imencode('.png', rgb[..., ::-1])
        image = Summary.Image(
            height=rgb.shape[0],
            width=rgb.shape[1],
            colorspace=3,
            encoded_image_string=png.tobytes(),
        )
        self._add([Summary.Value(tag=tag, image=image)], step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()

    def _add(self, values: list, step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        event = Event(wall_time=time.time(), step=step, summary=Summary(value=values))
        self._writer.add_event(event)
        self._writer.flush()
