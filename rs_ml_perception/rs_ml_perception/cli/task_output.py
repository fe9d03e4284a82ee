"""Files of the results of a task command: images, and a video of the annotated ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rs_ml_perception.cli.task_options import RunOptions
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.recordings.pictures import write_picture
from rs_ml_perception.recordings.sources import InputImage
from rs_ml_perception.recordings.video_writer import VideoWriter
from rs_ml_perception.tasks.blur import BlurOptions, Blurrer

ANNOTATED = '_annotated.png'
Draw = Callable[[Any], 'np.ndarray | bytes']
"""Draws on the image to show, uint8 (H, W, 3), or None if the frame has no colour."""


@dataclass(frozen=True)
class TaskResult:
    """Result of a task for one frame.

    Attributes:
        fields: for JSON, in addition to "image".
        count: for the summary.
        files: end of the file name -> pixels; omitted with --video.
        pictures: the same for annotated images, omitted with --no-pictures. Functions, since
            drawing costs time, and since people may have to be blurred in the image they get.
        wanted: the same for files that a flag asked for; always written.
    """

    fields: Mapping[str, Any]
    count: int
    files: Mapping[str, np.ndarray] = field(default_factory=dict)
    pictures: Mapping[str, Draw] = field(default_factory=dict)
    wanted: Mapping[str, Draw] = field(default_factory=dict)


class TaskOutput:
    """Writes results; a context manager that completes the video.

    Args:
        options: of the run.
        inputs: files that are read; they are never replaced.
    """

    def __init__(self, options: RunOptions, inputs: frozenset[Path]) -> None:
        self._options, self._inputs = options, inputs
        blur = options if isinstance(options, BlurOptions) else BlurOptions()
        self._blur = Blurrer.load(blur)
        self._stack = ExitStack()
        self._video: VideoWriter | None = None

    def __enter__(self) -> TaskOutput:
        if self._options.video is not None:
            self._check(self._options.video)
            writer = VideoWriter(self._options.video, self._options.fps or None)
            self._video = self._stack.enter_context(writer)
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)
        if self._blur is not None:
            self._blur.close()

    def shown(self, image: InputImage) -> np.ndarray | None:
        """The colours to draw on, with people blurred if that is asked for.

        Raises:
            InputError: people could not be detected.
        """
        rgb = image.frame.rgb
        return rgb if self._blur is None or rgb is None else self._blur(rgb)

    def write(self, image: InputImage, result: TaskResult, rgb: np.ndarray | None) -> None:
        """Write the files of one result.

        Args:
            image: that the result is of.
            result: of the task.
            rgb: from `shown`.

        Raises:
            ConfigError: a file cannot be written, or would replace an input.
        """
        options = self._options
        if self._video is None or options.frames:
            for ending, pixels in result.files.items():
                self._write(f'{image.stem}{ending}', pixels)
            if not options.no_pictures:
                for ending, draw in result.pictures.items():
                    self._write(f'{image.stem}{ending}', draw(rgb))
        for ending, draw in result.wanted.items():
            self._write(f'{image.stem}{ending}', draw(rgb))
        if self._video is not None:
            picture = result.pictures[ANNOTATED](rgb)
            assert isinstance(picture, np.ndarray)
            self._video.write(picture, image.frame.stamp_ns)

    def _write(self, name: str, content: np.ndarray | bytes) -> None:
        path = self._options.out / name
        self._check(path)
        if isinstance(content, np.ndarray):
            write_picture(path, content)
            return
        try:
            path.write_bytes(content)
        except OSError as error:
            raise ConfigError(f'{path} cannot be written: {error}') from error

    def _check(self, path: Path) -> None:
        if path.resolve() in self._inputs:
            raise ConfigError(f'the result {path} would replace an input: pass another name')
