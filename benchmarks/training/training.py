"""Images trained on a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import keras
from rs_ml_training.data.reader import Subset
from rs_ml_training.data.sequence import SampleSequence
from rs_ml_training.networks import registry
from rs_ml_training.tasks.mono_depth import DepthObjective
from rs_ml_training.trained import ModelSpec
from rs_ml_training.training.trainee import Trainee

from benchmarks.training.reading import Course
from benchmarks.training.turns import Epoch, batch_images

NETWORK = 'fastdepth-pruned'


def trainee(size: tuple[int, int], network: str = NETWORK) -> Trainee:
    """A depth network at (width, height), ready to be trained."""
    task = DepthObjective(ModelSpec('depth', network, size), 'l1')
    model = Trainee(registry.build(network, size), task)
    model.compile(optimizer=keras.optimizers.AdamW(1e-4))
    return model


def contestants(course: Course, model: Trainee, workers: int) -> dict[str, Callable[[], int]]:
    """Ways to train on a course, the loop of a published script first; all graphs are traced.

    Args:
        course: what to train on.
        model: trained by all of them.
        workers: threads of `fit`.
    """
    many = f'{workers} threads'
    first = replace(course, reader=Subset(course.reader, range(course.batch)))
    _fit(model, first.sequence(workers=workers))()
    model.train_on_batch(*next(iter(course.published())))
    return {
        'published script: read, step, read': _loop(model, course.published),
        f'fit, {many}': _fit(model, course.sequence(workers=workers)),
        f'fit, {many}, cache': _fit(model, course.sequence(workers=workers, cache=True)),
    }


def _loop(model: Trainee, epoch: Epoch) -> Callable[[], int]:
    def work() -> int:
        images = 0
        for batch in epoch():
            model.train_on_batch(*batch)
            images += batch_images(batch)
        return images

    return work


def _fit(model: Trainee, sequence: SampleSequence) -> Callable[[], int]:
    """The sequence is read once before, which fills its cache."""
    images = sum(batch_images(sequence[i]) for i in range(len(sequence)))

    def work() -> int:
        model.fit(sequence, shuffle=False, verbose=0)
        return images

    return work
