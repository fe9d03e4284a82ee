"""Errors this package raises on purpose; each names the offending value and the way out."""


class RsMlError(Exception):
    """Root of the family: catch this to catch whatever the package reports by itself."""


class ConfigError(RsMlError):
    """A parameter, an argument or a configuration file is wrong."""


class ModelError(RsMlError):
    """A model directory is missing, damaged or contradicts itself."""


class MissingArtifactError(ModelError):
    """A file of a model is nowhere to be found: another format of the model may still be there."""


class BackendError(RsMlError):
    """An inference runtime is missing or cannot run the model."""


class InputError(RsMlError):
    """A frame, message or file cannot be used: it is rejected, the caller lives on."""
