"""Tables for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement on the terminal.

    Attributes:
        name: of the measured thing.
        value: result, with its unit.
        goal: expected result, '' for none.
        is_met: whether the goal is met; None without a goal.
    """

    name: str
    value: str
    goal: str = ''
    is_met: bool | None = None

    @property
    def verdict(self) -> str:
        """'', 'ok' or 'MISSED'."""
        return '' if self.is_met is None else ('ok' if self.is_met else 'MISSED')


def terminal_table(title: str, rows: Sequence[Row]) -> str:
    """Rows below an underlined title."""
    width = max((len(row.name) for row in rows), default=0)
    lines = [title, '-' * len(title)]
    for row in rows:
        goal = f'   goal {row.goal}: {row.verdict}' if row.goal else ''
        lines.append(f'{row.name:<{width}}  {row.value}{goal}')
    return '\n'.join(lines)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f'| {" | ".join(head)} |', '|---' * len(head) + '|']
    return '\n'.join([*lines, *(f'| {" | ".join(row)} |' for row in rows)])
