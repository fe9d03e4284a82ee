"""A network, or whatever makes predictions, measured on a data set."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample
from rs_ml_training.evaluation.scorers import Scorer
from rs_ml_training.prediction.flow import Stopwatch, ahead, batched
from rs_ml_training.prediction.results import Prediction

PredictBatch = Callable[[Sequence[Sample]], Sequence[Prediction]]
Progress = Callable[[Iterable[Sample], int | None], Iterable[Sample]]


@dataclass(frozen=True)
class Measured:
    """What an evaluation found.

    Attributes:
        count: pictures.
        metrics: name -> value, NaN where nothing was measured.
        seconds_per_image: in the predictor, without reading.
        worst: (name, value of the metric that judges), the worst first.
    """

    count: int
    metrics: dict[str, float]
    seconds_per_image: float
    worst: tuple[tuple[str, float], ...] = ()


def evaluate(
    reader: Reader,
    predict: PredictBatch,
    scorer: Scorer,
    *,
    batch_size: int = 1,
    worst: int = 0,
    progress: Progress | None = None,
) -> Measured:
    """Predict every sample at its full size and compare.

    Args:
        reader: the data.
        predict: predictions for several samples, as Predictor.batch.
        scorer: fresh, of the task.
        batch_size: samples a step.
        worst: how many of the worst pictures to name.
        progress: wraps samples and their number, as a progress bar does.

    Raises:
        InputError: a file is damaged, or a sample has no truth.
    """
    watch, judged = Stopwatch(), _Worst(scorer, worst)
    samples: Iterable[Sample] = ahead(_samples(reader))
    for batch in batched(progress(samples, len(reader)) if progress else samples, batch_size):
        with watch.lap(len(batch)):
            predictions = predict(batch)
        for sample, prediction in zip(batch, predictions, strict=True):
            scorer.update(sample, prediction)
            judged.add(sample, prediction)
    return Measured(watch.pictures, scorer.result(), watch.seconds_per_picture, judged.names())


class _Worst:
    """The worst pictures; those without truth are passed over."""

    def __init__(self, scorer: Scorer, count: int) -> None:
        self._scorer, self._count = scorer, count
        self._found: list[tuple[float, str, float]] = []

    def add(self, sample: Sample, prediction: Prediction) -> None:
        """Judge a picture by itself."""
        if not self._count:
            return
        single = self._scorer.fresh()
        single.update(sample, prediction)
        value = single.result()[self._scorer.judge]
        if math.isfinite(value):
            badness = value if self._scorer.lower_is_better else -value
            self._found.append((badness, sample.name, value))

    def names(self) -> tuple[tuple[str, float], ...]:
        chosen = heapq.nlargest(self._count, self._found)
        return tuple((name, value) for _, name, value in chosen)


def _samples(reader: Reader) -> Iterator[Sample]:
    return (reader.read(index) for index in range(len(reader)))
