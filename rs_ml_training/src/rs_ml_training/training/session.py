"""A training from options to weights: the network with its losses, prepared and fitted."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
from keras import ops
from rs_ml_perception.core.errors import ConfigError, counted

from rs_ml_training import trained
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Arrays
from rs_ml_training.data.sequence import SampleSequence
from rs_ml_training.networks import registry
from rs_ml_training.tasks.objective import Augmentation, Objective
from rs_ml_training.tasks.options import TrainOptions
from rs_ml_training.tasks.registry import task_named
from rs_ml_training.tasks.task import Task
from rs_ml_training.trained import ModelSpec
from rs_ml_training.training import checkpoint, devices
from rs_ml_training.training.averaging import StartingWeights, starting_weights
from rs_ml_training.training.epoch_end import EpochEnd, EpochReport, StopOnNan, stopped
from rs_ml_training.training.optimizers import optimizer_of, schedule_of
from rs_ml_training.training.run_folder import RunFolder
from rs_ml_training.training.spec import open_sources, spec_of

_CALIBRATION_SAMPLES = 32


class TrainingModel(keras.Model):
    """Trains `network` on the losses of an objective; works on every Keras backend.

    Args:
        network: functional model with dictionaries of inputs and outputs.
        objective: gives the losses.
    """

    def __init__(self, network: keras.Model, objective: Objective) -> None:
        # Under mixed precision the inputs would be rounded here, before the network sees them.
        super().__init__(autocast=False)
        self.network = network
        self._objective = objective
        self._parts = {
            name: keras.metrics.Mean(name=f'loss_{name}') for name in self._part_names()
        }

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        return self.network(inputs, training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Sum of the objective's losses and the network's own penalties."""
        outputs = {name: ops.cast(value, 'float32') for name, value in y_pred.items()}
        losses = self._objective.losses(y, outputs)
        for name, tracker in self._parts.items():
            if name in losses:
                tracker.update_state(losses[name])
        return (sum(losses.values()) + sum(self.network.losses)) / _replicas()

    def _part_names(self) -> tuple[str, ...]:
        """Names of the tracked terms; none if there is only one."""
        names = self._objective.part_names(self.network.output)
        return () if len(names) == 1 else names


def _replicas() -> int:
    """Number of gradients that tf.distribute sums: each must be divided by it."""
    if keras.backend.backend() != 'tensorflow':
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


@dataclasses.dataclass
class PreparedTraining:
    """A training, ready to be fitted.

    Attributes:
        options: as asked.
        spec: of the network.
        task: of the network.
        objective: targets, losses and metrics.
        model: network and objective, compiled.
        training, validation: batches.
        start: the starting weights, if they are mixed into the saved ones.
    """

    options: TrainOptions
    spec: ModelSpec
    task: Task[Any, Any]
    objective: Objective
    model: TrainingModel
    training: SampleSequence
    validation: SampleSequence
    start: StartingWeights | None = None


def train(
    task: str,
    options: TrainOptions,
    *,
    command: Sequence[str] | None = None,
    listener: Callable[[EpochReport], None] | None = None,
) -> Path:
    """Train to the end, or continue a run of that name.

    Args:
        task: its name.
        options: of that task.
        command: recorded as the command; None: that of the process.
        listener: called after every validation; may raise to stop the training.

    Returns:
        The run folder with model.yaml, best and last weights, history.csv.

    Raises:
        RsMlError: see errors.py.
    """
    command = list(sys.argv if command is None else command)
    with devices.spread(options):
        prepared = prepare(task, options, command)
        folder = RunFolder(options.runs / (options.name or f'{task}-{options.model}'))
        folder.check(options, prepared.spec)
        progress = _resumed(prepared, folder)
        if options.process_index == 0:
            folder.describe(options, prepared.spec, command)
        if progress.epoch < options.epochs and not stopped(options, progress):
            _fit(prepared, folder, progress, listener)
    if options.process_index == 0:
        _write_metrics(prepared, folder, progress)
    return folder.path


def prepare(task: str, options: TrainOptions, command: Sequence[str] = ()) -> PreparedTraining:
    """Open the data, build the network, the losses and the batches."""
    _require_start(options)
    keras.utils.set_random_seed(options.seed)
    keras.config.set_dtype_policy(options.precision)
    data, validation_data = open_sources(options)
    kind = task_named(task)
    spec = spec_of(kind, options, data, ' '.join(command))
    objective = kind.objective(spec, options, data)
    _require_metrics(objective, options)
    augmentation = kind.augmentation(options)
    training, validation = _batches(objective, augmentation, options, data, validation_data)
    # Trained on crops, it is built for any size.
    size = None if augmentation.crop else spec.input_size
    model = TrainingModel(_network(spec, size, options, training), objective)
    schedule = schedule_of(options, len(training))
    model.compile(optimizer=optimizer_of(options, schedule, model.network))
    start = starting_weights(model.network, options.start_share)
    return PreparedTraining(options, spec, kind, objective, model, training, validation, start)


