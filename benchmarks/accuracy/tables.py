"""What was measured, as Markdown and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.accuracy.contests import SHIPPED, Aim, Figures
from benchmarks.accuracy.measure import Book, Outcome
from benchmarks.accuracy.speed_table import speed_section

_MOST_BESIDE = 3
_COUNTS = frozenset({'people'})
_HIGHER_IS_BETTER = frozenset({'coverage', 'good_raw'})
_VERDICTS = {True: 'yes', False: '**no**', None: 'not measured'}


def markdown(book: Book) -> str:
    """An overview, every contest with its aims, the milliseconds."""
    parts = [_overview(book.outcomes), *(_section(outcome) for outcome in book.outcomes)]
    if book.speed:
        parts.append(speed_section(book.speed))
    return '\n\n'.join(parts)


def card(book: Book, model: str) -> str:
    """What concerns one model; '' where nothing was measured of it."""
    parts = [_section(found) for found in book.outcomes if found.contest.model == model]
    if model in book.speed.get('models', {}):
        parts.append(speed_section(book.speed, (model,)))
    return '\n\n'.join(parts)


def values(book: Book) -> dict[str, Any]:
    """The same as JSON values; what is not a number is null."""
    return {
        'contests': {outcome.contest.name: _outcome(outcome) for outcome in book.outcomes},
        'speed': dict(book.speed),
    }


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f'| {" | ".join(head)} |', '|---' * len(head) + '|']
    return '\n'.join([*lines, *(f'| {" | ".join(row)} |' for row in rows)])


def shown(metric: str, value: float) -> str:
    """Three decimals; errors in metres as millimetres; a dash for what was not measured."""
    if math.isnan(value):
        return '-'
    if metric in _COUNTS:
        return f'{value:.0f}'
    return f'{1000 * value:.1f}' if metric.endswith('_m') else f'{value:.3f}'


def _overview(outcomes: Iterable[Outcome]) -> str:
    """A line for every figure that something is aimed at, and for those that stand alone."""
    rows = [row for outcome in outcomes for row in _overview_rows(outcome)]
    return table(['model', 'judged on', 'figure', SHIPPED, 'beside it', 'aim: reached'], rows)


def _overview_rows(outcome: Outcome) -> Iterable[Sequence[str]]:
    contest, figures = outcome.contest, outcome.figures
    for metric, heading in contest.metrics.items():
        aims = [aim for aim in contest.aims if aim.metric == metric]
        value = figures.get(SHIPPED, {}).get(metric, math.nan)
        reached = '; '.join(f'{aim.text}: {_verdict(aim, figures)}' for aim in aims)
        beside = _beside(figures, metric)
        yield contest.model, contest.name, heading, shown(metric, value), beside, reached


def _beside(figures: Figures, metric: str) -> str:
    """The others; of many the first and the best."""
    others = {t: f[metric] for t, f in figures.items() if t != SHIPPED and metric in f}
    if len(others) > _MOST_BESIDE:
        first, *rest = others
        choose = max if metric in _HIGHER_IS_BETTER else min
        best = choose(rest, key=others.__getitem__)
        others = {first: others[first], f'best filter ({best})': others[best]}
    return '; '.join(f'{title} {shown(metric, value)}' for title, value in others.items())


def _section(outcome: Outcome) -> str:
    contest = outcome.contest
    parts = [f'### {contest.name}', f'{contest.data}: {outcome.count} pictures.']
    if outcome.figures:
        parts.append(_figures(outcome.figures, contest.metrics))
    classes = _classes(outcome.figures)
    if classes:
        parts.append(classes)
    if contest.aims and outcome.figures:
        parts.append(_aims(contest.aims, outcome.figures))
    parts += [
        f'Left out: {title or contest.name}: {why}' for title, why in outcome.missing.items()
    ]
    return '\n\n'.join(parts)


def _figures(figures: Figures, metrics: Mapping[str, str]) -> str:
    rows = (
        [title, *(shown(metric, found.get(metric, math.nan)) for metric in metrics)]
        for title, found in figures.items()
    )
    return table(['', *metrics.values()], rows)


def _classes(figures: Figures) -> str:
    """IoU of every class, where a segmentation of several classes was judged."""
    names = [key.removeprefix('iou_') for key in figures.get(SHIPPED, {}) if 'iou_' in key]
    if len(names) < 3:
        return ''
    rows = (
        [title, *(shown(name, found[f'iou_{name}']) for name in names)]
        for title, found in figures.items()
    )
    return table(['IoU', *names], rows)


def _aims(aims: Sequence[Aim], figures: Figures) -> str:
    rows = (
        [aim.text, shown(aim.metric, _value(figures, aim)), _verdict(aim, figures)] for aim in aims
    )
    return table(['aim', 'measured', 'reached'], rows)


def _value(figures: Figures, aim: Aim) -> float:
    return figures.get(aim.of, {}).get(aim.metric, math.nan)


def _verdict(aim: Aim, figures: Figures) -> str:
    return _VERDICTS[aim.is_reached(figures)]


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        'data': outcome.contest.data,
        'count': outcome.count,
        'figures': {
            title: {m: v if math.isfinite(v) else None for m, v in found.items()}
            for title, found in outcome.figures.items()
        },
        'aims': {aim.text: aim.is_reached(outcome.figures) for aim in outcome.contest.aims},
        'missing': dict(outcome.missing),
    }
