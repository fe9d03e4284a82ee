"""`tf.data` batches, for training over several devices with a distribution strategy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample
from rs_ml_training.data.sequence import keep_freed_memory

if TYPE_CHECKING:
    import tensorflow as tf

Arrays = dict[str, np.ndarray]
Fit = Callable[[Sample, np.random.Generator], tuple[Arrays, Arrays]]


def dataset(
    reader: Reader,
    fit: Fit,
    batch_size: int,
    *,
    shuffle: bool,
    seed: int = 0,
    workers: int = 4,
    first_epoch: int = 0,
) -> tf.data.Dataset:
    """Batches of (inputs, targets) dictionaries; each iteration over them is one epoch.

    The batches are those of `SampleSequence` with the same seed: the order is a permutation of
    (seed, epoch), each sample is augmented with a generator of (seed, epoch, index). Threads
    change nothing.

    Args:
        reader: where samples come from.
        fit: makes named arrays of one sample and a generator; the same shapes every time.
        batch_size: samples a batch, over all devices.
        shuffle: whether to permute; if so, an incomplete last batch is left out this epoch.
        seed: see above.
        workers: threads that read and augment.
        first_epoch: number of the first iteration, for a resumed training.

    Raises:
        InputError: the reader holds no samples, or damaged ones.
    """
    import tensorflow as tf

    if not len(reader):
        raise InputError('there are no samples to train on or to validate with')
    example = fit(reader.read(0), np.random.default_rng((seed, first_epoch, 0)))
    batch_size = min(batch_size, len(reader))

    def pair(epoch: np.ndarray, index: np.ndarray) -> list[np.ndarray]:
        rng = np.random.default_rng((seed, int(epoch), int(index)))
        return _flat(fit(reader.read(int(index)), rng))

    def mapped(place: tf.Tensor) -> tuple[dict[str, tf.Tensor], ...]:
        types = [array.dtype for array in _flat(example)]
        tensors = tf.numpy_function(pair, [place[0], place[1]], types, stateful=True)
        return _named(tensors, example)

    places = tf.data.Dataset.from_generator(
        _places(len(reader), shuffle, seed, first_epoch),
        output_signature=tf.TensorSpec((2,), tf.int64),
    )
    batches = places.map(mapped, num_parallel_calls=workers, deterministic=True)
    batches = batches.batch(batch_size, drop_remainder=shuffle)
    batches = batches.prefetch(2).with_options(_options())
    count = len(reader)
    steps = count // batch_size if shuffle else -(-count // batch_size)
    return batches.apply(tf.data.experimental.assert_cardinality(steps))


def _places(
    count: int, shuffle: bool, seed: int, first_epoch: int
) -> Callable[[], Iterator[tuple[int, int]]]:
    """A function; its n-th call yields the (epoch, index) pairs of the n-th epoch."""
    epochs = iter(range(first_epoch, 2**31))

    def places() -> Iterator[tuple[int, int]]:
        keep_freed_memory()
        epoch = next(epochs)
        order = np.arange(count)
        if shuffle:
            order = np.random.default_rng((seed, epoch)).permutation(count)
        for index in order:
            yield epoch, int(index)

    return places


def _flat(pair: tuple[Arrays, Arrays]) -> list[np.ndarray]:
    return [np.asarray(array) for arrays in pair for array in arrays.values()]


def _named(
    tensors: list[tf.Tensor], example: tuple[Mapping[str, np.ndarray], ...]
) -> tuple[dict[str, tf.Tensor], ...]:
    """The tensors under the names and with the shapes of an example."""
    rest = iter(tensors)
    out = []
    for arrays in example:
        named = {name: next(rest) for name in arrays}
        for name, tensor in named.items():
            tensor.set_shape(np.shape(arrays[name]))
        out.append(named)
    return tuple(out)


def _options() -> tf.data.Options:
    import tensorflow as tf

    options = tf.data.Options()
    options.deterministic = True
    # Several machines each read everything and take their part of it.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return options
