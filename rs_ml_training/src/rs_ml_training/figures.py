"""Files of matplotlib figures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.output_folder import write_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = ('.png', '.svg', '.pdf')


def require_suffix(picture: Path) -> None:
    """Check the suffix of a figure before it is drawn.

    Raises:
        ConfigError: the suffix is none of SUFFIXES.
    """
    if picture.suffix.lower() not in SUFFIXES:
        raise ConfigError(f'{picture} must end in {", ".join(SUFFIXES)}')


def save_figure(figure: Figure, picture: Path, dpi: int) -> None:
    """Write a figure atomically; an existing file is replaced.

    Raises:
        InputError: it cannot be written.
    """
    drawn = io.BytesIO()
    figure.savefig(drawn, format=picture.suffix[1:].lower(), dpi=dpi)
    write_file(picture, drawn.getvalue(), replace=True)
