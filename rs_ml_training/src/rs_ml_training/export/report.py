"""What an export found out, and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rs_ml_training.export.artifact import Artifact
from rs_ml_training.export.comparison import Difference
from rs_ml_training.export.readings import Reading


@dataclass(frozen=True)
class ExportedFile:
    """One format.

    Attributes:
        artifact: what was written.
        megabytes: its size.
        difference: from the trained network, over all inputs compared.
        metrics: of the task, where they were measured.
    """

    artifact: Artifact
    megabytes: float
    difference: Difference
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ExportReport:
    """An export.

    Attributes:
        directory: of the model.
        precision: one of artifact.PRECISIONS.
        files: one per format.
        compared: how many inputs the comparison saw.
        metrics: of the trained network on the samples that those of the files were measured on.
        samples: how many these were.
        readings: of the files in other runtimes.
    """

    directory: Path
    precision: str
    files: tuple[ExportedFile, ...]
    compared: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    samples: int = 0
    readings: tuple[Reading, ...] = ()

    @property
    def worst(self) -> float:
        """The largest difference of any file."""
        return max(file.difference.worst for file in self.files)


def differences_table(report: ExportReport) -> str:
    """Markdown: size and error of every format, as shares of the range."""
    rows = ['| format | file | MB | largest error | mean error |', '|---|---|---|---|---|']
    for file in report.files:
        found = file.difference
        rows.append(
            f'| {file.artifact.format} | {file.artifact.path} | {file.megabytes:.2f} | '
            f'{found.worst:.2g} | {found.mean:.2g} |'
        )
    rows += [f'| {reading.title} | | | {reading.error:.2g} | |' for reading in report.readings]
    return '\n'.join(rows)


def metrics_table(report: ExportReport) -> str:
    """Markdown: the task's metrics of the trained network and of every format; '' without any."""
    if not report.metrics:
        return ''
    names = list(report.metrics)
    rows = [f'| | {" | ".join(names)} |', '|---' * (len(names) + 1) + '|']
    rows.append(_metrics_row('trained network', report.metrics, names))
    for file in report.files:
        rows.append(
            _metrics_row(f'{file.artifact.format} {report.precision}', file.metrics, names)
        )
        change = {name: file.metrics[name] - report.metrics[name] for name in names}
        rows.append(_metrics_row('difference', change, names, sign='+'))
    rows += [_metrics_row(found.title, found.metrics, names) for found in report.readings]
    return '\n'.join(rows)


def summary(report: ExportReport) -> str:
    """What the command prints."""
    parts = [
        f'{report.precision}, compared with the trained network on {report.compared} inputs '
        '(errors as shares of the range, of class maps the share of pixels):',
        differences_table(report),
    ]
    if report.metrics:
        parts += [f'on {report.samples} samples:', metrics_table(report)]
    return '\n\n'.join([*parts, f'{report.directory} is ready'])


def _metrics_row(
    title: str, metrics: Mapping[str, float], names: list[str], *, sign: str = ''
) -> str:
    return f'| {title} | ' + ' | '.join(f'{metrics[name]:{sign}.4f}' for name in names) + ' |'
