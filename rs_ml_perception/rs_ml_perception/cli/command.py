"""Parser, error messages and exit status of the commands."""

from __future__ import annotations

import os
import sys
from typing import Any

from rs_ml_perception.core.errors import ConfigError, InputError, RsMlError, printable, shortened
from rs_ml_perception.core.flags import FlagParser

RUNTIME_ERROR, USAGE_ERROR, INTERRUPTED = 1, 2, 130


class CommandParser(FlagParser):
    """Flags may be abbreviated, and an input may begin with @."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(
            *args, **{'allow_abbrev': True, 'fromfile_prefix_chars': None, **keywords}
        )


def report(program: str, error: Exception) -> int:
    """Print the error to stderr; RS_ML_DEBUG=1 raises it instead.

    Returns:
        2 for wrong arguments or unusable inputs, else 1.
    """
    if os.environ.get('RS_ML_DEBUG'):
        raise error
    if isinstance(error, RsMlError):
        print(f'{program}: {error}', file=sys.stderr)
        return USAGE_ERROR if isinstance(error, (ConfigError, InputError)) else RUNTIME_ERROR
    if isinstance(error, ModuleNotFoundError):
        print(f'{program}: {sys.executable} has no module {error.name}', file=sys.stderr)
        return RUNTIME_ERROR
    reason = printable(shortened(str(error)))
    print(
        f'{program}: unexpected {type(error).__name__}: {reason} (RS_ML_DEBUG=1 shows where)',
        file=sys.stderr,
    )
    return RUNTIME_ERROR
