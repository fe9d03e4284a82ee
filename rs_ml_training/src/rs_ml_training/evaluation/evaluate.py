"""Evaluation of a network, or of any other predictions, on a data set."""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import counted

from rs_ml_training.data.output_folder import write_file
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample
from rs_ml_training.prediction.batching import Stopwatch, batched, prefetched
from rs_ml_training.prediction.results import Prediction
from rs_ml_training.tasks.task import PredictBatch, Scorer

_COLUMNS = 10

Progress = Callable[[Iterable[Sample], int | None], Iterable[Sample]]


@dataclass(frozen=True)
class Measured:
    """The result of an evaluation.

    Attributes:
        count: number of images.
        metrics: name -> value, NaN where nothing was measured.
        seconds_per_image: in the predictor, without reading.
        worst: (name, value of the ranking metric), the worst first.
    """

    count: int
    metrics: dict[str, float]
    seconds_per_image: float
    worst: tuple[tuple[str, float], ...] = ()


def evaluate(
    reader: Reader,
    predict: PredictBatch,
    scorer: Scorer[Any],
    *,
    batch_size: int = 1,
    worst: int = 0,
    progress: Progress | None = None,
) -> Measured:
    """Predict every sample at its full size and compare.

    Args:
        reader: the data.
        predict: predictions for several samples, as Predictor.batch.
        scorer: empty, of the task.
        batch_size: samples a step.
        worst: number of the worst images to name.
        progress: wraps samples and their number, as a progress bar does.

    Raises:
        InputError: a file is damaged, or a sample has no truth.
    """
    watch, judged = Stopwatch(), _Worst(scorer, worst)
    samples: Iterable[Sample] = prefetched(_samples(reader))
    for batch in batched(progress(samples, len(reader)) if progress else samples, batch_size):
        with watch.lap(len(batch)):
            predictions = predict(batch)
        for sample, prediction in zip(batch, predictions, strict=True):
            scorer.update(sample, prediction)
            judged.add(sample, prediction)
    return Measured(watch.pictures, scorer.result(), watch.seconds_per_picture, judged.names())


class _Worst:
    """The worst images; those without truth are skipped."""

    def __init__(self, scorer: Scorer[Any], count: int) -> None:
        self._scorer, self._count = scorer, count
        self._found: list[tuple[float, str, float]] = []

    def add(self, sample: Sample, prediction: Prediction) -> None:
        """Score an image by itself."""
        if not self._count:
            return
        single = self._scorer.fresh()
        single.update(sample, prediction)
        value = single.result()[self._scorer.ranking_metric]
        if math.isfinite(value):
            badness = value if self._scorer.lower_is_better else -value
            self._found.append((badness, sample.name, value))

    def names(self) -> tuple[tuple[str, float], ...]:
        chosen = heapq.nlargest(self._count, self._found)
        return tuple((name, value) for _, name, value in chosen)


def _samples(reader: Reader) -> Iterator[Sample]:
    return (reader.read(index) for index in range(len(reader)))


@dataclass(frozen=True)
class EvaluationReport:
    """The result with its model, data and rules.

    Attributes:
        task: its name.
        model: source of the predictions.
        data: the truth.
        measured: the outcome.
        protocol: rules behind the figures, such as crop and range.
        ranking_metric: metric that ranks single images.
    """

    task: str
    model: str
    data: str
    measured: Measured
    protocol: dict[str, Any] = field(default_factory=dict)
    ranking_metric: str = ''

    def table(self) -> str:
        """Lines for a terminal: the metrics in columns, then the worst images."""
        metrics = {k: v for k, v in self.measured.metrics.items() if k != 'count'}
        lines = [
            f'{self.task} of {self.model} on {self.data}: {counted(self.measured.count, "image")}'
        ]
        rules = ', '.join(f'{key} {value}' for key, value in self.protocol.items())
        lines += [rules] if rules else []
        names = list(metrics)
        for start in range(0, len(names), _COLUMNS):
            lines += _columns({name: metrics[name] for name in names[start : start + _COLUMNS]})
        lines.append(f'{1000 * self.measured.seconds_per_image:.1f} ms an image')
        lines += [
            f'worst: {name}  {self.ranking_metric} {v:.4f}' for name, v in self.measured.worst
        ]
        return '\n'.join(lines)

    def values(self) -> dict[str, Any]:
        """JSON values; null where nothing was measured."""
        measured = self.measured
        return {
            'task': self.task,
            'model': self.model,
            'data': self.data,
            'protocol': self.protocol,
            'count': measured.count,
            'metrics': {name: finite_or_none(value) for name, value in measured.metrics.items()},
            'seconds_per_image': finite_or_none(measured.seconds_per_image),
            'worst': [
                {'name': name, self.ranking_metric: finite_or_none(v)}
                for name, v in measured.worst
            ],
        }

    def write(self, path: Path) -> None:
        """Write the JSON file atomically.

        Raises:
            InputError: it cannot be written.
        """
        write_file(path, (json.dumps(self.values(), indent=2) + '\n').encode(), replace=True)


def _columns(metrics: dict[str, float]) -> list[str]:
    texts = {name: f'{value:.4f}' for name, value in metrics.items()}
    widths = {name: max(len(name), len(text)) for name, text in texts.items()}
    return [
        '  '.join(name.rjust(widths[name]) for name in texts),
        '  '.join(text.rjust(widths[name]) for name, text in texts.items()),
    ]


def finite_or_none(value: float) -> float | None:
    """The number, or None where it is not finite."""
    return value if math.isfinite(value) else None
