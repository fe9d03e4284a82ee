"""Lines of the printed table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement for people.

    Attributes:
        name: what was measured.
        value: what came out.
        goal: what should come out, '' for none.
        is_met: whether it did; None without a goal.
    """

    name: str
    value: str
    goal: str = ''
    is_met: bool | None = None

    @property
    def verdict(self) -> str:
        """'', 'ok' or 'MISSED'."""
        return '' if self.is_met is None else ('ok' if self.is_met else 'MISSED')


def format_rows(title: str, rows: Sequence[Row]) -> str:
    """A section of the table."""
    width = max((len(row.name) for row in rows), default=0)
    lines = [title, '-' * len(title)]
    for row in rows:
        goal = f'   goal {row.goal}: {row.verdict}' if row.goal else ''
        lines.append(f'{row.name:<{width}}  {row.value}{goal}')
    return '\n'.join(lines)
