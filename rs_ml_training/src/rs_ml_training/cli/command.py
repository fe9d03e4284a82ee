"""Exit status and progress bar of all commands."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from rs_ml_perception.core.errors import RsMlError

INTERRUPTED, UNREAD = 130, 141

T = TypeVar('T')


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


def progress_bar(samples: Iterable[T], count: int | None) -> Iterable[T]:
    """Yield the samples; a terminal shows their number and rate in wall time."""
    from tqdm import tqdm

    shown: Iterable[T] = tqdm(samples, total=count, unit='image', disable=None, leave=False)
    return shown
