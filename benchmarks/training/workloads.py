"""Workloads: the same files, read and trained on by published scripts and by this project."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import keras
import numpy as np
from rs_ml_training.data.reader import Reader, Subset
from rs_ml_training.data.sample import Fit
from rs_ml_training.data.sample_codec import MAP_CODINGS
from rs_ml_training.data.sequence import SampleSequence
from rs_ml_training.data.tf_pipeline import dataset
from rs_ml_training.data.tfrecords import TfRecords, write_shards
from rs_ml_training.networks import registry
from rs_ml_training.tasks.denoise import DenoiseObjective
from rs_ml_training.tasks.mono_depth import DepthObjective
from rs_ml_training.tasks.objective import Augmentation
from rs_ml_training.trained import ModelSpec
from rs_ml_training.training.session import TrainingModel

from benchmarks.training import published
from benchmarks.training.published import Batch, Epoch

NETWORK = 'fastdepth-pruned'

Size = tuple[int, int]
Pairs = tuple[Reader, list[published.Pair]]


@dataclass(frozen=True)
class Workload:
    """The same files, to be read in different ways.

    Attributes:
        name: with the sizes.
        published: one epoch as the published script reads it.
        reader: of this project.
        fit: augmentation, and the arrays of a sample.
        batch: samples per batch.
    """

    name: str
    published: Epoch
    reader: Reader
    fit: Fit
    batch: int

    def sequence(self, *, cache: bool = False, workers: int = 1) -> SampleSequence:
        """Batches for `fit` of Keras."""
        fit, batch = self.fit, self.batch
        return SampleSequence(self.reader, fit, batch, shuffle=True, workers=workers, cache=cache)


def fastdepth_workload(pairs: Pairs, size: Size, batch: int) -> Workload:
    """Depth, with the augmentation of FastDepth."""
    return _depth_workload('FastDepth', 'fastdepth', published.fastdepth_pair, pairs, size, batch)


def bts_workload(pairs: Pairs, size: Size, batch: int) -> Workload:
    """Depth, with the augmentation of BTS."""
    return _depth_workload('BTS', 'bts-nyu', published.bts_pair, pairs, size, batch)


def denoise_workload(
    tiles: tuple[Reader, list[published.Triple]], side: int, batch: int
) -> Workload:
    """Tiles of Intel's denoiser, which has no augmentation."""
    reader, files = tiles
    task = DenoiseObjective(ModelSpec('denoise', 'unet', (side, side)), 'denoise')
    script = partial(published.denoise_blocks, files, batch)
    name = f'Intel denoiser, {len(files)} tiles of {side}x{side}'
    return Workload(name, script, reader, task.training_fit(Augmentation()), batch)


def repeated(pairs: Pairs, times: int) -> Pairs:
    """Every pair `times` times: a longer epoch of the same images."""
    reader, files = pairs
    return Subset(reader, [*range(len(reader))] * times), files * times


def reading_epochs(
    workload: Workload, folder: Path, pool: Executor, workers: int
) -> dict[str, Epoch]:
    """Ways to read a workload, the published script first.

    Args:
        workload: files and augmentation.
        folder: a new one, for TFRecord shards.
        pool: of `workers` threads.
        workers: threads, for tf.data.
    """
    many = f'{workers} threads'
    epochs: dict[str, Epoch] = {
        'published script, 1 thread': workload.published,
        'SampleSequence, 1 thread': partial(_epoch, workload.sequence(), map),
        f'SampleSequence, {many}': partial(_epoch, workload.sequence(), pool.map),
        f'SampleSequence, {many}, cache': partial(_epoch, workload.sequence(cache=True), pool.map),
    }
    for maps in MAP_CODINGS:
        records = _packed(workload, folder / maps, maps).sequence()
        epochs[f'TFRecord shards, {maps}, {many}'] = partial(_epoch, records, pool.map)
    if importlib.util.find_spec('tensorflow'):
        fit, batch = workload.fit, workload.batch
        batches = dataset(workload.reader, fit, batch, shuffle=True, workers=workers)
        epochs[f'tf.data, {many}'] = lambda: batches
    return epochs


def count_images(epoch: Epoch) -> int:
    """Run through the batches of an epoch; the number of their images."""
    return sum(batch_images(batch) for batch in epoch())


def batch_images(batch: Batch) -> int:
    """Number of images of a batch."""
    return len(next(iter(batch[0].values())))


def trainee(size: Size, network: str = NETWORK) -> TrainingModel:
    """A depth network at (width, height), compiled for training."""
    task = DepthObjective(ModelSpec('depth', network, size), 'l1')
    model = TrainingModel(registry.build(network, size), task)
    model.compile(optimizer=keras.optimizers.AdamW(1e-4))
    return model


def training_epochs(
    workload: Workload, model: TrainingModel, workers: int
) -> Mapping[str, Callable[[], int]]:
    """Ways to train on a workload, the loop of a published script first; graphs are traced.

    Args:
        workload: files and augmentation.
        model: trained by all of them.
        workers: threads of `fit`.
    """
    many = f'{workers} threads'
    first = replace(workload, reader=Subset(workload.reader, range(workload.batch)))
    _fit(model, first.sequence(workers=workers))()
    model.train_on_batch(*next(iter(workload.published())))
    return {
        'published script: read, step, read': partial(_loop, model, workload.published),
        f'fit, {many}': _fit(model, workload.sequence(workers=workers)),
        f'fit, {many}, cache': _fit(model, workload.sequence(workers=workers, cache=True)),
    }


def _loop(model: TrainingModel, epoch: Epoch) -> int:
    images = 0
    for batch in epoch():
        model.train_on_batch(*batch)
        images += batch_images(batch)
    return images


def _fit(model: TrainingModel, sequence: SampleSequence) -> Callable[[], int]:
    """Training on a sequence that is read once before, which fills its cache."""
    images = sum(batch_images(sequence[i]) for i in range(len(sequence)))

    def work() -> int:
        model.fit(sequence, shuffle=False, verbose=0)
        return images

    return work


def _epoch(sequence: SampleSequence, mapping: Callable[..., Iterator[Batch]]) -> Iterator[Batch]:
    """Batches of a sequence, by one thread (map) or those of a pool, as Keras reads them."""
    yield from mapping(sequence.__getitem__, range(len(sequence)))
    sequence.on_epoch_end()


def _packed(workload: Workload, folder: Path, maps: str) -> Workload:
    folder.parent.mkdir(exist_ok=True)
    write_shards(workload.reader, folder, shards=2, maps=maps)
    return replace(workload, reader=TfRecords(folder))


def _depth_workload(
    name: str, augment: str, load: published.Load, pairs: Pairs, size: Size, batch: int
) -> Workload:
    reader, files = pairs
    task = DepthObjective(ModelSpec('depth', 'fastdepth', size), 'l1')
    rng = np.random.default_rng(0)
    script = partial(published.read_batches, files, load, size, batch, rng)
    width, height = reader.read(0).size
    title = f'{name}, {width}x{height} to {size[0]}x{size[1]}'
    return Workload(title, script, reader, task.training_fit(Augmentation(augment)), batch)
