"""The results of an export: tables for the terminal, the model card and the licence file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rs_ml_training.export.artifact import ExportedArtifact, Port
from rs_ml_training.export.cross_checks import CrossCheck
from rs_ml_training.export.serving import Serving
from rs_ml_training.trained import ModelSpec

ERRORS = (
    'errors of maps and raw heads as fractions of the range of the output, of class maps the '
    'fraction of pixels that differ, of boxes in fractions of the image'
)
_PROJECT_LICENSE = 'Apache-2.0'


@dataclass(frozen=True)
class ExportedFile:
    """One format.

    Attributes:
        artifact: its files.
        megabytes: its size.
        errors: largest of each output against the trained network, over all inputs compared.
        metrics: of the task, where they were measured.
    """

    artifact: ExportedArtifact
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
        compared: number of inputs in the comparison.
        metrics: of the trained network, on the samples used for the files.
        samples: number of these samples.
        checks: of the files in other runtimes.
    """

    directory: Path
    precision: str
    files: tuple[ExportedFile, ...]
    compared: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    samples: int = 0
    checks: tuple[CrossCheck, ...] = ()

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
    rows += [f'| {found.title} | | | {_errors(found.errors, names)} |' for found in report.checks]
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
    rows += [_metrics_row(found.title, found.metrics, names) for found in report.checks]
    return '\n'.join(rows)


def summary(report: ExportReport) -> str:
    """The text that the command prints."""
    parts = [
        f'{report.precision}, compared with the trained network on {_inputs(report)} ({ERRORS}):',
        differences_table(report),
    ]
    if report.metrics:
        parts += [f'on {report.samples} samples:', metrics_table(report)]
    return '\n\n'.join([*parts, f'{report.directory} is ready'])


def _metrics_row(
    title: str, metrics: Mapping[str, float], names: list[str], *, sign: str = ''
) -> str:
    return f'| {title} | ' + ' | '.join(f'{metrics[name]:{sign}.4f}' for name in names) + ' |'


def write_card(
    folder: Path, spec: ModelSpec, serving: Serving, report: ExportReport, name: str, command: str
) -> None:
    """Write README.md, and LICENSE if the data put terms on the weights."""
    sections = [
        f'# {name}',
        _what(spec, serving),
        '## Accuracy\n\n' + _accuracy(spec),
        '## Files\n\n' + _files(report),
        '## Data and licence\n\n' + _data(spec),
        '## Reproduce\n\n' + _reproduce(spec, command),
    ]
    (folder / 'README.md').write_text('\n\n'.join(sections) + '\n', encoding='utf-8')
    if spec.license and spec.license != _PROJECT_LICENSE:
        (folder / 'LICENSE').write_text(_license(spec), encoding='utf-8')


def _what(spec: ModelSpec, serving: Serving) -> str:
    parameters = serving.model.count_params()
    lines = [
        f'Task: {spec.task}. Network: `{spec.network}`, {parameters:,} parameters.',
        '',
        *(f'- input `{port.name}`: {_port(port)}' for port in serving.inputs),
        *(f'- output `{output}`' for output in serving.outputs),
    ]
    if spec.options:
        lines.append(f'- options: {", ".join(f"{k}={v}" for k, v in spec.options.items())}')
    if spec.crop is not None:
        lines.append(f'- reads the part [x, y, width, height] = {list(spec.crop)} of the image')
    if serving.task.gives_depth:
        lines.append(f'- distances: {spec.depth_range_m[0]:g} to {spec.depth_range_m[1]:g} m')
    if spec.labels:
        lines.append(f'- classes: {", ".join(spec.labels)}')
    return '\n'.join(lines)


def _port(port: Port) -> str:
    width, height = port.size
    unit = 'metres, 0 where unknown' if port.dtype == 'float32' else '0..255'
    return f'{port.dtype} {width}x{height}, {port.shape[3]} channels, {unit}'


def _accuracy(spec: ModelSpec) -> str:
    if not spec.metrics:
        return 'Not measured.'
    rows = [f'| {name} | {value:.4g} |' for name, value in spec.metrics.items()]
    title = 'The trained network on its validation data:'
    return '\n'.join([title, '', '| metric | value |', '|---|---|', *rows])


def _inputs(report: ExportReport) -> str:
    return f'{report.compared} input{"" if report.compared == 1 else "s"}'


def _files(report: ExportReport) -> str:
    parts = [
        f'Precision {report.precision}. Errors against the trained network over '
        f'{_inputs(report)} ({ERRORS}).',
        differences_table(report),
    ]
    if report.metrics:
        parts += [f'Cost on {report.samples} samples:', metrics_table(report)]
    return '\n\n'.join(parts)


def _data(spec: ModelSpec) -> str:
    data = spec.data or 'not recorded'
    lines = [f'Trained on: {data}.', f'Licence of the data: {spec.license or "none stated"}.']
    if spec.weights:
        lines.append(f'Started from: {spec.weights}.')
    return '\n\n'.join(lines)


def _reproduce(spec: ModelSpec, command: str) -> str:
    lines = [line for line in (spec.command, command) if line]
    return '\n'.join(f'    {line}' for line in lines) if lines else 'Not recorded.'


def _license(spec: ModelSpec) -> str:
    return (
        'The weights in this folder were trained on data of others and may be used under the '
        f'terms of these data alone.\n\nData: {spec.data or "not recorded"}\n'
        f'Terms: {spec.license}\n'
        + (f'Started from: {spec.weights}\n' if spec.weights else '')
        + f'\nEverything else here is licensed as {_PROJECT_LICENSE}.\n'
    )
