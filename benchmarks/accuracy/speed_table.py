"""Milliseconds of the models as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

WAYS = ('litert float32', 'openvino float32', 'openvino bfloat16')


def speed_section(speed: Mapping[str, Any], only: Sequence[str] = ()) -> str:
    """One line a model, and the machine that it was measured on.

    Args:
        speed: see `speed.measure_speed`.
        only: names of models; empty: all, and the sum of those with a budget.
    """
    lines = [
        '### speed',
        f'Milliseconds of one inference at full input size on two threads, all ways in turns, '
        f'medians; {_machine(speed["host"])}. In brackets: does not reproduce the golden output, '
        'so that `rs-ml models tune` would not choose it.',
        '| model | input | ' + ' | '.join(WAYS) + ' | best | budget | reached |',
        '|---' * (len(WAYS) + 5) + '|',
    ]
    models = {name: speed['models'][name] for name in only or speed['models']}
    lines += [_row(name, found) for name, found in models.items()]
    counted = [] if only else [found for found in models.values() if found['budget_ms']]
    best = [_best_ms(found) for found in counted]
    if best and None not in best:
        total_ms, budget_ms = sum(best), sum(found['budget_ms'] for found in counted)
        cells = ['together', '', *('' for _ in WAYS), f'{total_ms:.1f}', f'{budget_ms:.0f}']
        lines.append(f'| {" | ".join(cells)} | {_verdict(total_ms <= budget_ms)} |')
    head, body = lines[:2], lines[2:]
    return '\n\n'.join([*head, '\n'.join(body)])


def _row(name: str, found: Mapping[str, Any]) -> str:
    ways, best_ms, budget_ms = found['ways'], _best_ms(found), found['budget_ms']
    cells = [name, found['input'], *(_cell(ways.get(way)) for way in WAYS)]
    cells.append('-' if best_ms is None else f'{best_ms:.1f}')
    if budget_ms is None:
        return f'| {" | ".join(cells)} | | |'
    reached = best_ms is not None and best_ms <= budget_ms
    return f'| {" | ".join(cells)} | {budget_ms:.0f} | {_verdict(reached)} |'


def _cell(way: Mapping[str, Any] | None) -> str:
    if way is None:
        return '-'
    return f'{way["ms"]:.1f}' if way['is_faithful'] else f'({way["ms"]:.1f})'


def _best_ms(found: Mapping[str, Any]) -> float | None:
    return found['ways'][found['best']]['ms'] if found['best'] else None


def _verdict(is_reached: bool) -> str:
    return 'yes' if is_reached else '**no**'


def _machine(host: Mapping[str, Any]) -> str:
    flags = ', '.join(name for name, has in host['cpu_flags'].items() if has)
    versions = host['versions']
    runtimes = f'ai-edge-litert {versions["ai-edge-litert"]}, openvino {versions["openvino"]}'
    return f'{host["cpu"]} with {host["cores"]} cores ({flags}), {runtimes}'
