"""Errors this package raises on purpose; each names the offending value and the way out."""

from __future__ import annotations

from rs_ml_perception.core.printable import printable, shortened


class RsMlError(Exception):
    """Root of the family: catch this to catch all errors that the package reports by itself.

    Its text may be shown as it is: values that strangers chose bring no escape codes and do not
    bury the sentence around them.
    """

    def __str__(self) -> str:
        return printable(shortened(super().__str__()))


class ConfigError(RsMlError):
    """A parameter, an argument or a configuration file is wrong."""


class ModelError(RsMlError):
    """A model directory is missing, damaged or contradicts itself."""


class MissingArtifactError(ModelError):
    """A file of a model is nowhere to be found: another format of the model may still be there."""


class BackendError(RsMlError):
    """An inference runtime is missing or cannot run the model."""


class BusyError(RsMlError):
    """Something is still in progress: try again later."""


class InputError(RsMlError):
    """A frame, message or file cannot be used: it is rejected, the caller lives on."""
