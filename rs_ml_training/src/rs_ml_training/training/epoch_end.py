"""What happens after each epoch: validate, keep the best, save the state, write it down."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import keras
import numpy as np

from rs_ml_training.data.sequence import Arrays, SampleSequence
from rs_ml_training.errors import ConfigError, DivergedError
from rs_ml_training.tasks.task import Task
from rs_ml_training.trained import BEST_WEIGHTS, LAST_WEIGHTS
from rs_ml_training.training import checkpoint
from rs_ml_training.training.average import averaged
from rs_ml_training.training.board import Board
from rs_ml_training.training.options import TrainOptions
from rs_ml_training.training.run_folder import RunFolder
from rs_ml_training.training.validation import draw, validate

PICTURE = 'validation.png'


class StopOnNan(keras.callbacks.Callback):
    """Ends a training whose loss is no number, before anything of it is written."""

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        loss = (logs or {}).get('loss')
        if loss is not None and not np.isfinite(loss):
            raise DivergedError(
                f'the loss is {float(loss)} at step {batch + 1} of the epoch: lower '
                '--learning-rate, raise --adam-epsilon or look for damaged truth; the last '
                'checkpoint and the best weights are as they were'
            )


@dataclass
class EpochReport:
    """What `--search` and tests hear of an epoch."""

    epoch: int
    metrics: dict[str, float]


class EpochEnd(keras.callbacks.Callback):
    """See the module.

    Args:
        task: gives metrics and pictures.
        options: of the run.
        folder: of the run.
        validation: batches, not shuffled.
        progress: where the run stands; kept up to date.
        listener: called with every validated epoch.
    """

    def __init__(
        self,
        task: Task,
        options: TrainOptions,
        folder: RunFolder,
        validation: SampleSequence,
        progress: checkpoint.Progress,
        listener: Callable[[EpochReport], None] | None = None,
    ) -> None:
        super().__init__()
        self._task, self._options, self._folder = task, options, folder
        self._validation, self.progress, self._listener = validation, progress, listener
        self._board = Board(folder.path / 'tensorboard')
        self._started = time.perf_counter()

    @property
    def network(self) -> keras.Model:
        return self.model.network

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        done = epoch + 1
        row = {name: float(value) for name, value in (logs or {}).items()}
        row |= {'lr': self._learning_rate(), 'train_s': time.perf_counter() - self._started}
        is_last = done == self._options.epochs
        if is_last or done % self._options.validate_every == 0:
            metrics = self._validated(done)
            row |= {f'val_{name}': value for name, value in metrics.items()}
        self.progress.epoch = done
        checkpoint.save(
            self._folder.checkpoints, self.network, self.model.optimizer, self.progress
        )
        self._folder.record({'epoch': done, **row})
        self._board.scalars({n: v for n, v in row.items() if np.isfinite(v)}, done)
        if self._options.patience and self.progress.waited >= self._options.patience:
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        self._board.close()

    def _validated(self, epoch: int) -> dict[str, float]:
        with averaged(self.network, self.model.optimizer):
            metrics = validate(self._task, self._predict, self._validation)
            self._keep(metrics, epoch)
            self._draw(epoch)
        if self._listener:
            self._listener(EpochReport(epoch, metrics))
        return metrics

    def _keep(self, metrics: dict[str, float], epoch: int) -> None:
        """Write the weights as last, and as best if they are."""
        monitor = self._options.monitor
        if monitor not in metrics:
            raise ConfigError(f'--monitor {monitor!r} is none of {", ".join(metrics)}')
        self._save(LAST_WEIGHTS)
        shown = f'{monitor} {metrics[monitor]:.4f}'
        if self._task.is_better(monitor, metrics[monitor], self.progress.best):
            self.progress.best, self.progress.best_epoch = metrics[monitor], epoch
            self.progress.waited = 0
            self._save(BEST_WEIGHTS)
            print(f'\nepoch {epoch}: {shown}, the best so far')
        else:
            self.progress.waited += 1
            best, when = self.progress.best, self.progress.best_epoch
            print(f'\nepoch {epoch}: {shown}; best {best} in epoch {when}')

    def _save(self, name: str) -> None:
        part = self._folder.path / f'part.{name}'
        with checkpoint.disk_errors(self._folder.path):
            self.network.save_weights(part)
            part.replace(self._folder.path / name)

    def _draw(self, epoch: int) -> None:
        picture = draw(self._task, self._predict, self._validation, self._options.pictures)
        if picture is not None:
            cv2.imwrite(str(self._folder.path / PICTURE), picture[..., ::-1])
            self._board.picture('validation', picture, epoch)

    def _predict(self, inputs: Arrays) -> Arrays:
        outputs = self.model.predict_on_batch(inputs)
        return {name: np.asarray(value, np.float32) for name, value in outputs.items()}

    def _learning_rate(self) -> float:
        return float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
