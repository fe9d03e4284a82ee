"""After each epoch: validate, keep the best weights, save the state, record the figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import keras
import numpy as np

from rs_ml_training.data.sample import Arrays
from rs_ml_training.data.sequence import SampleSequence, stack
from rs_ml_training.errors import DivergedError
from rs_ml_training.networks import registry
from rs_ml_training.tasks.objective import Objective
from rs_ml_training.tasks.options import TrainOptions
from rs_ml_training.tasks.task import Task
from rs_ml_training.trained import BEST_WEIGHTS, LAST_WEIGHTS, best_weights_of
from rs_ml_training.training import checkpoint, devices
from rs_ml_training.training.averaging import StartingWeights, averaged, precise_batch_norm
from rs_ml_training.training.run_folder import EventWriter, RunFolder

Predict = Callable[[Arrays], Arrays]
PICTURE = 'validation.png'
_WAY_OUT = (
    'lower --learning-rate, raise --adam-epsilon or look for damaged truth; the last checkpoint '
    'and the best weights are as they were'
)


def validate(objective: Objective, predict: Predict, batches: SampleSequence) -> dict[str, float]:
    """The objective's metrics over all batches.

    Args:
        objective: gives the metrics.
        predict: named input arrays to named output arrays.
        batches: not shuffled.
    """
    metrics = objective.metrics()
    for i in range(len(batches)):
        inputs, targets = batches[i]
        metrics.update(targets, predict(inputs))
    return metrics.result()


def draw(
    objective: Objective, predict: Predict, batches: SampleSequence, count: int
) -> np.ndarray | None:
    """Strips of `count` samples spread over the data, one below the other, uint8 (h, w, 3)."""
    total = batches.samples
    chosen = np.unique(np.linspace(0, total - 1, min(count, total)).round().astype(int))
    strips = []
    for index in chosen:
        inputs, targets = batches.pair(int(index))
        outputs = predict(stack([inputs]))
        strips.append(objective.picture(inputs, targets, {n: a[0] for n, a in outputs.items()}))
    return np.concatenate(strips) if strips else None


def reseed(network: keras.Model, seed: int, epoch: int) -> None:
    """Seed every layer by (seed, epoch, its number): a resumed run continues identically."""
    for number, layer in enumerate(network.layers):
        generator = getattr(layer, 'seed_generator', None)
        if generator is not None:
            state = np.random.SeedSequence((seed, epoch, number)).generate_state(2)
            generator.state.assign(state.astype(generator.state.dtype))


class StopOnNan(keras.callbacks.Callback):
    """Stops a training whose loss is not finite, before anything is written."""

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        loss = (logs or {}).get('loss')
        if loss is not None and not np.isfinite(loss):
            raise DivergedError(
                f'the loss is {float(loss)} at step {batch + 1} of the epoch: {_WAY_OUT}'
            )


@dataclass
class EpochReport:
    """The result of an epoch for `--search` and other listeners."""

    epoch: int
    metrics: dict[str, float]


class EpochEnd(keras.callbacks.Callback):
    """See the module.

    Args:
        task: knows which metrics are better when lower.
        objective: gives metrics and strips.
        options: of the run.
        folder: of the run.
        training: batches, for the statistics of batch normalisation.
        validation: batches, not shuffled.
        progress: of the run; kept up to date.
        listener: called with every validated epoch.
        start: mixed into the saved weights.
    """

    def __init__(
        self,
        task: Task[Any, Any],
        objective: Objective,
        options: TrainOptions,
        folder: RunFolder,
        training: SampleSequence,
        validation: SampleSequence,
        progress: checkpoint.Progress,
        listener: Callable[[EpochReport], None] | None = None,
        start: StartingWeights | None = None,
    ) -> None:
        super().__init__()
        self._task, self._objective = task, objective
        self._options, self._folder = options, folder
        self._training, self._validation = training, validation
        self.progress, self._listener, self._start = progress, listener, start
        self._writes = options.process_index == 0
        if self._writes:
            self._board = EventWriter(folder.path / 'tensorboard')
        self._copy: keras.Model | None = None
        self._started = time.perf_counter()

    @property
    def network(self) -> keras.Model:
        return self.model.network

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        reseed(self.network, self._options.seed, epoch)
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        done = epoch + 1
        self._require_numbers()
        row = {name: float(value) for name, value in (logs or {}).items()}
        row |= {'lr': self._learning_rate(), 'train_s': time.perf_counter() - self._started}
        is_last = done == self._options.epochs
        if is_last or done % self._options.validate_every == 0:
            metrics = self._validated(done)
            row |= {f'val_{name}': value for name, value in metrics.items()}
        self.progress.epoch = done
        if self._writes:
            self._write({'epoch': done, **row})
        if stopped(self._options, self.progress):
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        if self._writes:
            self._board.close()

    def _require_numbers(self) -> None:
        """The loss belongs to the weights before the last step, which may have spoilt them."""
        for weight in self.network.weights:
            if not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
                raise DivergedError(f'{weight.path} is no number any more: {_WAY_OUT}')

    def _write(self, row: dict[str, float]) -> None:
        checkpoint.save(
            self._folder.checkpoints, self.network, self.model.optimizer, self.progress
        )
        self._folder.record(row)
        numbers = {n: v for n, v in row.items() if np.isfinite(v) and n != 'epoch'}
        self._board.scalars(numbers, self.progress.epoch)

    def _validated(self, epoch: int) -> dict[str, float]:
        average = averaged(self.network, self.model.optimizer, self._start)
        with (
            average,
            precise_batch_norm(self.network, self._batch_norm_inputs()),
            self._validation_copy(),
        ):
            metrics = validate(self._objective, self._predict, self._validation)
            better = self._record_validation(metrics, epoch)
            if self._writes:
                self._keep(better)
                self._draw(epoch)
        if self._listener:
            self._listener(EpochReport(epoch, metrics))
        return metrics

    def _batch_norm_inputs(self) -> Iterator[Arrays]:
        """Inputs of the first training batches, as many as the options ask for."""
        for index in range(min(self._options.settle_batches, len(self._training))):
            inputs, _ = self._training[index]
            yield {name: np.asarray(array, np.float32) for name, array in inputs.items()}

    def _record_validation(self, metrics: dict[str, float], epoch: int) -> list[str]:
        """Record a validation; returns the weights files that it is the best for."""
        files = [BEST_WEIGHTS] if self._is_best(metrics[self._options.monitor], epoch) else []
        for name in self._options.keep_best:
            if self._task.is_better(name, metrics[name], self.progress.bests.get(name)):
                self.progress.bests[name] = metrics[name]
                files.append(best_weights_of(name))
        return files

    def _is_best(self, value: float, epoch: int) -> bool:
        """Whether a validation is the best so far; prints it."""
        shown = f'\nepoch {epoch}: {self._options.monitor} {value:.4f}'
        progress = self.progress
        if self._task.is_better(self._options.monitor, value, progress.best):
            progress.best, progress.best_epoch, progress.waited = value, epoch, 0
            print(f'{shown}, the best so far')
            return True
        progress.waited += 1
        best = 'none yet' if progress.best is None else f'{progress.best:.4f}'
        print(f'{shown}; best {best} in epoch {progress.best_epoch}')
        return False

    def _keep(self, files: list[str]) -> None:
        """Write the weights as last, and to the files of the metrics they are best for."""
        for name in (LAST_WEIGHTS, *files):
            part = self._folder.path / f'part.{name}'
            with checkpoint.disk_errors(self._folder.path):
                self.network.save_weights(part)
                part.replace(self._folder.path / name)

    def _draw(self, epoch: int) -> None:
        picture = draw(self._objective, self._predict, self._validation, self._options.pictures)
        if picture is not None:
            cv2.imwrite(str(self._folder.path / PICTURE), picture[..., ::-1])
            self._board.picture('validation', picture, epoch)

    @contextmanager
    def _validation_copy(self) -> Iterator[None]:
        """Each of several processes validates by itself, on a copy of the network."""
        if self._options.processes == 1:
            yield
            return
        with devices.alone():
            spec = self._objective.spec
            if self._copy is None:
                self._copy = registry.build(spec.network, spec.input_size, **spec.options)
            for own, shared in zip(self._copy.weights, self.network.weights, strict=True):
                own.assign(np.asarray(shared.value))
            yield

    def _predict(self, inputs: Arrays) -> Arrays:
        outputs = (self._copy or self.model).predict_on_batch(inputs)
        # tf.distribute predicts the whole batch on each device and returns all of them.
        count = len(next(iter(inputs.values())))
        return {name: np.asarray(v[:count], np.float32) for name, v in outputs.items()}

    def _learning_rate(self) -> float:
        return float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))


def stopped(options: TrainOptions, progress: checkpoint.Progress) -> bool:
    """Whether a run has used up its patience."""
    return 0 < options.patience <= progress.waited
