"""An evaluation as a table and as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rs_ml_training.data.output_folder import write_file
from rs_ml_training.evaluation.evaluate import Measured

_COLUMNS = 10


@dataclass(frozen=True)
class Report:
    """What was measured on what.

    Attributes:
        task: depth, segmentation, denoise or detection.
        model: what made the predictions.
        data: what they were compared with.
        measured: the outcome.
        protocol: rules that decide the figures, as crop and range.
        judge: metric that orders the worst pictures.
    """

    task: str
    model: str
    data: str
    measured: Measured
    protocol: dict[str, Any] = field(default_factory=dict)
    judge: str = ''

    def table(self) -> str:
        """Lines for a terminal: the metrics in columns, then the worst pictures."""
        metrics = {k: v for k, v in self.measured.metrics.items() if k != 'count'}
        lines = [f'{self.task} of {self.model} on {self.data}: {self.measured.count} pictures']
        rules = ', '.join(f'{key} {value}' for key, value in self.protocol.items())
        lines += [rules] if rules else []
        names = list(metrics)
        for start in range(0, len(names), _COLUMNS):
            lines += _columns({name: metrics[name] for name in names[start : start + _COLUMNS]})
        lines.append(f'{1000 * self.measured.seconds_per_image:.1f} ms a picture')
        lines += [f'worst: {name}  {self.judge} {v:.4f}' for name, v in self.measured.worst]
        return '\n'.join(lines)

    def values(self) -> dict[str, Any]:
        """JSON values; what was not measured is null."""
        measured = self.measured
        return {
            'task': self.task,
            'model': self.model,
            'data': self.data,
            'protocol': self.protocol,
            'count': measured.count,
            'metrics': {name: finite_or_none(value) for name, value in measured.metrics.items()},
            'seconds_per_image': finite_or_none(measured.seconds_per_image),
            'worst': [{'name': name, self.judge: finite_or_none(v)} for name, v in measured.worst],
        }

    def write(self, path: Path) -> None:
        """Write the JSON file, whole or not at all.

        Raises:
            InputError: it cannot be written.
        """
        write_file(path, (json.dumps(self.values(), indent=2) + '\n').encode(), replace=True)


def _columns(metrics: dict[str, float]) -> list[str]:
    texts = {name: f'{value:.4f}' for name, value in metrics.items()}
    widths = {name: max(len(name), len(text)) for name, text in texts.items()}
    return [
        '  '.join(name.rjust(widths[name]) for name in texts),
        '  '.join(text.rjust(widths[name]) for name, text in texts.items()),
    ]


def finite_or_none(value: float) -> float | None:
    """A number as JSON can say it."""
    return value if math.isfinite(value) else None
