"""The folder of a run: its options, its environment, its history and its TensorBoard events."""

from __future__ import annotations

import csv
import dataclasses
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from rs_ml_training.errors import CheckpointError
from rs_ml_training.tasks.options import TrainOptions
from rs_ml_training.trained import SPEC_NAME, ModelSpec, read_spec, write_spec
from rs_ml_training.training.checkpoint import disk_errors

_PACKAGES = ('keras', 'tensorflow-cpu', 'tensorflow', 'jax', 'torch', 'numpy', 'opencv-python')
_IDENTITY = ('task', 'network', 'input_size', 'options', 'labels', 'depth_range_m')


class RunFolder:
    """`runs/<name>`: config.yaml, environment.yaml, model.yaml, history.csv, checkpoint/, weights.

    Args:
        path: of the folder, created if missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with disk_errors(path):
            path.mkdir(parents=True, exist_ok=True)

    @property
    def checkpoints(self) -> Path:
        return self.path / 'checkpoint'

    @property
    def history(self) -> Path:
        return self.path / 'history.csv'

    @property
    def has_started(self) -> bool:
        return (self.path / SPEC_NAME).is_file()

    def check(self, options: TrainOptions, spec: ModelSpec) -> None:
        """Raise CheckpointError if the folder holds a run that this one cannot continue."""
        if self.has_started:
            self._require_same(spec, options.resume)

    def describe(self, options: TrainOptions, spec: ModelSpec, command: Sequence[str]) -> None:
        """Write the options, the network and the environment."""
        with disk_errors(self.path):
            write_spec(spec, self.path)
            self._dump('config.yaml', _readable(dataclasses.asdict(options)))
            self._dump('environment.yaml', environment(command))

    def record(self, row: Mapping[str, float]) -> None:
        """Append a line to history.csv; new columns are added, with empty cells above.

        A line of the same or a later epoch, left by a run that was cut off, is replaced.
        """
        rows = [r for r in read_history(self.history) if float(r['epoch']) < row['epoch']]
        rows.append({name: f'{value:.6g}' for name, value in row.items()})
        columns = list(dict.fromkeys(name for r in rows for name in r))
        part = self.history.with_suffix('.part')
        with disk_errors(self.path), part.open('w', newline='') as file:
            writer = csv.DictWriter(file, columns, restval='')
            writer.writeheader()
            writer.writerows(rows)
        part.replace(self.history)

    def _require_same(self, spec: ModelSpec, may_resume: bool) -> None:
        if not may_resume:
            raise CheckpointError(
                f'{self.path} holds a run already: give another --name, or leave --no-resume out'
            )
        before = read_spec(self.path)
        for name in _IDENTITY:
            old, new = getattr(before, name), getattr(spec, name)
            if _readable(old) != _readable(new):
                raise CheckpointError(
                    f'{self.path} holds a run with {name} {old}, not {new}: give another --name'
                )

    def _dump(self, name: str, values: Mapping[str, Any]) -> None:
        (self.path / name).write_text(yaml.safe_dump(dict(values), sort_keys=False))


def read_history(path: Path) -> list[dict[str, str]]:
    """Lines of history.csv by column; none where there is no file."""
    if not path.is_file():
        return []
    with path.open(newline='') as file:
        return list(csv.DictReader(file))


def environment(command: Sequence[str]) -> dict[str, Any]:
    """The environment of a run: versions, revision, machine."""
    import keras

    return {
        'started': datetime.now(timezone.utc).isoformat(timespec='seconds'),
        'command': list(command),
        'python': platform.python_version(),
        'backend': keras.backend.backend(),
        'packages': {name: v for name in _PACKAGES if (v := _version(name))},
        'revision': revision(),
        'machine': f'{platform.machine()}, {os.cpu_count()} cores, {platform.system()}',
        'executable': Path(sys.executable).name,
    }


def revision() -> str:
    """Commit of this source, '+' where files differ from it; 'unknown' outside git."""
    here = Path(__file__).resolve().parent

    def git(*arguments: str) -> str:
        done = subprocess.run(['git', *arguments], cwd=here, capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ''

    try:
        commit = git('rev-parse', '--short=12', 'HEAD')
        dirty = '+' if commit and git('status', '--porcelain', '--untracked-files=no') else ''
    except OSError:
        return 'unknown'
    return f'{commit}{dirty}' or 'unknown'


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _readable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _readable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_readable(item) for item in value]
    return str(value) if isinstance(value, Path) else value


class EventWriter:
    """Writes scalars and images of a run as TensorBoard events.

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
        """Add an image, uint8 (h, w, 3) RGB."""
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
        """Flush and close the file."""
        self._writer.close()

    def _add(self, values: list, step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        event = Event(wall_time=time.time(), step=step, summary=Summary(value=values))
        self._writer.add_event(event)
        self._writer.flush()
