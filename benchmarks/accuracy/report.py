"""The report as Markdown and JSON, and the marked part of a document that holds it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError, counted
from rs_ml_training.data.output_folder import write_file
from rs_ml_training.data.text_files import read_text

from benchmarks.accuracy.definitions import SHIPPED, Figures, Target
from benchmarks.accuracy.run import Report, Result
from benchmarks.tables import markdown_table

BEGIN, END = '<!-- measured: begin -->', '<!-- measured: end -->'
_MAX_OTHERS = 3
_COUNTS = frozenset({'people'})
_HIGHER_IS_BETTER = frozenset({'coverage', 'good_raw'})
_VERDICTS = {True: 'yes', False: '**no**', None: 'not measured'}
_WAYS = ('litert float32', 'openvino float32', 'openvino bfloat16')


def check_document(path: Path) -> None:
    """Raise ConfigError unless the file can be written or created."""
    if not path.exists():
        if not path.parent.is_dir():
            raise ConfigError(f'{path.parent} is no folder: give a path in one')
        return
    text = read_text(path)
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ConfigError(f'{path} has not the lines {BEGIN} and {END}, once each: add them')


def add_markers(path: Path, heading: str) -> None:
    """Append a section with markers to a file that has none.

    Raises:
        InputError: it cannot be read or written.
    """
    text = read_text(path)
    if BEGIN not in text:
        content = f'{text.rstrip()}\n\n{heading}\n\n{BEGIN}\n{END}\n'
        write_file(path, content.encode(), replace=True)


def write_part(path: Path, part: str) -> None:
    """Replace the part between the markers; a new file holds nothing else.

    Raises:
        ConfigError: the file has no markers.
        InputError: it cannot be written.
    """
    check_document(path)
    before, after = '', '\n'
    if path.exists():
        text = read_text(path)
        before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    content = f'{before}{BEGIN}\n\n{part}\n\n{END}{after}'
    write_file(path, content.encode(), replace=True)


def markdown(report: Report) -> str:
    """The overview, the data of every benchmark, and the speed."""
    parts = [_overview(report.results)]
    parts.append('\n'.join(_data_line(result) for result in report.results))
    if report.speed:
        parts.append(speed_section(report.speed))
    return '\n\n'.join(parts)


def card(report: Report, model: str) -> str:
    """All results of one model; '' without any."""
    parts = [_section(found) for found in report.results if found.benchmark.model == model]
    if model in report.speed.get('models', {}):
        parts.append(speed_section(report.speed, (model,)))
    return '\n\n'.join(parts)


def values(report: Report) -> dict[str, Any]:
    """The report as JSON values; NaN becomes null."""
    return {
        'benchmarks': {result.benchmark.name: _result(result) for result in report.results},
        'speed': dict(report.speed),
    }


def format_value(metric: str, value: float) -> str:
    """Three decimals; errors in metres as millimetres; a dash for NaN."""
    if math.isnan(value):
        return '-'
    if metric in _COUNTS:
        return f'{value:.0f}'
    return f'{1000 * value:.1f}' if metric.endswith('_m') else f'{value:.3f}'


def _overview(results: Iterable[Result]) -> str:
    """One row per metric, with its targets."""
    rows = [row for result in results for row in _overview_rows(result)]
    head = ['model', 'benchmark', 'metric', SHIPPED, 'others', 'target: met']
    return markdown_table(head, rows)


def _overview_rows(result: Result) -> Iterable[Sequence[str]]:
    benchmark, figures = result.benchmark, result.figures
    for metric, heading in benchmark.metrics.items():
        targets = [target for target in benchmark.targets if target.metric == metric]
        value = format_value(metric, figures.get(SHIPPED, {}).get(metric, math.nan))
        met = '; '.join(f'{target.text}: {_verdict(target, figures)}' for target in targets)
        yield benchmark.model, benchmark.name, heading, value, _others(figures, metric), met


def _others(figures: Figures, metric: str) -> str:
    """The other candidates; of many the first and the best."""
    others = {t: f[metric] for t, f in figures.items() if t != SHIPPED and metric in f}
    if len(others) > _MAX_OTHERS:
        first, *rest = others
        choose = max if metric in _HIGHER_IS_BETTER else min
        best = choose(rest, key=others.__getitem__)
        others = {first: others[first], f'best filter ({best})': others[best]}
    return '; '.join(f'{title} {format_value(metric, v)}' for title, v in others.items())


def _data_line(result: Result) -> str:
    skipped = [f' Skipped: {title or "all"}: {why}.' for title, why in result.missing.items()]
    name, data = result.benchmark.name, result.benchmark.data
    return f'* **{name}**: {data}: {counted(result.count, "image")}.{"".join(skipped)}'


def _section(result: Result) -> str:
    benchmark = result.benchmark
    parts = [f'### {benchmark.name}', f'{benchmark.data}: {counted(result.count, "image")}.']
    if result.figures:
        parts.append(_figures(result.figures, benchmark.metrics))
    classes = _classes(result.figures)
    if classes:
        parts.append(classes)
    if benchmark.targets and result.figures:
        parts.append(_targets(benchmark.targets, result.figures))
    parts += [
        f'Skipped: {title or benchmark.name}: {why}' for title, why in result.missing.items()
    ]
    return '\n\n'.join(parts)


def _figures(figures: Figures, metrics: Mapping[str, str]) -> str:
    rows = (
        [title, *(format_value(metric, found.get(metric, math.nan)) for metric in metrics)]
        for title, found in figures.items()
    )
    return markdown_table(['', *metrics.values()], rows)


def _classes(figures: Figures) -> str:
    """IoU of every class of a segmentation with several classes."""
    names = [key.removeprefix('iou_') for key in figures.get(SHIPPED, {}) if 'iou_' in key]
    if len(names) < 3:
        return ''
    rows = (
        [title, *(format_value(name, found[f'iou_{name}']) for name in names)]
        for title, found in figures.items()
    )
    return markdown_table(['IoU', *names], rows)


def _targets(targets: Sequence[Target], figures: Figures) -> str:
    rows = (
        [
            target.text,
            format_value(target.metric, figures.get(target.of, {}).get(target.metric, math.nan)),
            _verdict(target, figures),
        ]
        for target in targets
    )
    return markdown_table(['target', 'measured', 'met'], rows)


def _verdict(target: Target, figures: Figures) -> str:
    return _VERDICTS[target.is_met(figures)]


def _result(result: Result) -> dict[str, Any]:
    figures, targets = result.figures, result.benchmark.targets
    return {
        'data': result.benchmark.data,
        'count': result.count,
        'figures': {
            title: {m: v if math.isfinite(v) else None for m, v in found.items()}
            for title, found in figures.items()
        },
        'targets': {target.text: target.is_met(figures) for target in targets},
        'missing': dict(result.missing),
    }


def speed_section(speed: Mapping[str, Any], only: Sequence[str] = ()) -> str:
    """One row per model, and the machine.

    Args:
        speed: see `run.measure_speed`.
        only: names of models; empty: all, and the sum of those with a budget.
    """
    models = {name: speed['models'][name] for name in only or speed['models']}
    rows = [_speed_row(name, found) for name, found in models.items()]
    counted = [] if only else [found for found in models.values() if found['budget_ms']]
    times_ms = [_best_ms(found) for found in counted]
    best_ms = [one for one in times_ms if one is not None]
    if best_ms and len(best_ms) == len(times_ms):
        total_ms, budget_ms = sum(best_ms), sum(found['budget_ms'] for found in counted)
        met = _VERDICTS[total_ms <= budget_ms]
        empty = [''] * (1 + len(_WAYS))
        rows.append(['together', *empty, f'{total_ms:.1f}', f'{budget_ms:.0f}', met])
    return '\n\n'.join(
        [
            '### speed',
            'Milliseconds per inference at full input size on two threads, medians of alternating '
            f'runs; {_machine(speed["host"])}. In brackets: does not reproduce the golden output, '
            'so `rs-ml models tune` would not choose it.',
            markdown_table(['model', 'input', *_WAYS, 'best', 'budget', 'met'], rows),
        ]
    )


def _speed_row(name: str, found: Mapping[str, Any]) -> list[str]:
    ways, best_ms, budget_ms = found['ways'], _best_ms(found), found['budget_ms']
    cells = [name, found['input'], *(_cell(ways.get(way)) for way in _WAYS)]
    cells.append('-' if best_ms is None else f'{best_ms:.1f}')
    if budget_ms is None:
        return [*cells, '', '']
    return [*cells, f'{budget_ms:.0f}', _VERDICTS[best_ms is not None and best_ms <= budget_ms]]


def _cell(way: Mapping[str, Any] | None) -> str:
    if way is None:
        return '-'
    return f'{way["ms"]:.1f}' if way['is_faithful'] else f'({way["ms"]:.1f})'


def _best_ms(found: Mapping[str, Any]) -> float | None:
    return float(found['ways'][found['best']]['ms']) if found['best'] else None


def _machine(host: Mapping[str, Any]) -> str:
    flags = ', '.join(name for name, has in host['cpu_flags'].items() if has)
    versions = host['versions']
    runtimes = f'ai-edge-litert {versions["ai-edge-litert"]}, openvino {versions["openvino"]}'
    return f'{host["cpu"]} with {host["cores"]} cores ({flags}), {runtimes}'
