"""The model card: README.md, and LICENSE of weights that are not the project's own."""

from __future__ import annotations

from pathlib import Path

from rs_ml_training.export.artifact import Port
from rs_ml_training.export.report import ERRORS, ExportReport, differences_table, metrics_table
from rs_ml_training.export.serving import Serving
from rs_ml_training.trained import ModelSpec

_PROJECT_LICENSE = 'Apache-2.0'


def write_card(
    folder: Path, spec: ModelSpec, serving: Serving, report: ExportReport, name: str, command: str
) -> None:
    """Write README.md, and LICENSE where the data put terms on the weights."""
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
        lines.append(f'- sees the part [x, y, width, height] = {list(spec.crop)} of the picture')
    if spec.task in ('depth', 'denoise'):
        lines.append(f'- distances: {spec.depth_range_m[0]:g} to {spec.depth_range_m[1]:g} m')
    if spec.labels:
        lines.append(f'- classes: {", ".join(spec.labels)}')
    return '\n'.join(lines)


def _port(port: Port) -> str:
    width, height = port.size
    unit = 'metres, 0 where nothing was measured' if port.dtype == 'float32' else '0..255'
    return f'{port.dtype} {width}x{height}, {port.shape[3]} channels, {unit}'


def _accuracy(spec: ModelSpec) -> str:
    if not spec.metrics:
        return 'Not measured.'
    rows = [f'| {name} | {value:.4g} |' for name, value in spec.metrics.items()]
    title = 'The trained network on its validation data:'
    return '\n'.join([title, '', '| metric | value |', '|---|---|', *rows])


def _files(report: ExportReport) -> str:
    parts = [
        f'Precision {report.precision}. Errors against the trained network over '
        f'{report.compared} inputs ({ERRORS}).',
        differences_table(report),
    ]
    if report.metrics:
        parts += [f'What it costs on {report.samples} samples:', metrics_table(report)]
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
