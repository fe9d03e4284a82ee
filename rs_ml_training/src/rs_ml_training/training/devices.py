"""Several devices: what Keras 3 offers for the backend in use."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import keras

from rs_ml_training.errors import ConfigError


def scope(count: int) -> AbstractContextManager:
    """Context in which a model is built so that its batches spread over devices.

    tensorflow: tf.distribute.MirroredStrategy. jax: keras.distribution.DataParallel, over all
    processes where `join_processes` was called before. One device needs neither.

    Args:
        count: devices to use, 0: all accelerators (on a machine without, one).

    Raises:
        ConfigError: fewer are there, or the backend has no way to use several.
    """
    backend = keras.backend.backend()
    if backend == 'tensorflow':
        return _tensorflow_scope(count)
    if backend == 'jax':
        return _jax_scope(count)
    if count > 1:
        raise ConfigError(f'--devices {count} needs KERAS_BACKEND=tensorflow or jax')
    return nullcontext()


def _tensorflow_scope(count: int) -> AbstractContextManager:
    import tensorflow as tf

    found = tf.config.list_logical_devices('GPU')
    if not found and count > 1:
        found = tf.config.list_logical_devices('CPU')
    _require(count, len(found))
    chosen = [device.name for device in found[: count or len(found)]]
    return tf.distribute.MirroredStrategy(chosen).scope() if len(chosen) > 1 else nullcontext()


def _jax_scope(count: int) -> AbstractContextManager:
    found = keras.distribution.list_devices()
    _require(count, len(found))
    chosen = found[: count or len(found)]
    if len(chosen) < 2:
        return nullcontext()
    return keras.distribution.DataParallel(devices=chosen, auto_shard_dataset=False).scope()


def _require(count: int, found: int) -> None:
    if count > max(found, 1):
        raise ConfigError(f'--devices {count}, but there are {found}: leave it out to use all')
