"""A folder that appears whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.output_folder import put_in_place
from rs_ml_training.errors import ExportError

MANIFEST_NAME = 'manifest.yaml'


def check_destination(out: Path, *, force: bool) -> None:
    """Raise ConfigError unless a model may be written there."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not out.is_dir():
        raise ConfigError(f'{out} is a file: give a folder that does not exist yet')
    if not force:
        raise ConfigError(f'{out} exists: give another folder, or --force to replace this one')
    if not (out / MANIFEST_NAME).is_file():
        raise ConfigError(
            f'{out} holds no {MANIFEST_NAME}, so it is no model and is not replaced: give another '
            'folder'
        )


@contextmanager
def staged(out: Path, *, force: bool = False) -> Iterator[Path]:
    """A scratch folder beside `out` that takes its place when the block ends well.

    Raises:
        ConfigError: `out` may not be replaced.
        ExportError: the disk refuses.
    """
    check_destination(out, force=force)
    scratch = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f'.{out.name}-', dir=out.parent))
        scratch.chmod(0o755)
        yield scratch
        with tempfile.TemporaryDirectory(prefix=f'.{out.name}-old-', dir=out.parent) as aside:
            put_in_place(scratch, out, Path(aside) / 'model')
    except OSError as error:
        raise ExportError(f'{out} cannot be written: {error}') from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
