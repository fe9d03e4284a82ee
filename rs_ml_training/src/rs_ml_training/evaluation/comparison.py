"""Several methods on the same frames; some of them depend on the preceding frames."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import counted

from rs_ml_training.data.output_folder import write_file
from rs_ml_training.data.reader import Reader, Subset, scenes_in_turn
from rs_ml_training.data.sample import Sample
from rs_ml_training.evaluation.evaluate import Measured, Progress, evaluate, finite_or_none
from rs_ml_training.tasks.options import EvaluateOptions
from rs_ml_training.tasks.task import PredictBatch, Scorer, Task


@dataclass(frozen=True)
class Comparison:
    """The figures of several methods on the same frames.

    Attributes:
        task: its name.
        data: the frames.
        measured: name of a method -> its outcome.
        columns: metrics of the table -> (unit, factor on the value).
        protocol: rules behind the figures, such as the threshold of the confidence.
    """

    task: str
    data: str
    measured: Mapping[str, Measured]
    columns: Mapping[str, tuple[str, float]]
    protocol: dict[str, Any] = field(default_factory=dict)

    def table(self) -> str:
        """A line for each method."""
        rules = ', '.join(f'{key} {value}' for key, value in self.protocol.items())
        count = next(iter(self.measured.values())).count
        head = (
            f'{self.task} on {self.data}: {counted(count, "frame")}{", " if rules else ""}{rules}'
        )
        units = {name: unit for name, (unit, _) in self.columns.items()}
        rows = [['', *(f'{name.removesuffix("_m")} {unit}' for name, unit in units.items())]]
        rows += [[name, *self._figures(found)] for name, found in self.measured.items()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ['  '.join(t.rjust(w) for t, w in zip(row, widths, strict=True)) for row in rows]
        return '\n'.join([head, *lines])

    def _figures(self, found: Measured) -> list[str]:
        return [f'{k * found.metrics[name]:.1f}' for name, (_, k) in self.columns.items()]

    def values(self) -> dict[str, Any]:
        """JSON values; null where nothing was measured."""
        ways = {
            name: {n: finite_or_none(value) for n, value in found.metrics.items()}
            for name, found in self.measured.items()
        }
        return {'task': self.task, 'data': self.data, 'protocol': self.protocol, 'ways': ways}

    def write(self, path: Path) -> None:
        """Write the JSON file atomically.

        Raises:
            InputError: it cannot be written.
        """
        write_file(path, (json.dumps(self.values(), indent=2) + '\n').encode(), replace=True)


def compare(
    task: Task[Any, Any],
    options: EvaluateOptions,
    reader: Reader,
    models: Mapping[str, PredictBatch],
    *,
    progress: Progress | None = None,
) -> dict[str, Measured]:
    """The task's rival methods and some models on the same frames.

    Args:
        task: of the models.
        options: of the evaluation; they choose the rivals and the frames that count.
        reader: all frames; rivals see those of a scene in turn.
        models: name -> predictions of each frame by itself.
        progress: wraps samples and their number, as a progress bar does.

    Raises:
        ConfigError: a rival is not installed.
        InputError: a file is damaged, or a sample has no truth.
    """
    rivals, judged = task.rivals(options), task.evaluated(options, reader)
    everything = Subset(reader, scenes_in_turn(reader))
    names = {judged.name(i) for i in range(len(judged))}
    found: dict[str, Measured] = {}
    for name, predict in (rivals.methods if rivals else {}).items():
        counted = Named(task.scorer(options, (), reader), names)
        found[name] = replace(evaluate(everything, predict, counted), count=len(judged))
    for name, predict in models.items():
        scorer = task.scorer(options, (), reader)
        found[name] = evaluate(judged, predict, scorer, progress=progress)
    return found


class Named(Scorer[Any]):
    """A scorer that skips samples of other names."""

    def __init__(self, scorer: Scorer[Any], names: set[str]) -> None:
        self._scorer, self._names = scorer, names

    def update(self, sample: Sample, prediction: Any) -> None:
        if sample.name in self._names:
            self._scorer.update(sample, prediction)

    def result(self) -> dict[str, float]:
        return self._scorer.result()

    def fresh(self) -> Named:
        return Named(self._scorer.fresh(), self._names)
