"""Images read and augmented a second."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from rs_ml_training.data.reader import Reader, Subset
from rs_ml_training.data.sample import Fit
from rs_ml_training.data.sample_codec import MAP_CODINGS
from rs_ml_training.data.sequence import SampleSequence
from rs_ml_training.data.tf_pipeline import dataset
from rs_ml_training.data.tfrecords import TfRecords, write_shards
from rs_ml_training.tasks.denoise import DenoiseObjective
from rs_ml_training.tasks.mono_depth import DepthObjective
from rs_ml_training.tasks.objective import Augmentation
from rs_ml_training.trained import ModelSpec

from benchmarks.training import published
from benchmarks.training.turns import Batch, Epoch

Size = tuple[int, int]
Pairs = tuple[Reader, list[published.Pair]]


@dataclass(frozen=True)
class Course:
    """The same files, to be read in different ways.

    Attributes:
        name: with the sizes.
        published: how the published script reads them.
        reader: how this project does.
        fit: augmentation, and the arrays of a sample.
        batch: samples a batch.
    """

    name: str
    published: Epoch
    reader: Reader
    fit: Fit
    batch: int

    def sequence(self, *, cache: bool = False, workers: int = 1) -> SampleSequence:
        """Batches for `fit`."""
        fit, batch = self.fit, self.batch
        return SampleSequence(self.reader, fit, batch, shuffle=True, workers=workers, cache=cache)


def fastdepth_course(pairs: Pairs, size: Size, batch: int) -> Course:
    """Depth as FastDepth is trained."""
    return _depth_course('FastDepth', 'fastdepth', published.fastdepth_pair, pairs, size, batch)


def bts_course(pairs: Pairs, size: Size, batch: int) -> Course:
    """Depth as BTS is trained."""
    return _depth_course('BTS', 'bts-nyu', published.bts_pair, pairs, size, batch)


def denoise_course(tiles: tuple[Reader, list[published.Triple]], side: int, batch: int) -> Course:
    """Tiles as Intel's denoiser is trained on them, which is without augmentation."""
    reader, files = tiles
    task = DenoiseObjective(ModelSpec('denoise', 'unet', (side, side)), 'denoise')
    script = partial(published.denoise_blocks, files, batch)
    name = f'Intel denoiser, {len(files)} tiles of {side}x{side}'
    return Course(name, script, reader, task.training_fit(Augmentation()), batch)


def repeated(pairs: Pairs, laps: int) -> Pairs:
    """Every pair so many times: an epoch of more steps, of the same pictures."""
    reader, files = pairs
    return Subset(reader, [*range(len(reader))] * laps), files * laps


def contestants(course: Course, folder: Path, pool: Executor, workers: int) -> dict[str, Epoch]:
    """Ways to read a course, the published script first.

    Args:
        course: what to read.
        folder: a new one, for TFRecord shards.
        pool: of `workers` threads.
        workers: threads, for tf.data.
    """
    many = f'{workers} threads'
    ways: dict[str, Epoch] = {
        'published script, 1 thread': course.published,
        'SampleSequence, 1 thread': one_thread(course.sequence()),
        f'SampleSequence, {many}': threads(course.sequence(), pool),
        f'SampleSequence, {many}, cache': threads(course.sequence(cache=True), pool),
    }
    for maps in MAP_CODINGS:
        records = _packed(course, folder / maps, maps).sequence()
        ways[f'TFRecord shards, {maps}, {many}'] = threads(records, pool)
    if importlib.util.find_spec('tensorflow'):
        fit, batch = course.fit, course.batch
        batches = dataset(course.reader, fit, batch, shuffle=True, workers=workers)
        ways[f'tf.data, {many}'] = lambda: batches
    return ways


def one_thread(sequence: SampleSequence) -> Epoch:
    """Its batches, one after the other."""
    return lambda: _epoch(sequence, map)


def threads(sequence: SampleSequence, pool: Executor) -> Epoch:
    """Its batches, read by the threads of a pool as Keras does."""
    return lambda: _epoch(sequence, pool.map)


def _epoch(sequence: SampleSequence, mapping: Callable[..., Iterator[Batch]]) -> Iterator[Batch]:
    yield from mapping(sequence.__getitem__, range(len(sequence)))
    sequence.on_epoch_end()


def _packed(course: Course, folder: Path, maps: str) -> Course:
    folder.parent.mkdir(exist_ok=True)
    write_shards(course.reader, folder, shards=2, maps=maps)
    return replace(course, reader=TfRecords(folder))


def _depth_course(
    name: str, augment: str, load: published.Load, pairs: Pairs, size: Size, batch: int
) -> Course:
    reader, files = pairs
    task = DepthObjective(ModelSpec('depth', 'fastdepth', size), 'l1')
    rng = np.random.default_rng(0)
    script = partial(published.in_turn, files, load, size, batch, rng)
    width, height = reader.read(0).size
    title = f'{name}, {width}x{height} to {size[0]}x{size[1]}'
    return Course(title, script, reader, task.training_fit(Augmentation(augment)), batch)
