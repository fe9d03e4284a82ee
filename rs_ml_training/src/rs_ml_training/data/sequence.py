"""Batches for `keras.Model.fit`: the same for the same seed and any number of threads."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Arrays, Fit, Sample

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_BYTES = 32 << 20


def keep_freed_memory() -> bool:
    """Let the next array have the memory of the last one instead of fetching it from the system.

    By itself the C library comes to do so after the first large arrays. TensorFlow's datasets of
    Python generators, on which `keras.Model.fit` builds, forbid it: each large array is then
    fresh pages, which the system must clear, and decoding and augmenting take 1.7 times as long.
    The limits set here are those at which the C library would arrive. To be called after
    TensorFlow has set its own, so before every batch; it takes about a microsecond.

    Returns:
        Whether it could be asked for; only glibc has it.
    """
    mallopt = _mallopt()
    if mallopt is None:
        return False
    return bool(
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_BYTES)
        and mallopt(_M_TRIM_THRESHOLD, 2 * _LARGEST_BYTES)
    )


@functools.cache
def _mallopt() -> Callable[[int, int], int] | None:
    try:
        return ctypes.CDLL('libc.so.6').mallopt
    except (OSError, AttributeError):
        return None


class SampleSequence(keras.utils.PyDataset):
    """Batches of (inputs, targets) dictionaries.

    The order is a permutation drawn from (seed, epoch), and each sample is augmented with a
    generator of (seed, epoch, index): threads and an interrupted run change nothing.

    Args:
        reader: where samples come from.
        fit: makes named arrays of one sample and a generator.
        batch_size: samples a batch.
        shuffle: whether to permute; if so, an incomplete last batch is left out this epoch.
        seed: see above.
        workers: threads.
        cache: keep decoded samples in memory.
        shard: (index, count): of each batch only the index-th of `count` equal parts.
    """

    def __init__(
        self,
        reader: Reader,
        fit: Fit,
        batch_size: int,
        *,
        shuffle: bool,
        seed: int = 0,
        workers: int = 0,
        cache: bool = False,
        shard: tuple[int, int] = (0, 1),
    ) -> None:
        super().__init__(workers=max(workers, 1), use_multiprocessing=False, max_queue_size=8)
        if not len(reader):
            raise InputError('there are no samples to train on or to validate with')
        self._reader, self._fit, self._shuffle, self._seed = reader, fit, shuffle, seed
        self._batch_size = min(batch_size, len(reader))
        self._shard, self._shards = shard
        if self._batch_size % self._shards:
            raise ConfigError(
                f'a batch of {self._batch_size} does not divide among {self._shards} processes'
            )
        self._cache: dict[int, Sample] | None = {} if cache else None
        self.epoch = 0
        self._order = np.arange(len(reader))
        self.start_epoch(0)

    @property
    def batch_size(self) -> int:
        """Samples of a full batch, of all processes together."""
        return self._batch_size

    @property
    def samples(self) -> int:
        """Samples in all."""
        return len(self._reader)

    def __len__(self) -> int:
        count = len(self._reader)
        return count // self._batch_size if self._shuffle else -(-count // self._batch_size)

    def __getitem__(self, index: int) -> tuple[Arrays, Arrays]:
        keep_freed_memory()
        start = index * self._batch_size
        chosen = self._order[start : start + self._batch_size][self._shard :: self._shards]
        pairs = [self.pair(int(i)) for i in chosen]
        return stack([inputs for inputs, _ in pairs]), stack([targets for _, targets in pairs])

    def pair(self, index: int) -> tuple[Arrays, Arrays]:
        """Arrays of one sample, as this epoch augments it."""
        rng = np.random.default_rng((self._seed, self.epoch, index))
        return self._fit(self._sample(index), rng)

    def start_epoch(self, epoch: int) -> None:
        """Draw the order of an epoch."""
        self.epoch = epoch
        if self._shuffle:
            rng = np.random.default_rng((self._seed, epoch))
            self._order = rng.permutation(len(self._reader))

    def on_epoch_end(self) -> None:
        self.start_epoch(self.epoch + 1)

    def _sample(self, index: int) -> Sample:
        if self._cache is None:
            return self._reader.read(index)
        if index not in self._cache:
            self._cache[index] = self._reader.read(index)
        return self._cache[index]


def stack(items: list[Mapping[str, Any]]) -> Arrays:
    """Arrays of samples to arrays with a batch axis."""
    return {name: np.stack([item[name] for item in items]) for name in items[0]}
