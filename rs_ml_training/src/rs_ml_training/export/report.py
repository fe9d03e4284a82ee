"""What an export found out, and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rs_ml_training.export.artifact import Artifact
from rs_ml_training.export.readings import Reading

ERRORS = (
    'errors of maps and raw heads as fractions of the range of the output, of class maps the '
    'fraction of pixels that differ, of boxes in fractions of the picture'
)


@dataclass(frozen=True)
class ExportedFile:
    """One format.

    Attributes:
        artifact: what was written.
        megabytes: its size.
        errors: largest of each output against the trained network, over all inputs compared.
        metrics: of the task, where they were measured.
    """

    artifact: Artifact
    megabytes: float
    errors: Mapping[str, float]
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
        """The largest error of any output of any file."""
        return max(max(file.errors.values()) for file in self.files)


def differences_table(report: ExportReport) -> str:
    """Markdown: size of every format, and the largest error of each output."""
    names = list(report.files[0].errors)
    rows = [f'| format | file | MB | {" | ".join(names)} |', '|---' * (len(names) + 3) + '|']
    for file in report.files:
        facts = f'{file.artifact.format} | {file.artifact.path} | {file.megabytes:.2f}'
        rows.append(f'| {facts} | {_errors(file.errors, names)} |')
    rows += [
        f'| {found.title} | | | {_errors(found.errors, names)} |' for found in report.readings
    ]
    return '\n'.join(rows)


def _errors(errors: Mapping[str, float], names: list[str]) -> str:
    return ' | '.join(f'{errors[name]:.2g}' for name in names)


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
        f'({ERRORS}):',
        differences_table(report),
    ]
    if report.metrics:
        parts += [f'on {report.samples} samples:', metrics_table(report)]
    return '\n\n'.join([*parts, f'{report.directory} is ready'])


def _metrics_row(
    title: str, metrics: Mapping[str, float], names: list[str], *, sign: str = ''
) -> str:
    return f'| {title} | ' + ' | '.join(f'{metrics[name]:{sign}.4f}' for name in names) + ' |'
