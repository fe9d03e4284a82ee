"""Exit status of all commands."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence

from rs_ml_perception.core.errors import RsMlError

INTERRUPTED, UNREAD = 130, 141


def command(run: Callable[[Sequence[str] | None], int | None]) -> Callable[..., int]:
    """Make a main function that prints an RsMlError as one sentence and returns exit status 2."""

    @functools.wraps(run)
    def main(argv: Sequence[str] | None = None) -> int:
        try:
            status = run(argv) or 0
            sys.stdout.flush()
            return status
        except RsMlError as error:
            print(f'error: {error}', file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print('interrupted', file=sys.stderr)
            return INTERRUPTED
        except BrokenPipeError:
            # As in `| head`: the reader is gone, and the interpreter flushes once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return UNREAD

    return main
