"""What every command does with errors."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence

from rs_ml_training.errors import TrainingError

INTERRUPTED = 130


def command(run: Callable[[Sequence[str] | None], int | None]) -> Callable[..., int]:
    """A main function whose TrainingError becomes one sentence and exit status 2."""

    @functools.wraps(run)
    def main(argv: Sequence[str] | None = None) -> int:
        try:
            return run(argv) or 0
        except TrainingError as error:
            print(f'error: {error}', file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print('interrupted', file=sys.stderr)
            return INTERRUPTED

    return main
