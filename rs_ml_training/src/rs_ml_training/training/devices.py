"""Training on several devices and in several processes, with the means of the Keras backend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import keras
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.tasks.options import TrainOptions


def spread(options: TrainOptions) -> AbstractContextManager:
    """Context in which a model is built and trained so that batches spread over devices.

    tensorflow: tf.distribute.MirroredStrategy over the devices of this process. jax:
    keras.distribution.DataParallel over the devices of all processes, which find each other at
    `--coordinator`. One device of one process needs neither.

    Raises:
        ConfigError: fewer devices are there, or the backend has no way to use several.
    """
    backend = keras.backend.backend()
    if options.processes > 1:
        _join(options, backend)
    if backend == 'jax':
        return _jax_scope(options.devices, options.processes)
    if backend == 'tensorflow':
        return _tensorflow_scope(options.devices)
    if options.devices > 1:
        raise ConfigError(f'--devices {options.devices} needs KERAS_BACKEND=tensorflow or jax')
    return nullcontext()


@contextmanager
def alone() -> Iterator[None]:
    """In this context everything is built and run on the first device of this process."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        yield
        return
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


def _join(options: TrainOptions, backend: str) -> None:
    """Join the other processes, before the backend touches a device."""
    if backend != 'jax':
        raise ConfigError(f'--processes {options.processes} needs KERAS_BACKEND=jax')
    if not options.coordinator:
        raise ConfigError('--processes needs --coordinator HOST:PORT, the same in all of them')
    if not options.process_index < options.processes:
        raise ConfigError(
            f'--process-index {options.process_index} is none of 0 to {options.processes - 1}'
        )
    import jax

    if jax.distributed.is_initialized():
        return
    jax.config.update('jax_cpu_collectives_implementation', 'gloo')
    keras.distribution.initialize(options.coordinator, options.processes, options.process_index)


def _jax_scope(count: int, processes: int) -> AbstractContextManager:
    found = keras.distribution.list_devices()
    _require(count, len(found))
    chosen = found[: count or len(found)]
    if len(chosen) < 2:
        return nullcontext()
    if len(chosen) < len(found) and processes > 1:
        raise ConfigError('--devices counts those of all processes, which must all take part')
    return keras.distribution.DataParallel(devices=chosen, auto_shard_dataset=False).scope()


def _tensorflow_scope(count: int) -> AbstractContextManager:
    import tensorflow as tf

    found = tf.config.list_logical_devices('GPU') or tf.config.list_logical_devices('CPU')
    _require(count, len(found))
    chosen = [device.name for device in found[: count or len(found)]]
    return tf.distribute.MirroredStrategy(chosen).scope() if len(chosen) > 1 else nullcontext()


def _require(count: int, found: int) -> None:
    if count > found:
        raise ConfigError(f'--devices {count}, but there are {found}: leave it out to use all')
