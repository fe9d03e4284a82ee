"""The one family of errors: every message names the offending value and the way out."""

from __future__ import annotations

from rs_ml_perception.core.printable import printable, shortened


class TrainingError(Exception):
    """Something the user can put right; commands print its message and exit with status 2.

    Its text may be shown as it is: names that strangers chose bring no escape codes.
    """

    def __str__(self) -> str:
        return printable(shortened(super().__str__()))


class ConfigError(TrainingError):
    """A flag or an option that makes no sense."""


class DataError(TrainingError):
    """Files that are missing, damaged or do not belong together."""


class CheckpointError(TrainingError):
    """Weights that are missing, damaged or of another network."""


class DivergedError(TrainingError):
    """The loss is not a finite number any more."""


class ExportError(TrainingError):
    """An export that is impossible, or that does not reproduce the network."""
