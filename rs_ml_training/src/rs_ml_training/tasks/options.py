"""Options of every training and every evaluation; each task adds its own to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.options import Options, option

OPTIMIZERS = ('adamw', 'adam', 'sgd', 'radam')
SCHEDULES = ('poly', 'cosine', 'constant')
PRECISIONS = ('float32', 'mixed_bfloat16', 'mixed_float16')

_DATA, _NETWORK, _STEPS = 'data', 'network', 'optimisation'
_LOSS, _VALIDATION, _RUN, _DEVICES = 'loss and augmentation', 'validation', 'run', 'devices'


@dataclass(frozen=True)
class TrainOptions(Options):
    """Options of every training."""

    data: tuple[str, ...] = option(
        (),
        'training data, several are joined',
        metavar='FORMAT:PATH',
        group=_DATA,
    )
    list_file: Path | None = option(
        None, 'file that names the training samples', none_doc='all', flag='list', group=_DATA
    )
    validation_data: tuple[str, ...] = option(
        (), 'validation data', metavar='FORMAT:PATH', group=_DATA
    )
    validation_list: Path | None = option(
        None, 'file that names the validation samples', group=_DATA
    )
    validation_share: float = option(
        0.1, 'fraction held out by scene when no validation data are given', group=_DATA
    )
    data_option: tuple[str, ...] = option(
        (), 'for the reader of the data', metavar='NAME=VALUE', group=_DATA
    )
    validation_data_option: tuple[str, ...] = option(
        (), 'more of them, for the validation data', metavar='NAME=VALUE', group=_DATA
    )
    model: str = option('', 'the network', group=_NETWORK)
    model_option: tuple[str, ...] = option(
        (), 'for the builder of the network', metavar='NAME=VALUE', group=_NETWORK
    )
    input_size: tuple[int, int] | None = option(
        None,
        'of the network input',
        none_doc="the network's",
        metavar='WIDTHxHEIGHT',
        group=_NETWORK,
    )
    encoder_weights: str | None = option(
        None, "file with weights of the encoder, or 'imagenet'", group=_NETWORK
    )
    initial_weights: Path | None = option(
        None,
        'run folder whose weights to start from; also published files: nanodet-plus (.onnx), '
        'meter (.pt)',
        group=_NETWORK,
    )
    initial_fitting: bool = option(
        False,
        'load only the weights that fit by name and shape: other classes, further layers',
        group=_NETWORK,
    )
    epochs: int = option(60, 'passes over the training data', low=1, group=_STEPS)
    batch_size: int = option(16, 'samples a step, of all devices together', low=1, group=_STEPS)
    optimizer: str = option('adamw', 'update rule', choices=OPTIMIZERS, group=_STEPS)
    learning_rate: float = option(1e-3, 'highest learning rate', low=0, group=_STEPS)
    encoder_rate: float = option(
        1.0, 'factor on the learning rate of the encoder', low=0, group=_STEPS
    )
    end_learning_rate: float = option(
        0.01, 'final learning rate as a fraction of the highest', low=0, group=_STEPS
    )
    schedule: str = option('poly', 'course of the learning rate', choices=SCHEDULES, group=_STEPS)
    power: float = option(0.9, 'exponent of the poly schedule', low=0, group=_STEPS)
    warmup_epochs: float = option(1.0, 'epochs of linear rise', low=0, group=_STEPS)
    weight_decay: float = option(1e-4, 'decoupled, of kernels only', low=0, group=_STEPS)
    decay_encoder_only: bool = option(
        False, 'decay the kernels of the encoder alone, as BTS does', group=_STEPS
    )
    momentum: float = option(0.9, 'of sgd', low=0, group=_STEPS)
    adam_epsilon: float = option(1e-7, 'of adam, adamw, radam', low=0, group=_STEPS)
    clip_norm: float = option(
        5.0, 'largest norm of all gradients together, 0: any', low=0, group=_STEPS
    )
    ema: float = option(0.99, 'momentum of the averaged weights, 0: none', low=0, group=_STEPS)
    start_share: float = option(
        0.0, 'fraction of the starting weights in the saved ones, 0 to 1', low=0, group=_STEPS
    )
    settle_batches: int = option(
        0,
        'training batches for precise batch normalisation of the averaged weights',
        low=0,
        group=_STEPS,
    )
    precision: str = option('float32', 'of the layers', choices=PRECISIONS, group=_STEPS)
    augment: str = option('', 'augmentation preset', group=_LOSS)
    loss: str = option('', 'loss of the task', group=_LOSS)
    loss_option: tuple[str, ...] = option(
        (), 'for the loss, as gamma=2', metavar='NAME=VALUE', group=_LOSS
    )
    monitor: str = option('', 'validation metric that selects the best weights', group=_VALIDATION)
    keep_best: tuple[str, ...] = option(
        (), 'further metrics whose best weights are kept, as best-NAME', group=_VALIDATION
    )
    validate_every: int = option(1, 'epochs between validations', low=1, group=_VALIDATION)
    patience: int = option(
        0,
        'validations without an improvement before training stops, 0: never',
        low=0,
        group=_VALIDATION,
    )
    name: str = option('', 'of the run, by default task and network', group=_RUN)
    runs: Path = option(Path('runs'), 'folder of run folders', group=_RUN)
    resume: bool = option(True, 'continue after the last epoch of a run of that name', group=_RUN)
    seed: int = option(1, 'of weights, order and augmentation', low=0, group=_RUN)
    workers: int = option(2, 'threads that read and augment', low=0, group=_RUN)
    cache: bool = option(False, 'keep decoded samples in memory', group=_RUN)
    pictures: int = option(
        4, 'validation samples drawn after each validation', low=0, group=_VALIDATION
    )
    profile: bool = option(
        False, 'time reading, training and both for some batches, then stop', group=_RUN
    )
    devices: int = option(
        0, 'devices to spread each batch over, 0: all there are', low=0, group=_DEVICES
    )
    processes: int = option(1, 'processes that train together (jax)', low=1, group=_DEVICES)
    process_index: int = option(
        0, 'index of this process, from 0; process 0 writes', low=0, group=_DEVICES
    )
    coordinator: str = option(
        '',
        'address on the machine of process 0 where they meet',
        metavar='HOST:PORT',
        group=_DEVICES,
    )


@dataclass(frozen=True)
class DepthTrainOptions(TrainOptions):
    """Options of trainings for depth."""

    min_depth_m: float = option(0.1, 'nearest truth that counts', unit='m', low=0)
    max_depth_m: float = option(10.0, 'farthest truth that counts', unit='m', low=0)


@dataclass(frozen=True)
class EvaluateOptions(Options):
    """Options of every evaluation."""

    model: Path | None = option(None, 'run folder of a training', group=_NETWORK)
    predictions: Path | None = option(
        None, 'folder with predictions, in place of a model', group=_NETWORK
    )
    data: str = option('', 'the truth', metavar='FORMAT:PATH', group=_DATA)
    list_file: Path | None = option(
        None, 'file that names the samples', none_doc='all', flag='list', group=_DATA
    )
    data_option: tuple[str, ...] = option(
        (), 'for the reader of the data', metavar='NAME=VALUE', group=_DATA
    )
    limit: int = option(0, 'samples spread over the data, 0: all', low=0, group=_DATA)
    weights: str | None = option(
        None, 'file in the run folder', none_doc='the best, else the last', group=_NETWORK
    )
    input_size: tuple[int, int] | None = option(
        None,
        'size to run at',
        none_doc='as trained',
        metavar='WIDTHxHEIGHT',
        group=_NETWORK,
    )
    batch_size: int = option(1, 'images a step', low=1, group=_NETWORK)
    flip: bool = option(False, 'average with the mirrored image', group=_NETWORK)
    json_file: Path | None = option(None, 'file for the figures', flag='json', group='output')
    worst: int = option(0, 'number of the worst images to name', low=0, group='output')


def name_values(items: Sequence[str]) -> dict[str, Any]:
    """Options from NAME=VALUE; values are read as YAML, so true, 3 and [1, 2] mean themselves.

    Raises:
        ConfigError: there is no '='.
    """
    import yaml

    values = {}
    for item in items:
        name, separator, value = item.partition('=')
        if not separator:
            raise ConfigError(f'{item!r} is not NAME=VALUE')
        values[name] = yaml.safe_load(value)
    return values
