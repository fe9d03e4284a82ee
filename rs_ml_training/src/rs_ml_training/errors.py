"""The errors of training, of the one family that begins in `rs_ml_perception.core.errors`."""

from __future__ import annotations

from rs_ml_perception.core.errors import ModelError, RsMlError


class CheckpointError(ModelError):
    """Weights that are missing, damaged or of another network."""


class DivergedError(RsMlError):
    """The loss is no longer a finite number."""


class ExportError(RsMlError):
    """An export that is impossible, or that does not reproduce the network."""