def _require_start(options: TrainOptions) -> None:
    if not 0 <= options.start_share <= 1:
        raise ConfigError(f'--start-share is 0 to 1, got {options.start_share:g}')
    if options.start_share and not (options.initial_weights or options.encoder_weights):
        raise ConfigError(
            '--start-share keeps some of the weights that training starts from, which are random '
            'here: give --initial-weights'
        )


def _require_metrics(objective: Objective, options: TrainOptions) -> None:
    known = objective.metrics().result()
    for flag, names in (('--monitor', (options.monitor,)), ('--keep-best', options.keep_best)):
        for name in names:
            if name not in known:
                raise ConfigError(f'{flag} {name!r} is none of {", ".join(known)}')


def _network(
    spec: ModelSpec,
    size: tuple[int, int] | None,
    options: TrainOptions,
    training: SampleSequence,
) -> keras.Model:
    network = registry.build(spec.network, size, **spec.options)
    if options.encoder_weights:
        from rs_ml_training.networks.encoder_weights import load_encoder_weights

        print(load_encoder_weights(network, options.encoder_weights, _some(training)))
    if options.initial_weights:
        _start_from(network, options, spec, training)
    return network


def _start_from(
    network: keras.Model, options: TrainOptions, spec: ModelSpec, training: SampleSequence
) -> None:
    """Load the weights of a run, a file of weights, an export or a published network."""
    start = Path(str(options.initial_weights))
    path = next((p for p in (start / trained.BEST_WEIGHTS, start) if p.is_file()), start)
    published = registry.published_weights(spec.network, path)
    if published is not None:
        published.load(network, path)
    elif path.suffix == '.onnx':
        from rs_ml_training.networks.exported_weights import load_exported_weights

        load_exported_weights(network, path, _some(training))
    elif options.initial_fitting:
        from rs_ml_training.networks.weights_file import load_fitting_weights

        print(load_fitting_weights(network, path))
    else:
        trained.load_weights(network, path, spec.network)


def _some(batches: SampleSequence) -> Iterator[Arrays]:
    """Inputs of the first batches: enough to estimate the spread of features."""
    count = min(-(-_CALIBRATION_SAMPLES // batches.batch_size), len(batches))
    return (batches[i][0] for i in range(count))


def _batches(
    objective: Objective,
    augmentation: Augmentation,
    options: TrainOptions,
    data: Reader,
    validation_data: Reader,
) -> tuple[SampleSequence, SampleSequence]:
    training = SampleSequence(
        data,
        objective.training_fit(augmentation),
        options.batch_size,
        shuffle=True,
        seed=options.seed,
        workers=options.workers,
        cache=options.cache,
        shard=(options.process_index, options.processes),
    )
    validation = SampleSequence(
        validation_data,
        objective.validation_fit(augmentation.preset),
        options.batch_size,
        shuffle=False,
    )
    return training, validation


def _resumed(prepared: PreparedTraining, folder: RunFolder) -> checkpoint.Progress:
    model = prepared.model
    found = checkpoint.restore(folder.checkpoints, model.network, model.optimizer)
    if found is None:
        return checkpoint.Progress()
    epochs = prepared.options.epochs
    if found.epoch < epochs:
        print(f'{folder.path}: continues after epoch {found.epoch} of {epochs}')
    else:
        done = counted(found.epoch, 'epoch')
        print(f'{folder.path}: finished, {done}; a larger --epochs continues')
    return found


def _fit(
    prepared: PreparedTraining,
    folder: RunFolder,
    progress: checkpoint.Progress,
    listener: Callable[[EpochReport], None] | None,
) -> None:
    prepared.training.start_epoch(progress.epoch)
    data = prepared.training, prepared.validation
    end = EpochEnd(
        prepared.task,
        prepared.objective,
        prepared.options,
        folder,
        *data,
        progress,
        listener,
        prepared.start,
    )
    prepared.model.fit(
        prepared.training,
        epochs=prepared.options.epochs,
        initial_epoch=progress.epoch,
        shuffle=False,  # already shuffled, by a seed that a resumed run shares
        callbacks=[StopOnNan(), end],
        verbose=1 if sys.stdout.isatty() else 2,  # a bar, or one line per epoch
    )


def _write_metrics(
    prepared: PreparedTraining, folder: RunFolder, progress: checkpoint.Progress
) -> None:
    """Write the metrics of the best weights to model.yaml, and the curves."""
    from rs_ml_training.training.curves import draw
    from rs_ml_training.training.run_folder import read_history

    rows = read_history(folder.history)
    for best in (row for row in rows if float(row['epoch']) == progress.best_epoch):
        values = {n.removeprefix('val_'): v for n, v in best.items() if n.startswith('val_') and v}
        metrics = {name: float(value) for name, value in values.items()}
        trained.write_spec(dataclasses.replace(prepared.spec, metrics=metrics), folder.path)
    if rows:
        draw(folder.history, folder.path / 'curves.png')
