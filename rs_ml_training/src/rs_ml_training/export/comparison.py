"""How far a converted network is from the trained one."""

from __future__ import annotations

from collections.abc import Iterable

from rs_ml_perception.inference.output_errors import usual_errors

from rs_ml_training.errors import ExportError
from rs_ml_training.export.artifact import Arrays

LIMITS = {'float32': 1e-3, 'float16': 1e-2}
"""Largest error allowed of any output, see output_errors.usual_measure."""

Errors = dict[str, float]
"""Output -> error."""


def difference(expected: Arrays, actual: Arrays) -> Errors:
    """Compare two results of one input, output by output.

    Raises:
        ExportError: the outputs have other names.
    """
    if set(expected) != set(actual):
        raise ExportError(f'outputs are {sorted(actual)} in place of {sorted(expected)}')
    return usual_errors(expected, actual)


def worst_of(differences: Iterable[Errors]) -> Errors:
    """The largest error of each output."""
    worst: Errors = {}
    for errors in differences:
        for name, error in errors.items():
            worst[name] = max(error, worst.get(name, 0.0))
    return worst


def refuse_if_beyond(errors: Errors, precision: str, what: str) -> None:
    """Raise ExportError if an error is larger than its precision excuses; int8 is not judged."""
    limit = LIMITS.get(precision)
    for name, error in errors.items():
        if limit is not None and not error <= limit:
            raise ExportError(
                f'{what} does not reproduce the trained network: {name} is off by {error:.3g}, '
                f'{precision} allows {limit:g}; nothing was written, leave this format out'
            )
