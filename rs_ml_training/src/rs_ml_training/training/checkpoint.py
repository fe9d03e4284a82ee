"""The state of a training after an epoch; an interrupted write leaves the previous one."""

from __future__ import annotations

import errno
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np
from rs_ml_perception.core.errors import RsMlError

from rs_ml_training.errors import CheckpointError

_NAME = re.compile(r'epoch-(\d+)$')
_WEIGHTS, _OPTIMIZER, _PROGRESS = 'weights.weights.h5', 'optimizer.npz', 'progress.json'


@dataclass
class Progress:
    """How far a training has come.

    Attributes:
        epoch: epochs done.
        best: value of the monitored metric at the best weights, or None.
        best_epoch: its epoch.
        waited: validations since the best one.
        bests: best values of the other metrics whose best weights are kept.
    """

    epoch: int = 0
    best: float | None = None
    best_epoch: int = 0
    waited: int = 0
    bests: dict[str, float] = field(default_factory=dict)


def save(
    folder: Path, network: keras.Model, optimizer: keras.optimizers.Optimizer, progress: Progress
) -> None:
    """Write `folder/epoch-N`, then delete older ones.

    Raises:
        RsMlError: the disk is full; the previous one is untouched.
    """
    part = folder / 'epoch.part'
    shutil.rmtree(part, ignore_errors=True)
    with disk_errors(folder, cleanup=part):
        part.mkdir(parents=True)
        network.save_weights(part / _WEIGHTS)
        values = {f'{i:04d}': np.asarray(v) for i, v in enumerate(_values(optimizer))}
        # numpy's types take every keyword for allow_pickle.
        np.savez(part / _OPTIMIZER, **values)  # type: ignore[arg-type]
        (part / _PROGRESS).write_text(json.dumps(asdict(progress)))
    older = _all(folder)
    target = folder / f'epoch-{progress.epoch:04d}'
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
    for path in older:
        if path != target:
            shutil.rmtree(path)


def restore(
    folder: Path, network: keras.Model, optimizer: keras.optimizers.Optimizer
) -> Progress | None:
    """Load the newest checkpoint into network and optimizer, or return None if there is none.

    Raises:
        CheckpointError: it is damaged or belongs to another network or optimizer.
    """
    found = _all(folder)
    if not found:
        return None
    newest = found[-1]
    try:
        progress = Progress(**json.loads((newest / _PROGRESS).read_text()))
        network.load_weights(newest / _WEIGHTS)
        optimizer.build(network.trainable_variables)
        with np.load(newest / _OPTIMIZER) as archive:
            values = [archive[name] for name in sorted(archive.files)]
        for variable, value in zip(optimizer.variables, values, strict=True):
            variable.assign(value)
    except (ValueError, TypeError, KeyError, OSError, EOFError, BadZipFile) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise CheckpointError(
            f'{newest} does not fit this network and optimizer ({reason}): '
            'give another --name, or --no-resume to start over'
        ) from error
    return progress


@contextmanager
def disk_errors(folder: Path, *, cleanup: Path | None = None) -> Iterator[None]:
    """Turn a failed write into one sentence; `cleanup` is removed."""
    try:
        yield
    except OSError as error:
        if cleanup is not None:
            shutil.rmtree(cleanup, ignore_errors=True)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = 'the disk is full' if full else (error.strerror or str(error))
        raise RsMlError(
            f'cannot write to {folder}: {reason}; what was there before is untouched'
        ) from error


def _values(optimizer: keras.optimizers.Optimizer) -> Iterator[np.ndarray]:
    return (keras.ops.convert_to_numpy(variable) for variable in optimizer.variables)


def _all(folder: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    if not folder.is_dir():
        return []
    found = {path: match for path in folder.iterdir() if (match := _NAME.match(path.name))}
    return sorted(found, key=lambda path: int(found[path][1]))
