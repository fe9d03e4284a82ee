"""Whether reading or training is the bottleneck."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rs_ml_training.data.sequence import SampleSequence
from rs_ml_training.tasks.options import TrainOptions

BATCHES = 8


@dataclass(frozen=True)
class Profile:
    """Images per second of reading and training, each alone and then together.

    Attributes:
        reading: of the batches, in one thread.
        workers: threads that read in a training.
        training: of steps on one batch, repeated.
        together: of a part of the training as it will run.
    """

    reading: float
    workers: int
    training: float
    together: float

    @property
    def bottleneck(self) -> str:
        """'reading' if all threads together deliver less than a step consumes."""
        return 'reading' if self.reading * max(self.workers, 1) < self.training else 'training'

    def __str__(self) -> str:
        remedy = ': more --workers, --cache, or TFRecords' if self.bottleneck == 'reading' else ''
        return (
            f'reading  {self.reading:8.1f} images/s a thread, {self.workers} threads\n'
            f'training {self.training:8.1f} images/s\n'
            f'together {self.together:8.1f} images/s\n'
            f'bottleneck: {self.bottleneck}{remedy}'
        )


def profile(task: str, options: TrainOptions, batches: int = BATCHES) -> Profile:
    """Measure some batches of a training; nothing is written.

    Args:
        task: its name.
        options: of the training.
        batches: number to time; fewer if the data have fewer.
    """
    from rs_ml_training.training.session import prepare

    session = prepare(task, options)
    data, model = session.training, session.model
    count = min(batches, len(data))
    inputs, targets = data[0]
    images = len(next(iter(inputs.values())))
    # Each builds its own graph first, which is not timed.
    model.fit(_First(data, 1), shuffle=False, verbose=0)
    model.train_on_batch(inputs, targets)
    steps = _seconds(lambda: [model.train_on_batch(inputs, targets) for _ in range(count)])
    reading = _seconds(lambda: [data[i] for i in range(count)])
    together = _seconds(lambda: model.fit(_First(data, count), shuffle=False, verbose=0))
    rates = [count * images / seconds for seconds in (reading, steps, together)]
    return Profile(rates[0], options.workers, rates[1], rates[2])


class _First(SampleSequence):
    """The first batches of a sequence."""

    def __init__(self, whole: SampleSequence, count: int) -> None:
        self.__dict__.update(whole.__dict__)
        self._count = count

    def __len__(self) -> int:
        return self._count


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
