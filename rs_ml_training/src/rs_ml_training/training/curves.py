"""Learning curves of one or several trainings."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.figures import require_suffix, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

History = dict[str, list[float]]

_STEP = 'epoch'
_COLUMNS = 3
_LOSSES = ('loss', 'val_loss')


def read_history(path: Path) -> History:
    """Columns of a `history.csv`; empty cells are NaN.

    Raises:
        InputError: the file is missing or empty, or holds something other than numbers.
    """
    try:
        with path.open(newline='') as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}') from error
    if not rows or _STEP not in rows[0]:
        raise InputError(f'{path} holds no epoch of a training')
    try:
        return {name: [float(row[name] or 'nan') for row in rows] for name in rows[0]}
    except (ValueError, TypeError) as error:
        raise InputError(f'{path} is damaged: {error}') from error


def draw(history: Path, picture: Path) -> None:
    """Draw the curves of one training; see `draw_all`."""
    draw_all({history.parent.name: history}, picture)


def draw_all(histories: Mapping[str, Path], picture: Path, columns: Sequence[str] = ()) -> None:
    """Draw a panel for each column: losses together, then the metrics and the learning rate.

    Args:
        histories: name of a training -> its history.csv; several are drawn over each other.
        picture: file to write, .png, .svg or .pdf; replaced when it is complete.
        columns: those to draw, with or without 'val_'; empty: all.

    Raises:
        InputError: a history is missing or damaged, or the figure cannot be written.
        ConfigError: the figure has another suffix, or no training has such a column.
    """
    require_suffix(picture)
    from matplotlib.figure import Figure

    runs = {name: read_history(path) for name, path in histories.items()}
    panels = _chosen(_panels(runs), columns)
    rows = math.ceil(len(panels) / _COLUMNS)
    figure = Figure(figsize=(4.5 * _COLUMNS, 3 * rows), layout='constrained')
    axes = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axis, (title, columns) in zip(axes, panels.items(), strict=False):
        _draw_panel(axis, title, columns, runs)
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    save_figure(figure, picture, dpi=100)


def _panels(runs: Mapping[str, History]) -> dict[str, tuple[str, ...]]:
    """Title -> columns drawn in it, in the order of the files."""
    names = dict.fromkeys(name for run in runs.values() for name in run if name != _STEP)
    panels = {'loss': tuple(name for name in _LOSSES if name in names)}
    panels |= {name: (name,) for name in names if name not in _LOSSES and _is_drawn(name, runs)}
    return {title: columns for title, columns in panels.items() if columns}


def _chosen(
    panels: dict[str, tuple[str, ...]], columns: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    wanted = [name.removeprefix('val_') for name in columns]
    titles = {title.removeprefix('val_'): title for title in panels}
    for name in wanted:
        if name not in titles:
            raise ConfigError(f'no column {name!r}; there are {", ".join(titles)}')
    return {titles[name]: panels[titles[name]] for name in wanted} if wanted else panels


def _is_drawn(name: str, runs: Mapping[str, History]) -> bool:
    return any(math.isfinite(value) for run in runs.values() for value in run.get(name, ()))


def _draw_panel(
    axis: Axes, title: str, columns: Sequence[str], runs: Mapping[str, History]
) -> None:
    several = len(runs) > 1
    for name, run in runs.items():
        for column in columns:
            label = f'{name} {column}' if several else column
            axis.plot(*_points(run, column), label=label)
    axis.set_title(title.removeprefix('val_'), fontsize=10)
    axis.set_xlabel(_STEP)
    axis.grid(alpha=0.3)
    if several or len(columns) > 1:
        axis.legend(fontsize=8)


def _points(run: History, column: str) -> tuple[list[float], list[float]]:
    """The measured points: the line skips epochs without a validation."""
    pairs = zip(run[_STEP], run.get(column, ()), strict=False)
    known = [(x, y) for x, y in pairs if math.isfinite(y)]
    return [x for x, _ in known], [y for _, y in known]
